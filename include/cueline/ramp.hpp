// ramp.hpp: a value that moves to a target in equal steps, one per frame.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// For a value whose jumps would be heard: a gain, a frequency. Each value is a function of its frame. So a ramp does
/// not change while it is under way, and it does not matter how its frames are read. Every call is wait-free.
class Ramp {
  public:
    /// Stays at `value`.
    constexpr explicit Ramp(double value) noexcept CUELINE_NONBLOCKING : target_{value} {}

    /// Is `from` before frame `first`, and moves from there to `target` in `frames` frames, at least 1.
    Ramp(double from, double target, std::uint64_t first, std::uint32_t frames) noexcept CUELINE_NONBLOCKING
        : half_from_{from / 2},
          half_step_{(target / 2 - half_from_) / frames},
          target_{target},
          first_{first},
          end_{first + frames} {}

    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return target_; }

    /// Whether the value of this frame, or of a later one, may differ from the value before it.
    [[nodiscard]] bool moves(std::uint64_t frame) const noexcept CUELINE_NONBLOCKING { return frame < end_; }

    /// The value of this frame. A ramp's last value is exactly the target.
    [[nodiscard]] double at(std::uint64_t frame) const noexcept CUELINE_NONBLOCKING { return before(frame + 1); }

    /// The value of the frame before this one.
    [[nodiscard]] double before(std::uint64_t frame) const noexcept CUELINE_NONBLOCKING {
        if (frame >= end_) return target_;
        const auto steps = static_cast<std::uint32_t>(frame > first_ ? frame - first_ : 0);
        return (half_from_ + half_step_ * static_cast<double>(steps)) * 2;
    }

  private:
    // Halves, because the distance of two finite numbers may be infinite.
    double half_from_ = 0;
    double half_step_ = 0;
    double target_;
    std::uint64_t first_ = 0;
    std::uint64_t end_ = 0;  // from this frame on, it stays at the target
};

}  // namespace cueline
