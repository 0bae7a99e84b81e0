// parameter.hpp: values from the control side to the audio thread of which only the latest matters: a gain, a
// frequency.
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

/// What a processor says of a parameter that it has. The texts live as long as the processor.
struct ParameterSpec {
    std::string_view name;     ///< not empty, and no other parameter's
    double lowest = 0;         ///< in `unit`, as the next two
    double highest = 1;        ///< at least `lowest`
    double default_value = 0;  ///< what it is until somebody sets it
    std::string_view
        unit{};  ///< "Hz", "dB"; empty: none NOLINT(readability-redundant-member-init): or g++ warns who leaves it out
    double ramp_s = 0.02;  ///< seconds from one value to another, 0 to 3600; 0: it jumps
};

/// What the two sides share of a parameter: plain memory.
template <class Memory = StdMemory>
class SharedParameter {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a parameter must be lock-free");

  public:
    SharedParameter() noexcept(Memory::never_throws) = default;

    /// What it is until somebody writes it. Thread: control, before it is shared.
    void set_default(double value) noexcept(Memory::never_throws) {
        bits_.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);  // relaxed: nobody else has it yet
    }

    /// Thread: control, one at a time. Real-time: wait-free; no allocation, lock or system call.
    void write(double value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        bits_.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);  // relaxed: the count publishes it
        // Release publishes the value; it pairs with the acquire in read().
        writes_.store(++written_, std::memory_order_release);
    }

    /// Copies the value into `value` if it was written since the reader saw `seen` writes, and counts them there. A
    /// value that is written again counts as written.
    /// Thread: audio. Real-time: wait-free; one load where nothing was written.
    /// Returns whether it was.
    bool read(std::uint64_t& seen, double& value) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in write(): the value is at least as new as this count. Where it is newer, its
        // own count is still to come, and it is read once more.
        const std::uint64_t writes = writes_.load(std::memory_order_acquire);
        if (writes == seen) return false;
        seen = writes;
        value = get();
        return true;
    }

    /// What was written last. Thread: any. Real-time: wait-free. A snapshot.
    [[nodiscard]] double get() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: it comes alone. Who needs it to be as new as something else has an acquire of its own.
        return std::bit_cast<double>(bits_.load(std::memory_order_relaxed));
    }

  private:
    using Word = typename Memory::template Atomic<std::uint64_t>;

    Word writes_{0};
    Word bits_{0};
    std::uint64_t written_ = 0;  // the writer's: what it stored in writes_, which it never reads back
};

/// A parameter as a processor has it: it goes from value to value in a ramp, frame by frame.
/// Thread: audio. Real-time: every call is wait-free.
class Parameter {
  public:
    /// As it was in the frame before.
    [[nodiscard]] double value() const noexcept CUELINE_NONBLOCKING { return ramp_.value(); }
    /// Where it is going, or stands.
    [[nodiscard]] double target() const noexcept CUELINE_NONBLOCKING { return ramp_.target(); }
    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING { return ramp_.moves(); }

    /// Returns the value of the next frame. To be called once a frame, over segments and blocks.
    double next() noexcept CUELINE_NONBLOCKING { return ramp_.next(); }

    /// Goes to `target` in its ramp time, from wherever it is: what a message may ask for. Outside its range, `target`
    /// means the nearest end; what is no number changes nothing. The control side's next write wins over it, and is
    /// one even when it writes what it wrote before.
    void go_to(double target) noexcept CUELINE_NONBLOCKING {
        if (std::isnan(target)) return;
        const double inside = std::clamp(target, lowest_, highest_);
        if (ramp_frames_ == 0) {
            ramp_.set(inside);
        } else {
            ramp_.go_to(inside, ramp_frames_);
        }
    }

    /// Stands at `value` at once: where nobody hears it. Otherwise as go_to().
    void jump_to(double value) noexcept CUELINE_NONBLOCKING {
        if (!std::isnan(value)) ramp_.set(std::clamp(value, lowest_, highest_));
    }

    /// Goes where it is going anyway, but from `value`, and in all of its ramp time: how a sound rises as it begins.
    void start_from(double value) noexcept CUELINE_NONBLOCKING {
        const double target = ramp_.target();
        jump_to(value);
        go_to(target);
    }

    // --- The engine's ----------------------------------------------------------------------------------------------

    /// The parameter of an array's place that nobody declared.
    Parameter() noexcept = default;

    /// Stands at its default. `shared` outlives it. Thread: control, before the first block.
    Parameter(const ParameterSpec& spec, const SharedParameter<>& shared) noexcept
        : shared_{&shared},
          lowest_{spec.lowest},
          highest_{spec.highest},
          ramp_s_{spec.ramp_s},
          ramp_{spec.default_value, spec.default_value} {}

    /// Counts its ramp in frames of this rate. One under way begins anew, from where it is.
    /// Thread: control, while no block runs.
    void prepare(std::uint32_t samplerate) noexcept {
        ramp_frames_ = static_cast<std::uint32_t>(std::llround(ramp_s_ * samplerate));
        if (ramp_s_ > 0) ramp_frames_ = std::max<std::uint32_t>(ramp_frames_, 1);
        if (ramp_.moves()) go_to(ramp_.target());
    }

    /// Sets out for what the control side wrote since the block before. What it wrote before the first block is what
    /// the parameter begins with.
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
    std::uint64_t seen_ = 0;  // writes
    double lowest_ = 0;
    double highest_ = 0;
    double ramp_s_ = 0;
    std::uint32_t ramp_frames_ = 0;
    bool begun_ = false;
    Ramp ramp_{0, 0};
};

}  // namespace cueline
