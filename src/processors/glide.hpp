// glide.hpp: a number that moves to a target in equal steps, for a voice's gain, pan and envelope.
#pragma once

#include <algorithm>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// Its value is a function of the frames that are left, so it does not depend on how they are divided into blocks. At
/// its ends it has the rule of a linear ValueSegment. It takes a fifth of the memory, because a voice has ten, and
/// computes in float, as a voice does. Every call is wait-free.
class Glide {
  public:
    constexpr explicit Glide(float value) noexcept CUELINE_NONBLOCKING : target_{value} {}

    /// Stays at the present value for one more frame, and reaches `target` in `frames` frames. With 0 it jumps.
    void go_to(float target, std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        const float from = at(0);
        target_ = target;
        frames_left_ = frames;
        step_ = frames == 0 ? 0.0F : (target - from) / static_cast<float>(frames);
    }

    /// The value at the frame with this index; 0 is the next one.
    [[nodiscard]] float at(std::uint32_t index) const noexcept CUELINE_NONBLOCKING {
        return index < frames_left_ ? target_ - step_ * static_cast<float>(frames_left_ - index) : target_;
    }

    void advance(std::uint32_t frames) noexcept CUELINE_NONBLOCKING { frames_left_ -= std::min(frames, frames_left_); }

    [[nodiscard]] float target() const noexcept CUELINE_NONBLOCKING { return target_; }
    [[nodiscard]] std::uint32_t frames_left() const noexcept CUELINE_NONBLOCKING { return frames_left_; }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return frames_left_ > 0; }

  private:
    float target_;
    float step_ = 0;
    std::uint32_t frames_left_ = 0;
};

}  // namespace cueline
