// parameter.hpp: a value from the control side to the audio thread of which only the latest matters, such as a gain.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
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

/// The addresses of the parameters that move. Plain memory, for one thread. Each call but for_each() takes constant
/// time, and for_each() takes time for those in the set only.
class MovingParameters {
  public:
    void add(std::size_t address) noexcept CUELINE_NONBLOCKING {
        words_[address / 64] |= std::uint64_t{1} << (address % 64);
        summary_ |= std::uint64_t{1} << (address / 64);
    }

    /// Calls `stays(address)` for each, in order, and removes those for which it returns false.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `stays`.
    template <class Stays>
    void for_each(Stays&& stays) noexcept {
        for (std::uint64_t words = summary_; words != 0; words &= words - 1) {
            const auto word = static_cast<std::size_t>(std::countr_zero(words));
            for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
                const std::uint64_t bit = bits & (~bits + 1);
                if (!stays(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)))) words_[word] &= ~bit;
            }
            if (words_[word] == 0) summary_ &= ~(std::uint64_t{1} << word);
        }
    }

  private:
    std::array<std::uint64_t, max_parameters / 64> words_{};
    std::uint64_t summary_ = 0;  // the words that are not 0
};

/// A parameter as a processor uses it, or one element of an array. It moves from value to value in a ramp, and its
/// value is a function of the frame. next(), at() and fill() read it within the segment that is being rendered; the
/// engine moves it on when the segment ends, whether it was read or not. The audio thread owns it, and every call is
/// wait-free.
class Parameter {
  public:
    /// The value of the last frame that next() returned, or of the frame before the segment.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING {
        return read_ == 0 ? ramp_.value() : ramp_.at(read_ - 1);
    }
    /// The end of the present ramp, or the value if there is none.
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return ramp_.target(); }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return ramp_.frames_left() > read_; }

    /// Returns the value of the next frame of this segment.
    double next() noexcept CUELINE_NONBLOCKING { return ramp_.moves() ? ramp_.at(read_++) : ramp_.target(); }

    /// Returns the value of the frame with this index in the segment: 0 is its first. It works for the frame behind the
    /// segment, too.
    [[nodiscard]] double at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return index < skipped_ ? ramp_.value() : ramp_.at(index - skipped_);
    }

    /// Fills `values` with the segment's values, from its first frame on.
    template <class Number>
    void fill(std::span<Number> values) const noexcept CUELINE_NONBLOCKING {
        if (!ramp_.moves()) {
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
        const double from = value();
        leave_ramp();
        if (ramp_frames_ == 0) {
            ramp_.set(inside);
        } else {
            ramp_.start(from, inside, ramp_frames_);
            moving_->add(address_);
        }
    }

    /// Jumps to `value`. Use it while the parameter is not audible. Clamps `value` to the range, and ignores NaN.
    void jump_to(double value) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(value)) return;
        leave_ramp();
        ramp_.set(std::clamp(value, lowest_, highest_));
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

    /// Begins at its default. It adds itself to `moving`, which must outlive it, when it starts to move.
    /// [control thread, before the first block]
    Parameter(const ParameterSpec& spec, MovingParameters& moving, std::size_t address) noexcept
        : moving_{&moving},
          address_{static_cast<std::uint16_t>(address)},
          lowest_{spec.lowest},
          highest_{spec.highest},
          ramp_s_{spec.ramp_s},
          ramp_{spec.default_value} {}

    /// Converts the ramp time to frames at this rate. A ramp under way begins again from the current value.
    /// [control thread, while no block runs]
    void prepare(std::uint32_t samplerate) noexcept {
        ramp_frames_ = static_cast<std::uint32_t>(std::llround(ramp_s_ * samplerate));
        if (ramp_s_ > 0) ramp_frames_ = std::max<std::uint32_t>(ramp_frames_, 1);
        if (ramp_.moves()) go_to(ramp_.target());
    }

    /// Moves on by the `frames` of the segment that ends. Returns whether it still moves.
    bool end_segment(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        ramp_.advance(frames - std::min(skipped_, frames));
        skipped_ = 0;
        read_ = 0;
        return ramp_.moves();
    }

  private:
    /// The next ramp begins behind what next() has returned.
    void leave_ramp() noexcept CUELINE_NONBLOCKING {
        skipped_ += read_;
        read_ = 0;
    }

    MovingParameters* moving_ = nullptr;
    std::uint16_t address_ = 0;
    std::uint32_t ramp_frames_ = 0;  // the whole ramp time
    std::uint32_t skipped_ = 0;      // frames of this segment before the ramp
    std::uint32_t read_ = 0;         // frames of the ramp in this segment that next() has returned; 0 if it stays
    double lowest_ = 0;
    double highest_ = 0;
    double ramp_s_ = 0;
    Ramp ramp_{0};
};

}  // namespace cueline
