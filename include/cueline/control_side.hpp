// control_side.hpp: the control threads' end of a link: commands go down, events and confirmations come up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <cueline/counted_ring.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/sequence.hpp>

namespace cueline {

/// How to deliver a command.
struct Delivery {
    std::uint64_t frame = 0;  ///< at which it applies; 0: as soon as it is read
    std::uint8_t flags = 0;   ///< bits of namespace delivery
};

/// Sends commands on one line of a link. One control thread at a time uses it. All calls but the constructor are
/// wait-free, and do not allocate, lock or call the system.
class CommandSender {
  public:
    /// Takes the sending end of a line. The numbers go on where the line's last sender stopped.
    /// [control thread] Throws EndTakenError if the line has a living sender.
    CommandSender(Link& link, std::size_t line)
        : link_{&link},
          commands_{link.commands(line)},
          line_{static_cast<std::uint8_t>(line)},
          sequence_{last_sequence(link.commands(line).messages.tail())} {
        link.use_line(line);
    }

    /// Sends a ping with the time of the monotonic clock. The audio side answers with a pong.
    /// Reading the clock is a system call only if the kernel does not offer it in user space (vDSO).
    Status ping() noexcept { return send(kind::ping, Ping{monotonic_ns()}); }

    /// Sends a command of this kind. Returns Status::full, and counts a dropped command, if the ring is full.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, const Delivery& delivery = {}) noexcept CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        return commands_.counted(try_send(message));
    }

    /// Sets the line and sequence of `message`, and sends it. If the ring is full, returns Status::full and counts
    /// nothing. If you do not try again, call count_dropped().
    Status try_send(Message& message) noexcept CUELINE_NONBLOCKING {
        const std::uint32_t sequence = sequence_after(sequence_);
        message.set_origin(line_, sequence);
        const Status status = commands_.try_push(message);
        if (status == Status::ok) sequence_ = sequence;
        return status;
    }

    /// Sends the commands that `make` makes one by one: as many as there is room for, at most `most`. `make` returns a
    /// pointer to a Message, and this function sets its line and sequence. If `make` returns a null pointer, nothing is
    /// sent: see Producer::produce(). Returns how many the ring accepted. The others are not counted as dropped.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `make`.
    template <class Make>
    std::size_t try_send_each(Make&& make, std::size_t most) noexcept {
        std::uint32_t sequence = sequence_;
        const auto numbered = [&](std::size_t place) noexcept -> const Message* {
            Message* const message = make(place);
            if (message == nullptr) return nullptr;
            sequence = sequence_after(sequence);
            message->set_origin(line_, sequence);
            return message;
        };
        const std::size_t accepted = commands_.produce(numbered, most);
        if (accepted > 0) sequence_ = sequence;
        return accepted;
    }

    /// Sends 1 to max_members messages as a transaction: all are accepted or none, and the audio thread applies them in
    /// one block at one frame, in their order. Their own flags and frames are ignored.
    /// Returns the transaction's sequence, by which cancels and confirmations name it as a whole. If the ring has no
    /// room for all, returns 0 and counts nothing. The transaction takes one sequence, and each member another.
    /// The time is proportional to the number of members.
    std::uint32_t try_send_whole(std::span<const Message> members, const Delivery& delivery = {}) noexcept
        CUELINE_NONBLOCKING {
        const std::size_t all = members.size() + 1;
        if (room() < all) return 0;
        const std::uint32_t sequence = sequence_after(sequence_);
        Message next = Message::of(Transaction{static_cast<std::uint32_t>(members.size())});
        next.frame = delivery.frame;
        next.flags = delivery.flags;
        const auto header_then_members = [&](std::size_t place) noexcept {
            if (place > 0) next = members[place - 1];
            return &next;
        };
        try_send_each(header_then_members, all);
        return sequence;
    }

    /// Returns how many commands fit, at least: the audio side may have made more room meanwhile.
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING { return commands_.room(); }

    /// Counts commands as dropped. Call it when you give up commands that a try_ function did not send.
    void count_dropped(std::uint64_t commands) noexcept CUELINE_NONBLOCKING { commands_.count_dropped(commands); }

    /// Cancels the cue with this sequence that was sent on this line; a transaction is cancelled as a whole. Does
    /// nothing if no such cue waits. Returns what send() returns.
    Status cancel(std::uint32_t sequence) noexcept CUELINE_NONBLOCKING { return send(kind::cancel, Cancel{sequence}); }

    /// Cancels the cues that were sent before, on this line or on all lines. Later commands and commands without a
    /// frame are unaffected. Returns what send() returns.
    Status cancel_all(bool every_line = false) noexcept CUELINE_NONBLOCKING {
        CancelAll cancel{};
        for (std::size_t line = 0; line < max_lines; ++line) {
            if (every_line) cancel.up_to[line] = last_sequence(link_->commands(line).messages.tail());
        }
        cancel.up_to[line_] = sequence_;
        return send(kind::cancel_all, cancel);
    }

    /// Returns the sequence of the last command that this line accepted, or 0 if there is none. After a transaction,
    /// that is its last member.
    [[nodiscard]] std::uint32_t sequence() const noexcept { return sequence_; }

    /// [any thread] Returns the number of this line, below max_lines.
    [[nodiscard]] std::uint8_t line() const noexcept { return line_; }

  private:
    const Link* link_;
    CountedProducer commands_;
    std::uint8_t line_;
    std::uint32_t sequence_;  // of the last accepted command
};

/// The control threads' end of a link: sends on line 0, and receives. One thread at a time sends, and one receives.
class ControlSide : public CommandSender {
  public:
    /// [control thread] Throws EndTakenError if the link has a living control side.
    explicit ControlSide(Link& link)
        : CommandSender{link, 0},
          event_ring_{&link.events().messages},
          events_{link.events().messages},
          confirmations_{link.confirmations().messages} {}

    /// Takes the oldest event into `event`. If there is none, returns Status::empty and leaves `event` as it is.
    Status receive(Message& event) noexcept CUELINE_NONBLOCKING { return events_.try_pop(event); }

    /// Takes the oldest events, as many as wait and fit into `events`. Returns how many.
    std::size_t receive(std::span<Message> events) noexcept CUELINE_NONBLOCKING { return events_.try_pop(events); }

    /// Returns how many events wait. A receive() by this thread finds at least that many.
    [[nodiscard]] std::size_t waiting() const noexcept CUELINE_NONBLOCKING { return event_ring_->size(); }

    /// Takes the oldest confirmation: an Applied or a Refused with the line and sequence of a command that was sent
    /// with delivery::confirm. Returns Status::empty if there is none.
    Status receive_confirmation(Message& confirmation) noexcept CUELINE_NONBLOCKING {
        return confirmations_.try_pop(confirmation);
    }

  private:
    const MessageRing* event_ring_;
    Consumer<MessageRing> events_;
    Consumer<MessageRing> confirmations_;
};

/// Opens a line for another thread. The audio side still reads what a line accepted before it was closed.
/// [control threads, several at once] Throws LinesTakenError if all lines are open.
inline CommandSender open_line(Link& link) {
    for (std::size_t line = 1; line < max_lines; ++line) {
        try {
            return CommandSender{link, line};
        } catch (const EndTakenError&) {
            continue;  // try the next line
        }
    }
    throw LinesTakenError{"all " + std::to_string(max_lines - 1) + " lines are open: close one first"};
}

}  // namespace cueline
