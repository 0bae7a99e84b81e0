// control_side.hpp: the control thread's end of a link: commands go down, events come up.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <cueline/error.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>

namespace cueline {

/// The number of the command after the one numbered `sequence`: 0 stands for none and is left out.
/// Thread: any. Real-time: wait-free.
constexpr std::uint32_t sequence_after(std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
    return sequence == ~std::uint32_t{0} ? 1 : sequence + 1;
}

/// The number of the last of so many commands on a line; 0 when there are none.
/// Thread: any. Real-time: wait-free.
constexpr std::uint32_t last_sequence(std::uint64_t accepted) noexcept CUELINE_NONBLOCKING {
    return accepted == 0 ? 0 : static_cast<std::uint32_t>((accepted - 1) % ~std::uint32_t{0}) + 1;
}

/// Whether the first of two numbers of one line, not half of all numbers apart, is the later one.
/// Thread: any. Real-time: wait-free.
constexpr bool is_later(std::uint32_t sequence, std::uint32_t than) noexcept CUELINE_NONBLOCKING {
    return static_cast<std::int32_t>(sequence - than) > 0;
}

/// What is asked of a command's delivery: the frame at which it is to apply, 0 for as soon as it is read, and bits of
/// namespace delivery.
struct Delivery {
    std::uint64_t frame = 0;
    std::uint8_t flags = 0;
};

inline constexpr std::size_t max_members = 256;  ///< of a transaction

/// Sends commands on one line of a link. One thread at a time uses it.
class CommandSender {
  public:
    /// Takes the sending end of a line. Thread: control. Throws EndTakenError when somebody holds it.
    CommandSender(Link& link, std::size_t line)
        : link_{&link},
          line_{&link.lines_[line]},
          commands_{line_->ring},
          number_{static_cast<std::uint8_t>(line)},
          sequence_{last_sequence(line_->ring.tail())} {
        // The greatest ever: several threads may open lines at once. Relaxed: a ring orders its own messages, and a
        // line that the audio side learns of a block later loses nothing.
        std::uint32_t known = link.lines_in_use_.load(std::memory_order_relaxed);
        while (known <= line && !link.lines_in_use_.compare_exchange_weak(known, static_cast<std::uint32_t>(line) + 1,
                                                                          std::memory_order_relaxed)) {
        }
    }

    /// Sends a command of this kind, numbered in the order of acceptance.
    /// Thread: control, one at a time. Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when the ring is full: the command is dropped and counted.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, const Delivery& delivery = {}) noexcept CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        const Status status = try_send(message);
        if (status == Status::full) count_dropped(1);
        return status;
    }

    /// Sends `message` with the kind, payload, frame and flags that it has. It gets its sequence and line here.
    /// Thread: control, one at a time. Real-time: wait-free.
    /// Returns Status::full when the ring is full. That is not counted: who does not try again calls count_dropped().
    Status try_send(Message& message) noexcept CUELINE_NONBLOCKING {
        const std::uint32_t sequence = sequence_after(sequence_);
        message.set_origin(number_, sequence);
        const Status status = commands_.try_push(message);
        if (status == Status::ok) sequence_ = sequence;
        return status;
    }

    /// Sends the commands that `make` makes one by one, as many as there is room for, at most `most`; or none: see
    /// Producer::produce(). They keep their kind, payload, frame and flags, and get their sequence and line here;
    /// so what `make` points to is a Message that may be written to.
    /// Thread: control, one at a time.
    /// Real-time: as `make` is (it bears no mark, so that clang judges each use by it).
    /// Returns how many were accepted. The others are not counted: see try_send().
    template <class Make>
    std::size_t try_send_each(Make&& make, std::size_t most) noexcept {
        std::uint32_t sequence = sequence_;
        const auto numbered = [&](std::size_t place) noexcept -> const Message* {
            Message* const message = make(place);
            if (message == nullptr) return nullptr;
            sequence = sequence_after(sequence);
            message->set_origin(number_, sequence);
            return message;
        };
        const std::size_t accepted = commands_.produce(numbered, most);
        if (accepted > 0) sequence_ = sequence;
        return accepted;
    }

    /// Sends `members` together: they are accepted as a whole or not at all, and applied in one block at one frame, in
    /// their order. What their messages ask of their own delivery counts for nothing. The transaction takes a
    /// sequence, and then each member.
    /// Thread: control, one at a time. Real-time: wait-free, in steps proportional to the number. 1 to max_members
    /// members. Returns the transaction's sequence, which stands for all of it when it is confirmed or cancelled; or 0
    /// when they do not all fit. That is not counted: see try_send().
    std::uint32_t try_send_whole(std::span<const Message> members, const Delivery& delivery = {}) noexcept
        CUELINE_NONBLOCKING {
        const std::size_t all = members.size() + 1;
        if (room() < all) return 0;
        const std::uint32_t sequence = sequence_after(sequence_);
        Message next = Message::of(kind::transaction, Transaction{static_cast<std::uint32_t>(members.size())});
        next.frame = delivery.frame;
        next.flags = delivery.flags;
        const auto header_then_members = [&](std::size_t place) noexcept {
            if (place > 0) next = members[place - 1];
            return &next;
        };
        try_send_each(header_then_members, all);
        return sequence;
    }

