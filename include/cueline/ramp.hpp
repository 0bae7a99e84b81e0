// ramp.hpp: a value that moves to a target in equal steps, one per frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// For a value whose jumps would be heard: a gain, a frequency. Plain memory, for one thread. Every call is wait-free.
/// Each value is a function of its frame: it does not depend on how the frames are read.
class Ramp {
  public:
    /// Stays at `value`.
    constexpr explicit Ramp(double value) noexcept CUELINE_NONBLOCKING : target_{value} {}

    /// The value of the last frame.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return after(done_); }
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return target_; }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return done_ < frames_; }

    /// The frames until it arrives; 0 if it stays.
    [[nodiscard]] std::uint32_t frames_left() const noexcept CUELINE_NONBLOCKING { return frames_ - done_; }

    /// Jumps to `value` and stays there.
    void set(double value) noexcept CUELINE_NONBLOCKING { *this = Ramp{value}; }

    /// Moves from the current value to `target` in the next `frames` frames, at least 1.
    void go_to(double target, std::uint32_t frames) noexcept CUELINE_NONBLOCKING { start(value(), target, frames); }

    /// Moves from `from` to `target` in the next `frames` frames, at least 1.
    void start(double from, double target, std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        half_from_ = from / 2;
        half_step_ = (target / 2 - half_from_) / frames;
        target_ = target;
        frames_ = frames;
        done_ = 0;
    }

    /// Returns the value of the next frame. A ramp's last value is exactly the target.
    double next() noexcept CUELINE_NONBLOCKING {
        advance(1);
        return value();
    }

    /// The value `index` frames after the next one.
    [[nodiscard]] double at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return after(std::uint64_t{done_} + 1 + index);
    }

    /// Goes on by `frames` frames.
    void advance(std::uint32_t frames) noexcept CUELINE_NONBLOCKING { done_ += std::min(frames, frames_ - done_); }

  private:
    /// The value after this many of its frames.
    [[nodiscard]] double after(std::uint64_t frames) const noexcept CUELINE_NONBLOCKING {
        if (frames >= frames_) return target_;
        return (half_from_ + half_step_ * static_cast<double>(static_cast<std::uint32_t>(frames))) * 2;
    }

    // Halves, because the distance of two finite numbers may be infinite.
    double half_from_ = 0;
    double half_step_ = 0;
    double target_;
    std::uint32_t frames_ = 0;
    std::uint32_t done_ = 0;
};

}  // namespace cueline
