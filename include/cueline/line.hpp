// line.hpp: a control thread's end of a line: commands go down, the events and confirmations that answer them come up.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// How to deliver a command.
struct Delivery {
    std::uint64_t frame = 0;  ///< at which it applies; 0: as soon as it is read
    std::uint8_t flags = 0;   ///< bits of namespace delivery

    [[nodiscard]] constexpr bool is_cue() const noexcept CUELINE_NONBLOCKING { return frame != 0 || has_beat(flags); }
};

/// At `beat`, which is 0 or more.
constexpr Delivery at_beat(double beat, std::uint8_t flags = 0) noexcept CUELINE_NONBLOCKING {
    return {std::bit_cast<std::uint64_t>(beat), static_cast<std::uint8_t>(flags | delivery::beat)};
}

/// At the first multiple of `beats`, which is above 0, after the audio thread has read the command.
constexpr Delivery at_grid(double beats, std::uint8_t flags = 0) noexcept CUELINE_NONBLOCKING {
    return {std::bit_cast<std::uint64_t>(beats), static_cast<std::uint8_t>(flags | delivery::grid)};
}

/// At the first bar line after the audio thread has read the command.
constexpr Delivery at_bar(std::uint8_t flags = 0) noexcept CUELINE_NONBLOCKING {
    return at_grid(0, flags);
}

/// Which events a line receives, beside those that answer its commands.
enum class Events : std::uint8_t {
    own,  ///< none; but line 0 receives the events that answer no command of an open line
    all,  ///< also the events that answer no command of an open line
};

/// Which lines may be opened: a bit for each, see line_bit().
struct AmongLines {
    std::uint64_t bits = ~std::uint64_t{0};
};

/// Holds a line for one owner.
class LineClaim {
  public:
    /// Throws ArgumentError if the link has no such line, EndTakenError if the line has an owner.
    LineClaim(const Link& link, std::size_t number)
        : LineClaim{takes(link, line_bit(checked_number(link, number))) ? &link.header() : nullptr, number} {
        if (header_ == nullptr) {
            throw_or_end(EndTakenError{"this line has a living owner already: destroy it first, or move it"});
        }
    }

    /// Returns nothing if the line has an owner.
    static std::optional<LineClaim> try_claim(const Link& link, std::size_t number) noexcept {
        if (!takes(link, line_bit(number))) return std::nullopt;
        return LineClaim{&link.header(), number};
    }

    /// Claims the first line from line 1 on that has no owner, of those in `among`. Throws LinesTakenError if all have
    /// one.
    explicit LineClaim(const Link& link, AmongLines among = {}) : LineClaim{&link.header(), claim_first(link, among)} {}

    LineClaim(LineClaim&& other) noexcept : header_{std::exchange(other.header_, nullptr)}, number_{other.number_} {}
    LineClaim& operator=(LineClaim&& other) noexcept {
        std::swap(header_, other.header_);
        std::swap(number_, other.number_);
        return *this;
    }
    ~LineClaim() {
        if (header_ == nullptr) return;
        stop_events();
        // Release: what the owner did to the line comes before the next owner's use; it pairs with the acquire in
        // takes().
        header_->claimed_lines.fetch_and(~line_bit(number_), std::memory_order_release);
    }

    [[nodiscard]] std::uint8_t number() const noexcept { return number_; }

    /// Lets the audio side read the line's commands, and send events to it.
    void open(Events events) noexcept {
        // Relaxed: in the beginning, the line may get one event more or less.
        if (events == Events::all) header_->all_events.fetch_or(line_bit(number_), std::memory_order_relaxed);
        // Release publishes the line's touched pages and opened_at; it pairs with the acquires in EventSender.
        header_->used_lines.fetch_or(line_bit(number_), std::memory_order_release);
        header_->open_lines.fetch_or(line_bit(number_), std::memory_order_release);
    }

    void stop_events() noexcept {
        // Relaxed: the line may get one event more.
        header_->all_events.fetch_and(~line_bit(number_), std::memory_order_relaxed);
        if (number_ != 0) header_->open_lines.fetch_and(~line_bit(number_), std::memory_order_relaxed);
    }

  private:
    LineClaim(LinkHeader* header, std::size_t number) noexcept
        : header_{header}, number_{static_cast<std::uint8_t>(number)} {}

