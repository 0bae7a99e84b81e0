// parameter.hpp: a value from the control side to the audio thread of which only the latest matters, such as a gain.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cueline/ramp.hpp>
#include <cueline/ring.hpp>
#include <cueline/shared_parameters.hpp>

namespace cueline {

inline constexpr std::size_t max_parameters = SharedParameters<>::max_size;  ///< elements of arrays counted
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

/// The address of the first element of the spec at `index`, for a processor's parameters or meters: the counts of the
/// specs before it. The address of another element is that plus its index.
template <class Spec>
constexpr std::size_t first_address(std::span<const Spec> specs, std::size_t index) noexcept {
    std::size_t address = 0;
    for (const Spec& spec : specs.first(index)) address += spec.count;
    return address;
}

/// How many parameters or meters these specs declare, elements counted.
template <class Spec>
constexpr std::size_t elements(std::span<const Spec> specs) noexcept {
    return first_address(specs, specs.size());
}

/// A parameter as a processor uses it, or one element of an array. It moves from value to value in a ramp, and its
/// value is a function of the frame. next(), at() and fill() read it within the segment that is being rendered; the
/// engine moves it on when the segment ends, whether it was read or not. The audio thread owns it, and every call is
/// wait-free.
class Parameter {
  public:
    /// The value of the last frame that next() returned, or of the frame before the segment.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return ramp_.before(next_frame()); }
    /// The end of the present ramp, or the value if there is none.
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return ramp_.target(); }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return ramp_.moves(next_frame()); }

    /// Returns the value of the next frame of this segment.
    double next() noexcept CUELINE_NONBLOCKING {
        if (!ramp_.moves(*segment_)) return ramp_.target();
        read_up_to_ = next_frame() + 1;
        return ramp_.before(read_up_to_);
    }

    /// Returns the value of the frame with this index in the segment: 0 is its first. It works for the frame behind the
    /// segment, too.
    [[nodiscard]] double at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return ramp_.at(*segment_ + index);
    }

    /// Fills `values` with the segment's values, from its first frame on.
    template <class Number>
    void fill(std::span<Number> values) const noexcept CUELINE_NONBLOCKING {
        if (!ramp_.moves(*segment_)) {
            std::ranges::fill(values, static_cast<Number>(ramp_.target()));
            return;
        }
        for (std::size_t index = 0; index < values.size(); ++index) values[index] = static_cast<Number>(at(index));
    }

    /// Moves from the current value to `target` in the ramp time, for instance to act on a message. Clamps
    /// `target` to the range, and ignores NaN. The next write of the control side overrides it, even if that writes the
    /// same value again. In render(), the ramp begins behind the frames that next() has returned; if the parameter did
    /// not move, call this before you read it.
    void go_to(double target) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(target)) return;
        const double inside = std::clamp(target, lowest_, highest_);
        ramp_ = ramp_frames_ == 0 ? Ramp{inside} : Ramp{value(), inside, next_frame(), ramp_frames_};
    }

    /// Jumps to `value`. Use it while the parameter is not audible. Clamps `value` to the range, and ignores NaN.
    void jump_to(double value) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(value)) return;
        ramp_ = Ramp{std::clamp(value, lowest_, highest_)};
    }

    /// Jumps to `value`, and moves from there to the present target in the whole ramp time, for instance to fade in.
    void start_from(double value) noexcept CUELINE_NONBLOCKING {
        const double target = ramp_.target();
        jump_to(value);
        go_to(target);
    }

    // The rest is for the engine.

    /// A place in an array that is set later.
    Parameter() noexcept = default;

    /// Begins at its default. `segment` is the first frame of the segment that is rendered or comes next. It must
    /// outlive the parameter, which moves on with it. [control thread, before the first block]
    Parameter(const ParameterSpec& spec, const std::uint64_t& segment) noexcept
        : segment_{&segment},
          lowest_{spec.lowest},
          highest_{spec.highest},
          ramp_s_{spec.ramp_s},
          ramp_{spec.default_value} {}

    /// Converts the ramp time to frames at this rate. A ramp under way begins again from the current value.
    /// [control thread, while no block runs]
    void prepare(std::uint32_t samplerate) noexcept {
        ramp_frames_ = static_cast<std::uint32_t>(std::llround(ramp_s_ * samplerate));
        if (ramp_s_ > 0) ramp_frames_ = std::max<std::uint32_t>(ramp_frames_, 1);
        if (moves()) go_to(ramp_.target());
    }

  private:
    /// The next frame that next() returns the value of, if the parameter moves.
    [[nodiscard]] std::uint64_t next_frame() const noexcept CUELINE_NONBLOCKING {
        return std::max(read_up_to_, *segment_);
    }

    const std::uint64_t* segment_ = nullptr;
    std::uint64_t read_up_to_ = 0;   // the frame behind the last one that next() returned while it moved
    std::uint32_t ramp_frames_ = 0;  // the whole ramp time
    double lowest_ = 0;
    double highest_ = 0;
    double ramp_s_ = 0;
    Ramp ramp_{0};
};

}  // namespace cueline
