// audio_side.hpp: the audio thread's end of a link: commands come down, events and confirmations go up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include <cueline/backlog.hpp>
#include <cueline/counted_ring.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>

namespace cueline {

/// What an event answers: a command, or nothing. A processor that answers later keeps the cause.
struct Cause {
    constexpr Cause() noexcept CUELINE_NONBLOCKING = default;
    // NOLINTNEXTLINE(*-explicit-*): a command is a cause
    constexpr Cause(const Message& command) noexcept CUELINE_NONBLOCKING : sequence{command.sequence},
                                                                           line{command.line} {}

    std::uint32_t sequence = 0;
    std::uint8_t line = 0;
};

/// Sends events to the control side, for instance a processor's answers. All calls are for the audio thread, and
/// wait-free.
class EventSender {
  public:
    /// Sends an event of this kind, stamped with the frame that is rendered next. It answers `cause`.
    /// Returns Status::full, and counts a dropped event, if the ring is full.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, Cause cause = {}) noexcept CUELINE_NONBLOCKING {
        return send_at(frame_, kind, payload, cause);
    }

    /// Like send(), but stamped with `frame`: for an event inside the segment that is being rendered.
    template <class Payload>
    Status send_at(std::uint64_t frame, Kind kind, const Payload& payload, Cause cause = {}) noexcept
        CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.sequence = cause.sequence;
        message.line = cause.line;
        message.frame = frame;
        return events_.push(message);
    }

    /// Returns the frame that is rendered next.
    [[nodiscard]] std::uint64_t frame() const noexcept CUELINE_NONBLOCKING { return frame_; }

  private:
    friend class AudioSide;  // makes it, and sets the frame
    explicit EventSender(CountedRing& ring) : events_{ring} {}

    CountedProducer events_;
    std::uint64_t frame_ = 0;
};

inline constexpr std::uint32_t default_budget = 256;  ///< commands a block

/// The audio thread's end of a link. One thread at a time uses it; all calls but the constructor and take_ahead() are
/// wait-free and happen inside a block.
class AudioSide {
  public:
    /// `budget` is the most commands to read in a block. The others wait for the next block.
    /// [control thread] Throws EndTakenError if the link has a living audio side.
    explicit AudioSide(Link& link, std::uint32_t budget = default_budget)
        : AudioSide{link, budget, std::make_index_sequence<max_lines>{}} {}

    /// Takes the commands of `line` out of their ring, so that the ring has room. From now on, blocks read the commands
    /// that were taken ahead, all of them, and no others. For an engine without deadlines, between two blocks.
    /// Allocates.
    void take_ahead(std::size_t line) {
        budget_ = std::numeric_limits<std::uint32_t>::max();
        taken_ahead_ = true;
        backlogs_[line].take(link_->commands(line), commands_[line]);
    }

    /// Does the same for all lines. Returns how many commands the next block will read.
    std::size_t take_ahead() {
        std::size_t commands = 0;
        for (std::size_t line = 0; line < link_->lines_in_use(); ++line) {
            take_ahead(line);
            commands += backlogs_[line].size();
        }
        return commands;
    }

    /// Begins the block whose first frame is `frame`, with a full budget.
    void begin_block(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        go_to(frame);
        left_in_block_ = budget_;
        lines_ = link_->lines_in_use();
        for (std::size_t line = 0; line < lines_; ++line) link_->commands(line).note_level();  // before we drain it
    }

    /// Takes a command into `command`. The lines take turns, one command each.
    /// Returns Status::empty if no command waits or the budget is spent.
    Status receive(Message& command) noexcept CUELINE_NONBLOCKING {
        if (left_in_block_ == 0) return Status::empty;
        for (std::uint32_t looked_at = 0; looked_at < lines_; ++looked_at) {
            current_line_ = next_line_;
            next_line_ = next_line_ + 1 < lines_ ? next_line_ + 1 : 0;
            if (pop(command) == Status::ok) {
                --left_in_block_;
                return Status::ok;
            }
        }
        return Status::empty;
    }

    /// Takes the next command of the line that the last command came from, even if the budget is spent: a transaction's
    /// members come with its header. Returns Status::empty if there is none.
    Status receive_member(Message& command) noexcept CUELINE_NONBLOCKING {
        if (left_in_block_ > 0) --left_in_block_;
        return pop(command);
    }

    /// Sets the frame that is rendered next: events are stamped with it.
    void go_to(std::uint64_t frame) noexcept CUELINE_NONBLOCKING { events_.frame_ = frame; }

    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return events_; }

    /// Confirms `command` if it has delivery::confirm. If the ring of confirmations is full, counts a dropped one.
    template <class Outcome>
    void confirm(Kind kind, const Outcome& outcome, const Message& command) noexcept CUELINE_NONBLOCKING {
        if ((command.flags & delivery::confirm) == 0) return;
        Message confirmation = Message::of(kind, outcome);
        confirmation.set_origin(command.line, command.sequence);
        confirmation.frame = events_.frame();
        confirmations_.push(confirmation);
    }

    void end_block() noexcept CUELINE_NONBLOCKING {
        link_->events().note_level();  // after all were sent
        link_->confirmations().note_level();
    }

  private:
    template <std::size_t... Lines>
    AudioSide(Link& link, std::uint32_t budget, std::index_sequence<Lines...>)
        : link_{&link},
          commands_{Consumer<MessageRing>{link.commands(Lines).messages}...},
          events_{link.events()},
          confirmations_{link.confirmations()},
          budget_{budget} {}

    Status pop(Message& command) noexcept CUELINE_NONBLOCKING {
        const Status status =
            taken_ahead_ ? backlogs_[current_line_].try_pop(command) : commands_[current_line_].try_pop(command);
        // Overwrites what the sender put there, because the line is used as an index from here on.
        if (status == Status::ok) command.line = static_cast<std::uint8_t>(current_line_);
        return status;
    }

    Link* link_;
    std::array<Consumer<MessageRing>, max_lines> commands_;
    std::array<Backlog, max_lines> backlogs_;
    EventSender events_;
    CountedProducer confirmations_;
    std::uint32_t budget_;
    bool taken_ahead_ = false;
    std::uint32_t left_in_block_ = 0;
    std::uint32_t lines_ = 1;  // to read in this block
    std::uint32_t next_line_ = 0;
    std::uint32_t current_line_ = 0;
};

}  // namespace cueline