    static std::size_t checked_number(const Link& link, std::size_t number) {
        if (number < link.lines()) return number;
        throw_or_end(ArgumentError{"a line must be from 0 to " + std::to_string(link.lines() - 1) + ", got " +
                                   std::to_string(number)});
    }

    static bool takes(const Link& link, std::uint64_t line) noexcept {
        // Acquire pairs with the release in the destructor.
        return (link.header().claimed_lines.fetch_or(line, std::memory_order_acquire) & line) == 0;
    }

    static std::size_t claim_first(const Link& link, AmongLines among) {
        for (std::size_t number = 1; number < link.lines(); ++number) {
            if ((among.bits & line_bit(number)) != 0 && takes(link, line_bit(number))) return number;
        }
        throw_or_end(LinesTakenError{"all " + std::to_string(link.lines()) +
                                     " lines are open, the engine's own among them: close one, or declare more "
                                     "(AudioEngine(lines=...), at most " +
                                     std::to_string(max_lines) + ")"});
    }

    LinkHeader* header_;
    std::uint8_t number_;
};

/// One sender's connection to the audio side. One control thread at a time sends, and one receives. All calls but the
/// constructors are wait-free, and do not allocate, lock or call the system. It is movable and not copyable.
class Line {
  public:
    /// Takes a line, by default line 0, which an engine keeps for itself. Sequences go on where the line's last owner
    /// stopped; events that it did not receive are discarded. Throws ArgumentError if the link has no such line,
    /// EndTakenError if the line has an owner.
    explicit Line(const Link& link, std::size_t number = 0, Events events = Events::own)
        : Line{link, LineClaim{link, number}, events} {}

    /// Takes a line that was claimed.
    Line(const Link& link, LineClaim claim, Events events = Events::own)
        : link_{link},
          claim_{std::move(claim)},
          commands_{shared().commands.messages, already_claimed},
          sequence_{last_sequence(shared().commands.messages.tail())},
          events_{shared().events.messages, already_claimed},
          confirmations_{shared().confirmations.messages, already_claimed} {
        discarded_ = events_.consume([](const Message&) noexcept {});
        // Relaxed: open() publishes it.
        shared().opened_at.store(shared().commands.messages.tail(), std::memory_order_relaxed);
        claim_.open(events);
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
        const Status status = try_send(message);
        if (status == Status::full) count_dropped(1);
        return status;
    }

    /// Sets the line and sequence of `message`, and sends it. If the ring is full, returns Status::full and counts
    /// nothing. If you do not try again, call count_dropped().
    Status try_send(Message& message) noexcept CUELINE_NONBLOCKING {
        const std::uint32_t sequence = sequence_after(sequence_);
        message.set_origin(number(), sequence);
        const Status status = commands_.try_push(message);
        if (status == Status::ok) sequence_ = sequence;
        return status;
    }

    /// Sends commands that `fill` writes in place: as many as there is room for, at most `most`. `fill(place, command)`
    /// writes all of a Message but its line and sequence, which this function sets. If it returns false, nothing is
    /// sent: see Producer::produce(). Returns how many the ring accepted. The others are not counted as dropped.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `fill`.
    template <class Fill>
    std::size_t try_send_each(Fill fill, std::size_t most) noexcept {
        const auto numbered = [fill, line = number(), last = sequence_](std::size_t place, Message& command) noexcept {
            if (!fill(place, command)) return false;
            command.set_origin(line, sequence_after(last, static_cast<std::uint32_t>(place + 1)));
            return true;
        };
        const std::size_t accepted = commands_.produce(numbered, most);
        if (accepted > 0) sequence_ = sequence_after(sequence_, static_cast<std::uint32_t>(accepted));
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
        Message header = Message::of(Transaction{static_cast<std::uint32_t>(members.size())});
        header.frame = delivery.frame;
        header.flags = delivery.flags;
        const auto header_then_members = [&header, members](std::size_t place, Message& command) noexcept {
            command = place == 0 ? header : members[place - 1];
            return true;
        };
        try_send_each(header_then_members, all);
        return sequence;
    }

    /// Returns how many commands fit. The audio side may have made more room meanwhile.
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING {
        return MessageRing::capacity - shared().commands.messages.size();  // on this thread, size() is never too low
    }

