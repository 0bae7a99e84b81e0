// ramp.hpp: a value that goes to another in equal steps, one a frame.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// What a listener must not hear jump: a gain, a frequency. Plain memory, for one thread.
/// Real-time: every call is wait-free.
class Ramp {
  public:
    /// Stands at `value` until go_on() sends it to `target`.
    constexpr Ramp(double value, double target) noexcept : value_{value}, target_{target} {}

    /// As it was in the frame before.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return value_; }
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return target_; }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return frames_left_ > 0; }

    /// Stands at `value` at once.
    void set(double value) noexcept CUELINE_NONBLOCKING { *this = Ramp{value, value}; }

    /// From where it is now to `target` in the next `frames` frames, one or more.
    void go_to(double target, std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        target_ = target;
        go_on(frames);
    }

    /// To the target that it has, in the next `frames` frames, one or more.
    void go_on(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        step_ = (target_ - value_) / frames;
        frames_left_ = frames;
    }

    /// Returns the value of the next frame. The last of a ramp's is the target itself.
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
