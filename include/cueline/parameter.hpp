// parameter.hpp: a value from the control side to the audio thread of which only the latest matters, such as a gain.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <cueline/ramp.hpp>
#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::size_t max_parameters = 64;
inline constexpr std::size_t max_ramp_s = 3600;

/// A processor's declaration of a parameter. The texts live as long as the processor.
struct ParameterSpec {
    std::string_view name;     ///< not empty, and different from the names of its other parameters
    double lowest = 0;         ///< this and the next two: in `unit`
    double highest = 1;        ///< at least `lowest`
    double default_value = 0;  ///< its value until the first write
    std::string_view
        unit{};  ///< "Hz", "dB"; empty: none NOLINT(readability-redundant-member-init): without it, g++ warns its users
    double ramp_s = 0.02;  ///< seconds of a move from one value to another, 0 to 3600; 0: it jumps
};

/// The part of a parameter that both sides share: plain memory. Every call is wait-free.
template <class Memory = StdMemory>
class SharedParameter {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a parameter must be lock-free");

  public:
    SharedParameter() noexcept(Memory::never_throws) = default;

    /// Sets the value until the first write. [control thread, before it is shared]
    void set_default(double value) noexcept(Memory::never_throws) {
        bits_.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);  // relaxed: not shared yet
    }

    /// [control threads, one at a time]
    void write(double value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        bits_.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);  // relaxed: the count publishes it
        // Release publishes the value; it pairs with the acquire in read().
        writes_.store(++written_, std::memory_order_release);
    }

    /// If a value was written since the reader saw `seen` writes, copies the latest into `value`, updates `seen` and
    /// returns true. Writing the same value again counts as a write. If nothing was written, this is one load.
    /// [audio thread]
    bool read(std::uint64_t& seen, double& value) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in write(): the value is at least as new as this count. If it is newer, its
        // own count follows, and the same value is read once more.
        const std::uint64_t writes = writes_.load(std::memory_order_acquire);
        if (writes == seen) return false;
        seen = writes;
        value = get();
        return true;
    }

    /// The value that was written last. It may be out of date. [any thread]
    [[nodiscard]] double get() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: no other data is read because of it. read(), which needs the value of a count, has its own acquire.
        return std::bit_cast<double>(bits_.load(std::memory_order_relaxed));
    }

  private:
    using Word = typename Memory::template Atomic<std::uint64_t>;

    Word writes_{0};
    Word bits_{0};
    std::uint64_t written_ = 0;  // the writer's: what it stored in writes_, so that it never reads that back
};

/// A parameter as a processor uses it. It moves from value to value in a ramp, frame by frame. The audio thread owns
/// it, and every call is wait-free.
class Parameter {
  public:
    /// The value of the last frame.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return ramp_.value(); }
    /// The end of the present ramp, or the value if there is none.
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return ramp_.target(); }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return ramp_.moves(); }

    /// Returns the value of the next frame. Call it once per frame, across segments and blocks.
    double next() noexcept CUELINE_NONBLOCKING { return ramp_.next(); }

    /// Moves from the current value to `target` in the ramp time, for instance to act on a message. Clamps
    /// `target` to the range, and ignores NaN. The next write of the control side overrides it, even if that writes the
    /// same value again.
    void go_to(double target) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(target)) return;
        const double inside = std::clamp(target, lowest_, highest_);
        if (ramp_frames_ == 0) {
            ramp_.set(inside);
        } else {
            ramp_.go_to(inside, ramp_frames_);
        }
    }

    /// Jumps to `value`. Use it while the parameter is not audible. Clamps `value` to the range, and ignores NaN.
    void jump_to(double value) noexcept CUELINE_NONBLOCKING {
        if (!std::isnan(value)) ramp_.set(std::clamp(value, lowest_, highest_));
    }

    /// Jumps to `value`, and moves from there to the present target in the whole ramp time, for instance to fade in.
    void start_from(double value) noexcept CUELINE_NONBLOCKING {
        const double target = ramp_.target();
        jump_to(value);
        go_to(target);
    }

    // The rest is for the engine.

    /// A place in an array that no declared parameter uses.
    Parameter() noexcept = default;

    /// Begins at its default. `shared` must outlive it. [control thread, before the first block]
    Parameter(const ParameterSpec& spec, const SharedParameter<>& shared) noexcept
        : shared_{&shared},
          lowest_{spec.lowest},
          highest_{spec.highest},
          ramp_s_{spec.ramp_s},
          ramp_{spec.default_value, spec.default_value} {}

    /// Converts the ramp time to frames at this rate. A ramp under way begins again from the current value.
    /// [control thread, while no block runs]
    void prepare(std::uint32_t samplerate) noexcept {
        ramp_frames_ = static_cast<std::uint32_t>(std::llround(ramp_s_ * samplerate));
        if (ramp_s_ > 0) ramp_frames_ = std::max<std::uint32_t>(ramp_frames_, 1);
        if (ramp_.moves()) go_to(ramp_.target());
    }

    /// Starts the ramp to the value that the control side wrote since the last block. If a value was written before the
    /// first block, the parameter begins there, without a ramp.
    void begin_block() noexcept CUELINE_NONBLOCKING {
        double wanted = 0;
        if (shared_->read(seen_, wanted)) {
            if (begun_) {
                go_to(wanted);
            } else {
                jump_to(wanted);
            }
        }
        begun_ = true;
    }

  private:
    const SharedParameter<>* shared_ = nullptr;
    std::uint64_t seen_ = 0;  // number of writes seen
    double lowest_ = 0;
    double highest_ = 0;
    double ramp_s_ = 0;
    std::uint32_t ramp_frames_ = 0;
    bool begun_ = false;
    Ramp ramp_{0, 0};
};

}  // namespace cueline
