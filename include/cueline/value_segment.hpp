// value_segment.hpp: a part of a parameter's course with one rule: a constant, a ramp, a decay or a curve.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <cueline/buffer.hpp>
#include <cueline/exponential.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// A value as a function of the place. The place is a frame, or a beat if `in_beats()`, and it may lie between two of
/// them. Everything follows in closed form: there is no running sum, so the size of the blocks does not change a value.
/// Wait-free.
class ValueSegment {
  public:
    /// Stays at `value`.
    constexpr explicit ValueSegment(double value) noexcept CUELINE_NONBLOCKING : from_{value}, to_{value} {}

    /// Is `from` up to `start`, and `to` from `end` on. `shape` is linear or exponential.
    static ValueSegment ramp(Shape shape, double from, double to, double start, double end,
                             bool in_beats = false) noexcept CUELINE_NONBLOCKING {
        ValueSegment segment = between(shape, from, to, start, end, in_beats);
        if (shape == Shape::linear) {
            // Halves, because the distance of two finite numbers may be infinite.
            segment.slope_ = (to / 2 - from / 2) / (end - start);
        } else if (from != 0 && to != 0 && (from < 0) == (to < 0)) {
            segment.slope_ = (log(to < 0 ? -to : to) - log(from < 0 ? -from : from)) / (end - start);
        }
        return segment;
    }

    /// Is `from` up to the frame `start`, and then comes e times nearer to `to` in each `time_constant` frames.
    static ValueSegment target(double from, double to, double start, double time_constant) noexcept
        CUELINE_NONBLOCKING {
        // After 40 time constants, the rest is lost in rounding.
        ValueSegment segment = between(Shape::target, from, to, start, start + 40 * time_constant, false);
        segment.slope_ = -1 / time_constant;
        return segment;
    }

    /// Follows the samples of a loaded buffer's first channel, and is `to` from `end` on. `from` is what it was before.
    static ValueSegment curve(BufferHandle buffer, double from, double to, double start, double end,
                              bool in_beats) noexcept CUELINE_NONBLOCKING {
        ValueSegment segment = between(Shape::curve, from, to, start, end, in_beats);
        segment.buffer_ = buffer;
        segment.slope_ = 1 / (end - start);
        return segment;
    }

    [[nodiscard]] Shape shape() const noexcept CUELINE_NONBLOCKING { return shape_; }
    [[nodiscard]] bool in_beats() const noexcept CUELINE_NONBLOCKING { return in_beats_; }
    [[nodiscard]] double from() const noexcept CUELINE_NONBLOCKING { return from_; }
    [[nodiscard]] double to() const noexcept CUELINE_NONBLOCKING { return to_; }
    [[nodiscard]] double end() const noexcept CUELINE_NONBLOCKING { return end_; }

    /// Whether it began before this place.
    [[nodiscard]] bool began_before(double place) const noexcept CUELINE_NONBLOCKING { return start_ < place; }
    /// Whether the value changes after this place.
    [[nodiscard]] bool moves_after(double place) const noexcept CUELINE_NONBLOCKING { return place < end_; }

    /// The value at `place`. `curves` has the values of a curve; without it, the value is that of the end.
    [[nodiscard]] double at(double place, const BufferSlots* curves = nullptr) const noexcept CUELINE_NONBLOCKING {
        if (place >= end_) return to_;
        const double passed = std::max(0.0, place - start_);
        switch (shape_) {
            case Shape::linear:
                return (from_ / 2 + slope_ * passed) * 2;
            case Shape::exponential:
                return from_ * exp(slope_ * passed);
            case Shape::target:
                return passed == 0 ? from_ : to_ + (from_ - to_) * exp(slope_ * passed);
            case Shape::curve:
                return on_curve(slope_ * passed, curves);
            default:
                return to_;
        }
    }

  private:
    static ValueSegment between(Shape shape, double from, double to, double start, double end, bool in_beats) noexcept
        CUELINE_NONBLOCKING {
        ValueSegment segment{to};
        segment.from_ = from;
        segment.start_ = start;
        segment.end_ = end;
        segment.shape_ = shape;
        segment.in_beats_ = in_beats;
        return segment;
    }

    /// `part` is from 0 up to 1.
    [[nodiscard]] double on_curve(double part, const BufferSlots* curves) const noexcept CUELINE_NONBLOCKING {
        const Buffer* const buffer = curves == nullptr ? nullptr : curves->loaded(buffer_);
        if (buffer == nullptr) return to_;
        const double place = part * static_cast<double>(buffer->frames - 1);
        const auto index = static_cast<std::size_t>(place);
        if (index + 1 >= buffer->frames) return buffer->sample(buffer->frames - 1, 0);
        const double value = buffer->sample(index, 0);
        return value + (buffer->sample(index + 1, 0) - value) * (place - static_cast<double>(index));
    }

    double from_;
    double to_;
    double start_ = 0;
    double end_ = -std::numeric_limits<double>::infinity();
    double slope_ = 0;  // of half the value, of its logarithm, or of the part of a curve
    BufferHandle buffer_ = 0;
    Shape shape_ = Shape::step;
    bool in_beats_ = false;
};

}  // namespace cueline
