// audio_side.hpp: the audio thread's end of a link: it reads the lines in turn, and sends events and confirmations.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include <cueline/backlog.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_output.hpp>

namespace cueline {

/// The audio thread's ends of one line. The claim of the whole audio side covers them.
struct AudioLine {
    explicit AudioLine(LinkLine& line) noexcept CUELINE_NONBLOCKING
        : shared{&line},
          commands{line.commands.messages, already_claimed},
          events{line.events.messages, already_claimed},
          confirmations{line.confirmations.messages, already_claimed} {}

    /// Whether the line's present owner sent the command with this sequence. False if an earlier owner did.
    [[nodiscard]] bool owner_sent(std::uint32_t sequence) const noexcept CUELINE_NONBLOCKING {
        // Relaxed: the acquire in EventSender::receivers_of() orders it.
        const std::uint64_t opened_at = shared->opened_at.load(std::memory_order_relaxed);
        // Sequences are compared modulo 2^32. Once the owner has used half of them, no command of an earlier owner is
        // left to answer.
        const std::uint64_t read = shared->commands.messages.head();  // less than opened_at if older commands wait
        return (read > opened_at && read - opened_at >= std::uint64_t{1} << 31U) ||
               is_later(sequence, last_sequence(opened_at));
    }

    LinkLine* shared;
    Consumer<MessageRing> commands;
    Producer<MessageRing> events;
    Producer<MessageRing> confirmations;
    std::int64_t balance = 0;  // commands that the block may still read; below 0: those that it read beyond the shares
};

/// What an event answers: a command, or nothing. A processor that answers later keeps the cause.
struct Cause {
    constexpr Cause() noexcept CUELINE_NONBLOCKING = default;
    // NOLINTNEXTLINE(*-explicit-*): a command is a cause
    constexpr Cause(const Message& command) noexcept CUELINE_NONBLOCKING : sequence{command.sequence},
                                                                           line{command.line} {}

    friend constexpr bool operator==(const Cause&, const Cause&) noexcept CUELINE_NONBLOCKING = default;

    std::uint32_t sequence = 0;
    std::uint8_t line = 0;
};

/// Sends events to the control side. An event that answers a command goes to the line that sent the command. If the
/// event answers no command, or if that line is closed or has another owner now, the event goes to line 0 and to each
/// line that receives all events. A MIDI message is also sent to the device's MIDI output, if it has one, at the
/// event's frame. All calls are for the audio thread, and wait-free.
class EventSender {
  public:
    EventSender(const EventSender&) = delete;
    EventSender& operator=(const EventSender&) = delete;
    ~EventSender() = default;

    /// Sends an event of this kind, stamped with the frame that is rendered next. It answers `cause`. Returns
    /// Status::full, and counts a dropped event, if the event ring of a receiver is full.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, Cause cause = {}) noexcept CUELINE_NONBLOCKING {
        Message event = Message::of(kind, payload);
        if (is_midi(kind)) send_midi(event, frame_);
        return deliver(event, frame_, cause);
    }

    /// Like send(), but stamped with `frame`: for an event inside the segment that is being rendered.
    template <class Payload>
    Status send_at(std::uint64_t frame, Kind kind, const Payload& payload, Cause cause = {}) noexcept
        CUELINE_NONBLOCKING {
        Message event = Message::of(kind, payload);
        if (is_midi(kind)) send_midi(event, frame);
        return deliver(event, frame, cause);
    }

    /// Returns the frame that is rendered next.
    [[nodiscard]] std::uint64_t frame() const noexcept CUELINE_NONBLOCKING { return frame_; }

  private:
    friend class AudioSide;  // makes it, sets the frame, and reads the lines

    explicit EventSender(const Link& link) noexcept : link_{link} {
        lines_[0].emplace(link_.line(0));
        attached_ = 1;
    }

    /// Takes the ends of the lines that were opened since the last call. The audio thread touches a line's memory only
    /// once that line was opened.
    void attach_opened() noexcept CUELINE_NONBLOCKING {
        // A bit for each line that exists: the other side may have written any others.
        const std::uint64_t existing = ~std::uint64_t{0} >> (max_lines - link_.lines());
        // Acquire pairs with the release in LineClaim::open(): the line's pages have been touched.
        const std::uint64_t used = link_.header().used_lines.load(std::memory_order_acquire) & existing;
        for (std::uint64_t added = used & ~attached_; added != 0; added &= added - 1) {
            lines_[first(added)].emplace(link_.line(first(added)));
        }
        attached_ |= used;
    }