    /// Counts commands as dropped. Call it when you give up commands that a try_ function did not send.
    void count_dropped(std::uint64_t commands) noexcept CUELINE_NONBLOCKING { shared().commands.dropped.add(commands); }

    /// Cancels the cue with this sequence that was sent on this line; a transaction is cancelled as a whole. Does
    /// nothing if no such cue waits. Returns what send() returns.
    Status cancel(std::uint32_t sequence) noexcept CUELINE_NONBLOCKING { return send(kind::cancel, Cancel{sequence}); }

    /// Cancels the cues that were sent before, on this line or on all lines. Later commands and commands without a
    /// frame are unaffected. Returns what send() returns. For all lines, if more than nine were ever open, it sends a
    /// transaction: a header, and one message for every nine lines.
    Status cancel_all(bool every_line = false) noexcept CUELINE_NONBLOCKING {
        if (!every_line) return send(kind::cancel_all, CancelAll{.first_line = number(), .up_to = {sequence_}});
        std::array<Message, (max_lines + cancel_all_lines - 1) / cancel_all_lines> parts;
        std::size_t count = 0;
        const std::size_t lines = link_.used_lines();
        for (std::size_t line = 0; line < lines;) {
            CancelAll part{.first_line = static_cast<std::uint32_t>(line), .up_to = {}};
            for (std::size_t place = 0; place < cancel_all_lines && line < lines; ++place, ++line) {
                if (link_.was_open(line)) part.up_to[place] = last_sequence(link_.line(line).commands.messages.tail());
            }
            parts[count++] = Message::of(part);
        }
        if (count == 1) return send(kind::cancel_all, parts[0].as<CancelAll>());
        if (try_send_whole(std::span{parts}.first(count)) != 0) return Status::ok;
        count_dropped(count + 1);
        return Status::full;
    }

    /// Takes the oldest event into `event`. If there is none, returns Status::empty and leaves `event` as it is.
    Status receive(Message& event) noexcept CUELINE_NONBLOCKING { return events_.try_pop(event); }

    /// Takes the oldest events, as many as wait and fit into `events`. Returns how many.
    std::size_t receive(std::span<Message> events) noexcept CUELINE_NONBLOCKING { return events_.try_pop(events); }

    /// Returns how many events wait. A receive() by this thread finds at least that many.
    [[nodiscard]] std::size_t waiting() const noexcept CUELINE_NONBLOCKING { return shared().events.messages.size(); }

    /// Sends the events that come from now on to line 0, except one that the audio side may just be sending. A line
    /// that closes calls this, and then receives what came before.
    void stop_events() noexcept { claim_.stop_events(); }

    /// Returns how many events the previous owner did not receive. This owner discarded them.
    [[nodiscard]] std::size_t discarded() const noexcept { return discarded_; }

    /// Takes the oldest confirmation: an Applied or a Refused with the sequence of a command that was sent on this line
    /// with delivery::confirm. Returns Status::empty if there is none. A new owner of a line also gets the
    /// confirmations that the previous owner did not receive.
    Status receive_confirmation(Message& confirmation) noexcept CUELINE_NONBLOCKING {
        return confirmations_.try_pop(confirmation);
    }

    /// Returns the sequence of the last command that this line accepted, or 0 if there is none. After a transaction,
    /// that is its last member.
    [[nodiscard]] std::uint32_t sequence() const noexcept { return sequence_; }

    /// [any thread] Returns the number of this line, below max_lines.
    [[nodiscard]] std::uint8_t number() const noexcept CUELINE_NONBLOCKING { return claim_.number(); }

  private:
    [[nodiscard]] LinkLine& shared() const noexcept CUELINE_NONBLOCKING { return link_.line(claim_.number()); }

    Link link_;
    LineClaim claim_;  // given up last
    Producer<MessageRing> commands_;
    std::uint32_t sequence_;  // of the last accepted command
    Consumer<MessageRing> events_;
    Consumer<MessageRing> confirmations_;
    std::size_t discarded_ = 0;
};

/// Opens a line for another thread. The audio side still reads what a line accepted before it was closed.
/// [control threads, several at once] Throws LinesTakenError if all lines are open.
inline Line open_line(const Link& link, Events events = Events::own) {
    return Line{link, LineClaim{link}, events};
}

}  // namespace cueline
