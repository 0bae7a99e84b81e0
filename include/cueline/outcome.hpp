// outcome.hpp: what became of a command that a processor handled.
#pragma once

#include <concepts>
#include <cstdint>

#include <cueline/engine_messages.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// The reason that the first name in Processor::reasons() stands for. The reasons below are cueline's own: see Reason.
inline constexpr std::uint32_t first_own_reason = 256;

/// What ProcessContext::schedule() did.
enum class Scheduled : std::uint8_t {
    ok,
    full,          ///< its line has no room in the schedule, or the block has scheduled as much as it may
    not_later,     ///< the frame is not later than the one that is rendered next
    not_handling,  ///< no command is being handled: only handle() can schedule
    own_kind,      ///< the message is of a kind below kind::first_processor
};

/// What Processor::handle() returns. The command's confirmation shows it.
struct Outcome {
    enum class Result : std::uint8_t { unknown, applied, refused, deferred };

    Result result = Result::unknown;
    std::uint32_t value = 0;  ///< if applied: the processor's own; if refused: the reason

    /// True: applied. False: the processor does not handle this kind, or rejected the values.
    template <std::same_as<bool> Bool>
    constexpr Outcome(Bool handled) noexcept CUELINE_NONBLOCKING  // NOLINT(*-explicit-*): simple processors return it
        : result{handled ? Result::applied : Result::unknown} {}

    /// Deferred if it was scheduled, else refused.
    constexpr Outcome(Scheduled scheduled) noexcept CUELINE_NONBLOCKING  // NOLINT(*-explicit-*): to return it as it is
        : Outcome{of(scheduled)} {}

    /// The command took effect. The confirmation shows `value`.
    static constexpr Outcome applied(std::uint32_t value = 0) noexcept CUELINE_NONBLOCKING {
        return {Result::applied, value};
    }

    /// The command did not take effect. `reason`, a number or an enumerator, is first_own_reason plus the index of its
    /// name in Processor::reasons().
    template <class Why>
    static constexpr Outcome refused(Why reason) noexcept CUELINE_NONBLOCKING {
        return {Result::refused, static_cast<std::uint32_t>(reason)};
    }

    /// A message that handle() has scheduled acts in the command's place. The confirmation comes later, with the
    /// outcome of that message; if there are several, with the outcome of the last one.
    static constexpr Outcome deferred() noexcept CUELINE_NONBLOCKING { return {Result::deferred, 0}; }

  private:
    constexpr Outcome(Result its_result, std::uint32_t its_value) noexcept CUELINE_NONBLOCKING : result{its_result},
                                                                                                 value{its_value} {}

    static constexpr Outcome of(Scheduled scheduled) noexcept CUELINE_NONBLOCKING {
        switch (scheduled) {
            case Scheduled::ok:
                return deferred();
            case Scheduled::full:
                return refused(Reason::schedule_full);
            case Scheduled::not_later:
                return refused(Reason::late);
            case Scheduled::not_handling:
            case Scheduled::own_kind:
                break;
        }
        return {Result::unknown, 0};
    }
};

}  // namespace cueline