    /// `number` must be an attached line.
    [[nodiscard]] AudioLine& line(std::size_t number) noexcept CUELINE_NONBLOCKING {
        return *lines_[number];  // NOLINT(bugprone-unchecked-optional-access): it is attached
    }

    void send_midi(const Message& event, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        if (midi_output_ != nullptr) midi_output_->add(event, frame);
    }

    /// Completes `event` in place. A copy would have to wait until the words that were just written have left the store
    /// buffer: see Cell::write() in ring.hpp.
    Status deliver(Message& event, std::uint64_t frame, Cause cause) noexcept CUELINE_NONBLOCKING {
        event.set_origin(cause.line, cause.sequence);
        event.frame = frame;
        std::uint64_t receivers = receivers_of(cause);
        answered_ |= receivers;
        Status status = Status::ok;
        for (; receivers != 0; receivers &= receivers - 1) {
            AudioLine& receiver = line(first(receivers));
            if (receiver.events.try_push(event) == Status::ok) continue;
            receiver.shared->events.dropped.add(1);
            status = Status::full;
        }
        return status;
    }

    /// Returns a bit for each line that receives an event with this cause.
    [[nodiscard]] std::uint64_t receivers_of(Cause cause) noexcept CUELINE_NONBLOCKING {
        if (cause.sequence != 0) {
            if (cause.line == 0) return line_bit(0);
            // Acquire pairs with the release in LineClaim::open(): it publishes opened_at.
            const std::uint64_t open = link_.header().open_lines.load(std::memory_order_acquire) & attached_;
            if (cause.line < max_lines && (open & line_bit(cause.line)) != 0 &&
                line(cause.line).owner_sent(cause.sequence))
                return line_bit(cause.line);
        }
        // Relaxed: a line that was just opened misses events from before.
        return line_bit(0) | (link_.header().all_events.load(std::memory_order_relaxed) & attached_);
    }

    /// Notes how many events and confirmations wait, on the lines that got some since the last call.
    void note_levels() noexcept CUELINE_NONBLOCKING {
        for (; answered_ != 0; answered_ &= answered_ - 1) {
            LinkLine& answered = *line(first(answered_)).shared;
            answered.events.note_level();
            answered.confirmations.note_level();
        }
    }

    static std::size_t first(std::uint64_t lines) noexcept CUELINE_NONBLOCKING {
        return static_cast<std::size_t>(std::countr_zero(lines));
    }

    Link link_;
    MidiOutput* midi_output_ = nullptr;  // null: the device has none
    std::array<std::optional<AudioLine>, max_lines> lines_;
    std::uint64_t attached_ = 0;  // a bit for each line that was ever open: a closed one may hold commands, too
    std::uint64_t answered_ = 0;  // a bit for each line that got events or confirmations since note_levels()
    std::uint64_t frame_ = 0;
};

inline constexpr std::uint32_t default_budget = 256;  ///< the most commands that a block reads

/// The audio thread's end of a link. One thread at a time uses it; all calls but the constructor and take_ahead() are
/// wait-free and happen inside a block.
///
/// Fairness. A block has a budget of commands. Each line with waiting commands gets a share of the budget, which is
/// added to the line's balance. Each command that is read takes one from the balance. What a line cannot use goes to
/// the others. A transaction is read whole, so it may take its line's balance below zero. Then the line waits until its
/// shares have made up for that. Reading ends when the budget is spent, so at most one transaction goes beyond the
/// budget. The line that would have been next is the first one in the next block. So a block reads at most the budget
/// plus 257 commands. Over any number of blocks, a line that always has waiting commands gets at least its shares less
/// 257.
/// The idea comes from Shreedhar and Varghese, "Efficient fair queuing using deficit round-robin" (1995).
class AudioSide {
  public:
    /// `budget` is the most commands to read in a block. The others wait for the next block.
    /// [control thread] Throws EndTakenError if the link has a living audio side.
    explicit AudioSide(const Link& link, std::uint32_t budget = default_budget)
        : header_{claim(link)}, events_{link}, budget_{budget} {}
    AudioSide(const AudioSide&) = delete;
    AudioSide& operator=(const AudioSide&) = delete;
    ~AudioSide() {
        // Release pairs with the acquire in claim(). In a forked child, the memory of an audio side may hold zeros.
        if (header_ != nullptr) header_->has_audio_side.store(0, std::memory_order_release);
    }

