// automations.hpp: which parameters are automated, and the commands that automate them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/shared_parameters.hpp>

#include "engine/transport.hpp"
#include "system/locked_array.hpp"

namespace cueline {

/// That of one parameter, if the parameter is automated.
struct Automation {
    Cause cause;             // that began it, or began the last one
    bool held = false;       // it is over: what belongs to it is refused
    BufferHandle curve = 0;  // that the parameter follows, or 0
    double known = 0;        // what the shared word holds, as far as the audio thread has seen
};

/// The automations of a processor's parameters, at most one each. A parameter follows a segment of one by itself: here
/// is only what a command changes, and what a block shows. What a block costs grows with the number of parameters that
/// an automation moves. The audio thread owns it. Calls are wait-free.
class Automations {
  public:
    /// The spans and `curves` must outlive it. Throws std::bad_alloc. [while no block runs, as the next one]
    void declare(std::span<Parameter> parameters, const SharedParameters<>& shared, BufferSlots* curves);

    void prepare(std::uint32_t samplerate) noexcept { samplerate_ = samplerate; }

    /// Carries out an automate, a hold_automation or a cancel_automation, at the point `here`. Returns false for wrong
    /// values.
    [[nodiscard]] Outcome apply(const Message& command, TimelinePoint here) noexcept CUELINE_NONBLOCKING;

    /// Releases the buffer of a curve that will not be applied.
    void discard(const Message& command) noexcept CUELINE_NONBLOCKING;

    /// The audio thread has taken this value from the shared word.
    void note_write(std::size_t address, double value) noexcept CUELINE_NONBLOCKING {
        automations_.all()[address].known = value;
    }

    /// Lets the control side read a value that the audio thread has set, unless somebody writes one meanwhile.
    void show(std::size_t address, double value) noexcept CUELINE_NONBLOCKING {
        double& known = automations_.all()[address].known;
        if (value != known && shared_.show(address, known, value)) known = value;
    }

    /// Writes the values that automations have set to the shared words, and releases the buffers of curves that are
    /// over. In beats, a segment is over when another one takes its place.
    void end_block() noexcept CUELINE_NONBLOCKING;

    [[nodiscard]] bool memory_locked() const noexcept { return automations_.granted(); }

  private:
    [[nodiscard]] Outcome automate(const Message& command, TimelinePoint here) noexcept CUELINE_NONBLOCKING;
    void hold(const HoldAutomation& wanted, std::uint8_t line, TimelinePoint here) noexcept CUELINE_NONBLOCKING;
    void cancel(const CancelAutomation& wanted, std::uint8_t line, TimelinePoint here) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool is_replaced(const Automate& wanted, const Message& command) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool is_sound(const Automate& wanted) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool is_current(std::uint16_t parameter, std::uint32_t sequence, std::uint8_t line) const noexcept
        CUELINE_NONBLOCKING;
    [[nodiscard]] ValueSegment course(const Automate& wanted, double from, TimelinePoint here) const noexcept
        CUELINE_NONBLOCKING;
    void follow(std::uint16_t parameter, const ValueSegment& course, BufferHandle curve = 0) noexcept
        CUELINE_NONBLOCKING;
    void release_curve(Automation& automation) noexcept CUELINE_NONBLOCKING;
    void look_at(std::size_t address) noexcept CUELINE_NONBLOCKING;

    static constexpr std::size_t word_bits = 64;

    std::span<Parameter> parameters_;
    SharedParameters<> shared_;
    BufferSlots* curves_ = nullptr;
    LockedArray<Automation> automations_;  // by address
    std::uint32_t samplerate_ = 0;
    // A bit for each parameter that end_block() looks at, and a bit for each word with such bits.
    std::array<std::uint64_t, max_parameters / word_bits> active_{};
    std::uint64_t active_words_ = 0;
};

}  // namespace cueline
