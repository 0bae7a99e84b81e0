// audio_side.hpp: the audio thread's end of a link: commands come down, events go up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <cueline/link.hpp>
#include <cueline/message.hpp>

namespace cueline {

/// What an event answers: a command, or nothing. Who answers later keeps it.
struct Cause {
    constexpr Cause() noexcept CUELINE_NONBLOCKING = default;
    // NOLINTNEXTLINE(*-explicit-*): a command is a cause
    constexpr Cause(const Message& command) noexcept CUELINE_NONBLOCKING : sequence{command.sequence},
                                                                           line{command.line} {}

    std::uint32_t sequence = 0;
    std::uint8_t line = 0;
};

/// Sends events from the audio thread: what a processor gets to answer with.
class EventSender {
  public:
    /// Sends an event of this kind, stamped with the frame that is being rendered next. It answers `cause`.
    /// Thread: audio. Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when the ring is full: the event is dropped and counted.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, Cause cause = {}) noexcept CUELINE_NONBLOCKING {
        return send_at(frame_, kind, payload, cause);
    }

    /// Likewise, stamped with `frame`: for what arises within the part of a block that is being rendered.
    template <class Payload>
    Status send_at(std::uint64_t frame, Kind kind, const Payload& payload, Cause cause = {}) noexcept
        CUELINE_NONBLOCKING {
        return push(events_, *events_dropped_, stamped(Message::of(kind, payload), frame, cause));
    }

    /// Where the audio is: what events are stamped with. Thread: audio. Real-time: wait-free.
    [[nodiscard]] std::uint64_t frame() const noexcept CUELINE_NONBLOCKING { return frame_; }

  private:
    friend class AudioSide;
    explicit EventSender(Link& link) : events_{link.events_.ring}, events_dropped_{&link.events_.dropped} {}

    static Message stamped(Message message, std::uint64_t frame, Cause cause) noexcept CUELINE_NONBLOCKING {
        message.sequence = cause.sequence;
        message.line = cause.line;
        message.frame = frame;
        return message;
    }

    static Status push(Producer<EventRing>& ring, Counter& dropped, const Message& message) noexcept
        CUELINE_NONBLOCKING {
        const Status status = ring.try_push(message);
        if (status == Status::full) dropped.add(1);
        return status;
    }

    Producer<EventRing> events_;
    Counter* events_dropped_;
    std::uint64_t frame_ = 0;
};

inline constexpr std::uint32_t default_budget = 256;  // messages a block

/// The audio thread's end of a link: receives commands of all lines, sends events. One thread at a time uses it.
class AudioSide {
  public:
    /// Takes the audio end, to read at most `budget` commands a block; the rest waits for the next one.
    /// Throws EndTakenError when the link has a living audio side.
    explicit AudioSide(Link& link, std::uint32_t budget = default_budget)
        : AudioSide{link, budget, std::make_index_sequence<max_lines>{}} {}

    /// Begins the block whose first frame is `frame`: a fresh budget.
    /// Thread: audio. Real-time: wait-free.
    void begin_block(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        go_to(frame);
        left_in_block_ = budget_;
        lines_ = link_->lines_in_use_.load(std::memory_order_relaxed);  // relaxed: see CommandSender
        for (std::size_t line = 0; line < lines_; ++line) link_->lines_[line].note_level();  // before we drain it
    }

    /// Takes a command into `command`: each line's oldest in its turn, one of each. Returns Status::empty when none
    /// waits or the budget is spent.
    /// Thread: audio, inside a block. Real-time: wait-free; no allocation, lock or system call.
    Status receive(Message& command) noexcept CUELINE_NONBLOCKING {
        if (left_in_block_ == 0) return Status::empty;
        for (std::uint32_t looked_at = 0; looked_at < lines_; ++looked_at) {
            current_line_ = next_line_;
            next_line_ = next_line_ + 1 < lines_ ? next_line_ + 1 : 0;
            if (commands_[current_line_].try_pop(command) == Status::ok) {
                command.line =
                    static_cast<std::uint8_t>(current_line_);  // whatever stands there: it is an index from here on
                --left_in_block_;
                return Status::ok;
            }
        }
        return Status::empty;
    }

    /// Takes the next command of the line that the last one came by, whatever the budget: a transaction's members came
    /// with it. Returns Status::empty when there is none.
    /// Thread: audio, inside a block. Real-time: wait-free.
    Status receive_member(Message& command) noexcept CUELINE_NONBLOCKING {
        if (left_in_block_ > 0) --left_in_block_;
        const Status status = commands_[current_line_].try_pop(command);
        if (status == Status::ok) command.line = static_cast<std::uint8_t>(current_line_);
        return status;
    }

    /// From now on it is `frame` that is rendered next: what events are stamped with.
    /// Thread: audio, inside a block. Real-time: wait-free.
    void go_to(std::uint64_t frame) noexcept CUELINE_NONBLOCKING { events_.frame_ = frame; }

    /// Where events are sent. Thread: audio. Real-time: wait-free.
    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return events_; }

    /// Tells what became of `command` to who sent it, if that was asked for.
    /// Thread: audio. Real-time: wait-free; no allocation, lock or system call. Where more confirmations are under way
    /// than a ring holds, it is dropped and counted.
    template <class Outcome>
    void confirm(Kind kind, const Outcome& outcome, const Message& command) noexcept CUELINE_NONBLOCKING {
        if ((command.flags & delivery::confirm) == 0) return;
        EventSender::push(confirmations_, link_->confirmations_.dropped,
                          EventSender::stamped(Message::of(kind, outcome), events_.frame(), command));
    }

    /// Ends the block. Thread: audio. Real-time: wait-free.
    void end_block() noexcept CUELINE_NONBLOCKING {
        link_->events_.note_level();  // after all were sent
        link_->confirmations_.note_level();
    }

  private:
    template <std::size_t... Lines>
    AudioSide(Link& link, std::uint32_t budget, std::index_sequence<Lines...>)
        : link_{&link},
          commands_{Consumer<CommandRing>{link.lines_[Lines].ring}...},
          events_{link},
          confirmations_{link.confirmations_.ring},
          budget_{budget} {}

    Link* link_;
    std::array<Consumer<CommandRing>, max_lines> commands_;
    EventSender events_;
    Producer<EventRing> confirmations_;
    std::uint32_t budget_;
    std::uint32_t left_in_block_ = 0;
    std::uint32_t lines_ = 1;         // those to look at in this block
    std::uint32_t next_line_ = 0;     // whose turn it is
    std::uint32_t current_line_ = 0;  // whose it was
};

}  // namespace cueline