    /// Takes the commands of `line` out of their ring, so that the ring has room. From now on, blocks read all commands
    /// that were taken ahead, and no others. Only for an engine without deadlines; call it between two blocks.
    /// Allocates.
    void take_ahead(std::size_t line) {
        budget_ = std::numeric_limits<std::uint32_t>::max();
        taken_ahead_ = true;
        events_.attach_opened();
        AudioLine& taken = events_.line(line);
        backlogs_[line].take(taken.shared->commands, taken.commands);
    }

    /// Takes the commands of all lines out of their rings. Returns how many commands the next block will read.
    std::size_t take_ahead() {
        std::size_t commands = 0;
        events_.attach_opened();
        for (std::uint64_t lines = events_.attached_; lines != 0; lines &= lines - 1) {
            const std::size_t line = EventSender::first(lines);
            take_ahead(line);
            commands += backlogs_[line].size();
        }
        return commands;
    }

    /// Whether `wanted` returns true for one of the commands that the next block will read.
    template <class Wanted>
    [[nodiscard]] bool any_ahead(Wanted wanted) const {
        return std::ranges::any_of(backlogs_, [&](const Backlog& backlog) { return backlog.any(wanted); });
    }

    /// From now on, blocks read the rings again. Call it after they have read what was taken ahead.
    void read_rings_again() noexcept { taken_ahead_ = false; }

    /// Begins the block whose first frame is `frame`.
    void begin_block(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        go_to(frame);
        events_.attach_opened();
    }

    /// Reads the commands of a block. Calls `accept` with each, as a span of one Message, and with each transaction, as
    /// a span of its header and its members. If a header announces more members than follow it, the span has those that
    /// there are; a number above max_members counts as max_members. The messages are copies: nobody else can change
    /// them.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `accept`.
    template <class Accept>
    void read(Accept&& accept) noexcept {
        find_waiting();
        std::int64_t left = budget_;
        std::size_t stopped_at = max_lines;
        while (left > 0 && waiting_ > 0) {
            give_shares(left);
            std::size_t kept = 0;
            for (std::size_t place = 0; place < waiting_; ++place) {
                const std::uint8_t number = turns_[place];
                std::int64_t& balance = events_.line(number).balance;
                bool has_more = true;
                if (left > 0) {
                    left -= read_line(number, left, accept);
                    // Its count of commands does not say whether there are more: the other side may have damaged it.
                    has_more = left <= 0 || balance <= 0;
                } else if (stopped_at == max_lines) {
                    stopped_at = number;
                }
                if (has_more && has_commands(number)) {
                    turns_[kept++] = number;
                } else {
                    balance = std::min<std::int64_t>(balance, 0);
                }
            }
            waiting_ = kept;
        }
        if (stopped_at < max_lines) {
            next_line_ = stopped_at;
        } else if (waiting_ > 0) {
            next_line_ = turns_[0];
        }
    }

