// parameter.hpp: a value from the control side to the audio thread of which only the latest matters, such as a gain.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cueline/buffer.hpp>
#include <cueline/ring.hpp>
#include <cueline/shared_parameters.hpp>
#include <cueline/timeline.hpp>
#include <cueline/value_segment.hpp>

namespace cueline {

inline constexpr std::size_t max_parameters = SharedParameters<>::max_size;  ///< each element of an array counts
inline constexpr std::size_t max_ramp_s = 3600;

/// A processor's declaration of a parameter. The texts live as long as the processor.
struct ParameterSpec {
    std::string_view name;     ///< not empty, and different from the names of its other parameters
    double lowest = 0;         ///< this and the next two: in `unit`
    double highest = 1;        ///< at least `lowest`
    double default_value = 0;  ///< its value until the first write
    std::string_view
        unit{};  ///< "Hz", "dB"; empty: none NOLINT(readability-redundant-member-init): without it, g++ warns its users
    double ramp_s = 0.02;     ///< seconds of a move from one value to another, 0 to 3600; 0: it jumps
    std::uint32_t count = 1;  ///< at least 1; more: an array of parameters, each with a value of its own
};

/// The address of the first element of the spec at `index`, for a processor's parameters or meters: the sum of the
/// counts of the specs before it. The address of another element is this address plus its index.
template <class Spec>
constexpr std::size_t first_address(std::span<const Spec> specs, std::size_t index) noexcept {
    std::size_t address = 0;
    for (const Spec& spec : specs.first(index)) address += spec.count;
    return address;
}

/// How many parameters or meters these specs declare. Each element of an array counts.
template <class Spec>
constexpr std::size_t elements(std::span<const Spec> specs) noexcept {
    return first_address(specs, specs.size());
}

/// The frame and the timeline from which parameters compute their values. The engine has one for all of a processor's
/// parameters.
struct ParameterClock {
    std::uint64_t frame = 0;  ///< the first one of the segment that is rendered or comes next
    const Timeline* timeline = &default_timeline;
    const BufferSlots* curves = nullptr;
};

/// A parameter as a processor uses it, or one element of an array. It moves from value to value in a ramp, or along an
/// automation, and its value is a function of the frame. next(), at() and fill() read it within the segment that is
/// being rendered; the engine moves it on when the segment ends, whether it was read or not. The audio thread owns it,
/// and every call is wait-free.
class Parameter {
  public:
    /// The value of the last frame that next() returned, or of the frame before the segment.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return value_at(next_frame() - 1); }
    /// The end of the present ramp, or the value if there is none. In an automation, the value at the end of its
    /// present part.
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return course_.to(); }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return moves_from(next_frame()); }
    /// Whether an automation sets it. A write, go_to() and jump_to() end that.
    [[nodiscard]] bool automated() const noexcept CUELINE_NONBLOCKING { return automated_; }

    /// Returns the value of the next frame of this segment.
    double next() noexcept CUELINE_NONBLOCKING {
        if (!moves_from(first_frame())) return course_.to();
        read_up_to_ = next_frame() + 1;
        return value_at(read_up_to_ - 1);
    }

    /// Returns the value of the frame with this index in the segment: 0 is its first. You may also pass the index of
    /// the frame after the segment's last one.
    [[nodiscard]] double at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return value_at(first_frame() + static_cast<std::int64_t>(index));
    }

    /// Fills `values` with the segment's values, from the frame with the index `first` on.
    template <class Number>
    void fill(std::span<Number> values, std::size_t first = 0) const noexcept CUELINE_NONBLOCKING {
        if (!moves_from(first_frame())) {
            std::ranges::fill(values, static_cast<Number>(course_.to()));
            return;
        }
        for (std::size_t index = 0; index < values.size(); ++index) {
            values[index] = static_cast<Number>(at(first + index));
        }
    }

    /// Moves from the current value to `target` in the ramp time, for instance to act on a message. Clamps `target` to
    /// the range, and ignores NaN. The next write of the control side overrides it, even if that writes the same value
    /// again. In render(), the ramp begins after the frames that next() has returned. While the parameter does not
    /// move, next() does not count frames, and the ramp begins at the segment's first frame: then call this before you
    /// read the parameter.
    void go_to(double target) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(target)) return;
        const double inside = std::clamp(target, lowest_, highest_);
        const auto start = static_cast<double>(next_frame() - 1);
        course_ = ramp_frames_ == 0 ? ValueSegment{inside}
                                    : ValueSegment::ramp(Shape::linear, value(), inside, start, start + ramp_frames_);
        automated_ = false;
    }

    /// Jumps to `value`. Use it while the parameter is not audible. Clamps `value` to the range, and ignores NaN.
    void jump_to(double value) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(value)) return;
        course_ = ValueSegment{std::clamp(value, lowest_, highest_)};
        automated_ = false;
    }

    /// Jumps to `value`, and moves from there to the present target in the whole ramp time, for instance to fade in.
    /// Does nothing if an automation sets the parameter.
    void start_from(double value) noexcept CUELINE_NONBLOCKING {
        if (automated_) return;
        const double target = course_.to();
        jump_to(value);
        go_to(target);
    }

    // The rest is for the engine.

    /// An element of an array, which is set later.
    Parameter() noexcept = default;

    /// Begins at its default. `clock` must outlive the parameter, which moves on with it. [control thread, before the
    /// first block]
    Parameter(const ParameterSpec& spec, const ParameterClock& clock) noexcept
        : clock_{&clock},
          lowest_{spec.lowest},
          highest_{spec.highest},
          ramp_s_{spec.ramp_s},
          course_{spec.default_value} {}

    /// Converts the ramp time to frames at this rate. A ramp under way begins again from the current value. An
    /// automation goes on in frames.
    /// [control thread, while no block runs]
    void prepare(std::uint32_t samplerate) noexcept {
        ramp_frames_ = static_cast<std::uint32_t>(std::llround(ramp_s_ * samplerate));
        if (ramp_s_ > 0) ramp_frames_ = std::max<std::uint32_t>(ramp_frames_, 1);
        if (!automated_ && moves()) go_to(course_.to());
    }

    /// The present part of the parameter's course.
    [[nodiscard]] const ValueSegment& course() const noexcept CUELINE_NONBLOCKING { return course_; }

    /// Follows a part of an automation, from the next frame on.
    void automate(const ValueSegment& course) noexcept CUELINE_NONBLOCKING {
        course_ = course;
        automated_ = true;
    }

    /// `value` within the range; NaN becomes the lowest value.
    [[nodiscard]] double inside(double value) const noexcept CUELINE_NONBLOCKING {
        return value > lowest_ ? std::min(value, highest_) : lowest_;
    }

    /// The value at a point that may lie between two frames.
    [[nodiscard]] double value_at(double frame, double beat) const noexcept CUELINE_NONBLOCKING {
        return inside(course_.at(course_.in_beats() ? beat : frame, clock_->curves));
    }

  private:
    // Frames are signed, because frame -1 comes before the first.
    [[nodiscard]] std::int64_t first_frame() const noexcept CUELINE_NONBLOCKING {
        return static_cast<std::int64_t>(clock_->frame);
    }
    /// The frame whose value next() returns next, if the parameter moves.
    [[nodiscard]] std::int64_t next_frame() const noexcept CUELINE_NONBLOCKING {
        return std::max(read_up_to_, first_frame());
    }
    [[nodiscard]] double place_of(std::int64_t frame) const noexcept CUELINE_NONBLOCKING {
        const auto exact = static_cast<double>(frame);
        return course_.in_beats() ? clock_->timeline->beat_at(exact) : exact;
    }
    [[nodiscard]] double value_at(std::int64_t frame) const noexcept CUELINE_NONBLOCKING {
        const double value = course_.at(place_of(frame), clock_->curves);
        return automated_ ? inside(value) : value;  // a ramp is within the range
    }
    /// Whether the value of this frame, or of a later one, may differ from the value before it. In beats, it always
    /// may: the timeline may go back between any two frames.
    [[nodiscard]] bool moves_from(std::int64_t frame) const noexcept CUELINE_NONBLOCKING {
        return course_.in_beats() || course_.moves_after(static_cast<double>(frame - 1));
    }

    const ParameterClock* clock_ = nullptr;
    std::int64_t read_up_to_ = 0;    // the frame after the last one that next() returned while it moved
    std::uint32_t ramp_frames_ = 0;  // the whole ramp time
    bool automated_ = false;
    double lowest_ = 0;
    double highest_ = 0;
    double ramp_s_ = 0;
    ValueSegment course_{0};
};

}  // namespace cueline
