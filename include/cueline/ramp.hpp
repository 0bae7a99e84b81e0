// ramp.hpp: a value that moves to a target in equal steps, one per frame.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// For a value whose jumps would be heard: a gain, a frequency. Plain memory, for one thread. Every call is wait-free.
class Ramp {
  public:
    /// Stays at `value` until go_on() starts the ramp to `target`.
    constexpr Ramp(double value, double target) noexcept : value_{value}, target_{target} {}

    /// The value of the last frame.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return value_; }
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return target_; }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return frames_left_ > 0; }

    /// Jumps to `value` and stays there.
    void set(double value) noexcept CUELINE_NONBLOCKING { *this = Ramp{value, value}; }

    /// Moves from the current value to `target` in the next `frames` frames, at least 1.
    void go_to(double target, std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        target_ = target;
        go_on(frames);
    }

    /// Moves to the present target in the next `frames` frames, at least 1.
    void go_on(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        // Halves, because the distance of two finite numbers may be infinite.
        step_ = (target_ / 2 - value_ / 2) / frames * 2;
        frames_left_ = frames;
    }

    /// Returns the value of the next frame. A ramp's last value is exactly the target.
    double next() noexcept CUELINE_NONBLOCKING {
        if (frames_left_ == 0) return value_;
        --frames_left_;
        value_ = frames_left_ == 0 ? target_ : value_ + step_;
        return value_;
    }

  private:
    double value_;
    double target_;
    double step_ = 0;
    std::uint32_t frames_left_ = 0;
};

}  // namespace cueline