    /// Sets the frame that is rendered next: events are stamped with it.
    void go_to(std::uint64_t frame) noexcept CUELINE_NONBLOCKING { events_.frame_ = frame; }

    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return events_; }

    /// From now on, gives the MIDI messages among the events to `output`, which must outlive this. [while no block
    /// runs]
    void send_midi_to(MidiOutput& output) noexcept { events_.midi_output_ = &output; }

    /// Sends an event that came from the device, stamped with the frame that is rendered next. It answers nothing, and
    /// does not go back to a MIDI output.
    void forward(const Message& event) noexcept CUELINE_NONBLOCKING {
        Message copy = event;
        events_.deliver(copy, events_.frame(), {});
    }

    /// Confirms `command` if it has delivery::confirm. If the ring of confirmations is full, counts a dropped
    /// confirmation.
    template <class Outcome>
    void confirm(Kind kind, const Outcome& outcome, const Message& command) noexcept CUELINE_NONBLOCKING {
        if ((command.flags & delivery::confirm) == 0) return;
        Message confirmation = Message::of(kind, outcome);
        confirmation.set_origin(command.line, command.sequence);
        confirmation.frame = events_.frame();
        AudioLine& line = events_.line(command.line);
        if (line.confirmations.try_push(confirmation) == Status::full) line.shared->confirmations.dropped.add(1);
        events_.answered_ |= line_bit(command.line);
    }

    /// Ends the block, after all events were sent.
    void end_block() noexcept CUELINE_NONBLOCKING { events_.note_levels(); }

  private:
    static constexpr std::size_t batch = 64;  // commands that are copied at once

    static LinkHeader* claim(const Link& link) {
        // Acquire pairs with the release in the destructor.
        if (link.header().has_audio_side.exchange(1, std::memory_order_acquire) != 0) {
            throw_or_end(EndTakenError{"this link has a living audio side already: destroy it first"});
        }
        return &link.header();
    }

    /// Lists the lines with commands, from next_line_ on.
    void find_waiting() noexcept CUELINE_NONBLOCKING {
        waiting_ = 0;
        const std::uint64_t lines_there = events_.attached_;
        const std::uint64_t before = line_bit(next_line_) - 1;
        for (std::uint64_t lines : {lines_there & ~before, lines_there & before}) {
            for (; lines != 0; lines &= lines - 1) {
                const auto number = static_cast<std::uint8_t>(EventSender::first(lines));
                const std::size_t commands =
                    taken_ahead_ ? backlogs_[number].size() : events_.line(number).shared->commands.note_level();
                if (commands > 0) turns_[waiting_++] = number;
            }
        }
    }

    [[nodiscard]] bool has_commands(std::uint8_t number) noexcept CUELINE_NONBLOCKING {
        return taken_ahead_ ? backlogs_[number].size() > 0 : events_.line(number).shared->commands.messages.size() > 0;
    }

    /// Adds a share to the balance of each waiting line: an equal part of `left`, at least 1. If no line could read
    /// after that, each gets as many shares as it takes until one line can.
    void give_shares(std::int64_t left) noexcept CUELINE_NONBLOCKING {
        const std::int64_t share = std::max<std::int64_t>(1, left / static_cast<std::int64_t>(waiting_));
        std::int64_t most = std::numeric_limits<std::int64_t>::min();
        for (std::size_t place = 0; place < waiting_; ++place)
            most = std::max(most, events_.line(turns_[place]).balance);
        const std::int64_t times = most + share > 0 ? 1 : -most / share + 1;
        for (std::size_t place = 0; place < waiting_; ++place) {
            std::int64_t& balance = events_.line(turns_[place]).balance;
            balance = std::min(balance + times * share, std::int64_t{budget_} + std::int64_t{max_members} + 1);
        }
    }

    /// Reads commands of one line while its balance and `left` last. Returns how many it read.
    template <class Accept>
    std::int64_t read_line(std::uint8_t number, std::int64_t left, Accept& accept) noexcept {
        AudioLine& line = events_.line(number);
        std::int64_t read = 0;
        while (line.balance > 0 && read < left) {
            const auto most = static_cast<std::size_t>(std::min(line.balance, left - read));
            std::size_t count = copy(number, {copies_.data(), std::min(most, batch)});
            if (count == 0) break;
            for (std::size_t place = 0; place < count;) {
                std::size_t whole = 1;
                if (copies_[place].kind == kind::transaction) {
                    whole += std::min<std::size_t>(copies_[place].as<Transaction>().members, max_members);
                    if (place + whole > count) {  // the rest of its members follow in the ring
                        std::copy(copies_.begin() + static_cast<std::ptrdiff_t>(place),
                                  copies_.begin() + static_cast<std::ptrdiff_t>(count), copies_.begin());
                        read += static_cast<std::int64_t>(place);
                        line.balance -= static_cast<std::int64_t>(place);
                        count -= place;
                        place = 0;
                        count += copy(number, {copies_.data() + count, whole - count});
                        whole = count;
                    }
                }
                accept(std::span{copies_}.subspan(place, whole));
                place += whole;
            }
            read += static_cast<std::int64_t>(count);
            line.balance -= static_cast<std::int64_t>(count);
        }
        return read;
    }

    /// Takes commands of one line, as many as there are and fit. Returns how many.
    std::size_t copy(std::uint8_t number, std::span<Message> to) noexcept CUELINE_NONBLOCKING {
        const std::size_t count =
            taken_ahead_ ? backlogs_[number].try_pop(to) : events_.line(number).commands.try_pop(to);
        // Overwrites what the sender put there, because the line is used as an index from here on.
        for (Message& command : to.first(count)) command.line = number;
        return count;
    }

    LinkHeader* header_;
    EventSender events_;
    std::array<Backlog, max_lines> backlogs_;
    std::uint32_t budget_;
    bool taken_ahead_ = false;
    std::size_t next_line_ = 0;
    std::size_t waiting_ = 0;                      // lines in turns_
    std::array<std::uint8_t, max_lines> turns_{};  // the lines that wait, in the order in which they are read
    std::array<Message, batch + max_members + 1> copies_;
};

}  // namespace cueline