    /// How many commands there is room for, at the least: the audio side may have read more meanwhile.
    /// Thread: control, one at a time. Real-time: wait-free.
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING {
        // To the producer's thread a ring never says that it holds less than it does.
        return CommandRing::capacity - line_->ring.size();
    }

    /// Counts `number` commands as dropped. Thread: control, one at a time. Real-time: wait-free.
    void count_dropped(std::uint64_t number) noexcept CUELINE_NONBLOCKING { line_->dropped.add(number); }

    /// Sends a ping, stamped with std::chrono::steady_clock. The audio side answers with a pong.
    /// Thread: control, one at a time. It never blocks; it reads the clock, which on Linux is no system call
    /// where the kernel offers it in user space (vDSO). Returns Status::full when dropped, and counts it.
    Status ping() noexcept { return send(kind::ping, Ping{monotonic_ns()}); }

    /// Forgets the cue of that sequence that was sent on this line; a transaction's goes with its members. When it has
    /// been applied, or never was, nothing happens. Thread, real-time and return as send().
    Status cancel(std::uint32_t sequence) noexcept CUELINE_NONBLOCKING { return send(kind::cancel, Cancel{sequence}); }

    /// Forgets all cues that were sent before: on this line, or on every line, if so wanted. What is sent later stays,
    /// and so does what has no frame. Likewise.
    Status cancel_all(bool every_line = false) noexcept CUELINE_NONBLOCKING {
        CancelAll cancel{};
        for (std::size_t line = 0; line < max_lines; ++line) {
            if (every_line) cancel.up_to[line] = last_sequence(link_->lines_[line].ring.tail());
        }
        cancel.up_to[number_] = sequence_;
        return send(kind::cancel_all, cancel);
    }

    /// The number of the last command accepted on this line, 0 before the first; of a transaction that was the last,
    /// the last member's. Thread: control, one at a time.
    [[nodiscard]] std::uint32_t sequence() const noexcept { return sequence_; }

    /// Which line it is: below max_lines. Thread: any.
    [[nodiscard]] std::uint8_t line() const noexcept { return number_; }

  private:
    const Link* link_;
    Link::CountedRing* line_;
    Producer<CommandRing> commands_;
    std::uint8_t number_;
    std::uint32_t sequence_;  // of the last command accepted: a new sender goes on where the last one stopped
};

/// The control thread's end of a link: sends commands on the link's own line, receives events and confirmations. One
/// thread at a time sends, and one receives.
class ControlSide : public CommandSender {
  public:
    /// Takes the control end. Throws EndTakenError when the link has a living control side.
    explicit ControlSide(Link& link)
        : CommandSender{link, 0},
          event_ring_{&link.events_.ring},
          events_{link.events_.ring},
          confirmations_{link.confirmations_.ring} {}

    /// Takes the oldest event into `event`, or returns Status::empty and leaves it as it is.
    /// Thread: control, one at a time. Real-time: wait-free; no allocation, lock or system call.
    Status receive(Message& event) noexcept CUELINE_NONBLOCKING { return events_.try_pop(event); }

    /// Takes the oldest events, as many as wait and as `events` has room for. Likewise. Returns how many it took.
    std::size_t receive(std::span<Message> events) noexcept CUELINE_NONBLOCKING { return events_.try_pop(events); }

    /// How many events wait: so many will be found, if nobody takes them meanwhile.
    /// Thread: control, the one that receives. Real-time: wait-free.
    [[nodiscard]] std::size_t waiting() const noexcept CUELINE_NONBLOCKING { return event_ring_->size(); }

    /// Takes the oldest confirmation: what became of a command that was sent with delivery::confirm, an Applied or a
    /// Refused with its line and sequence. Likewise.
    Status receive_confirmation(Message& confirmation) noexcept CUELINE_NONBLOCKING {
        return confirmations_.try_pop(confirmation);
    }

  private:
    const EventRing* event_ring_;
    Consumer<EventRing> events_;
    Consumer<EventRing> confirmations_;
};

/// Another thread's way to the same audio side: a line of its own, one of max_lines - 1. What it accepted before it
/// died is read all the same. Thread: control, any number of them at once. Throws LinesTakenError when all are open.
inline CommandSender open_line(Link& link) {
    for (std::size_t line = 1; line < max_lines; ++line) {
        try {
            return CommandSender{link, line};
        } catch (const EndTakenError&) {
            continue;  // the next one then
        }
    }
    throw LinesTakenError{"all " + std::to_string(max_lines - 1) + " lines are open: close one first"};
}

}  // namespace cueline
