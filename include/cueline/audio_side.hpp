// audio_side.hpp: the audio thread's end of a link: it reads the lines in turn, and sends events and confirmations.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <cueline/audio_lines.hpp>
#include <cueline/backlog.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/event_sender.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>

namespace cueline {

inline constexpr std::uint32_t default_budget = 256;  ///< commands a block

/// The audio thread's end of a link. One thread at a time uses it; all calls but the constructor and take_ahead() are
/// wait-free and happen inside a block.
///
/// Fairness. A block reads a budget of commands. Each line with waiting commands gets a share of it, which adds to the
/// line's balance; each command that is read takes one from the balance. What a line cannot use goes to the others. A
/// transaction is read whole, so it may take its line's balance below zero; then the line waits until its shares have
/// made up for that. The block ends when the budget is spent, so at most one transaction goes beyond it, and the line
/// that would have been next is the first one in the next block. So a block reads at most the budget and 257 commands,
/// and over any number of blocks a line that always waits gets its shares, less 257.
/// The idea comes from Shreedhar and Varghese, "Efficient fair queuing using deficit round-robin" (1995).
class AudioSide {
  public:
    /// `budget` is the most commands to read in a block. The others wait for the next block.
    /// [control thread] Throws EndTakenError if the link has a living audio side.
    explicit AudioSide(const Link& link, std::uint32_t budget = default_budget)
        : header_{claim(link)}, lines_{link}, events_{lines_}, budget_{budget} {}
    AudioSide(const AudioSide&) = delete;
    AudioSide& operator=(const AudioSide&) = delete;
    ~AudioSide() {
        // Release pairs with the acquire in claim(). In a forked child, the memory of an audio side may hold zeros.
        if (header_ != nullptr) header_->has_audio_side.store(0, std::memory_order_release);
    }

    /// Takes the commands of `line` out of their ring, so that the ring has room. From now on, blocks read the commands
    /// that were taken ahead, all of them, and no others. For an engine without deadlines, between two blocks.
    /// Allocates.
    void take_ahead(std::size_t line) {
        budget_ = std::numeric_limits<std::uint32_t>::max();
        taken_ahead_ = true;
        lines_.attach_opened();
        backlogs_[line].take(lines_[line].shared->commands, lines_[line].commands);
    }

    /// Does the same for all lines. Returns how many commands the next block will read.
    std::size_t take_ahead() {
        std::size_t commands = 0;
        lines_.attach_opened();
        for (std::uint64_t lines = lines_.attached(); lines != 0; lines &= lines - 1) {
            const auto line = static_cast<std::size_t>(std::countr_zero(lines));
            take_ahead(line);
            commands += backlogs_[line].size();
        }
        return commands;
    }

    /// Begins the block whose first frame is `frame`.
    void begin_block(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        go_to(frame);
        lines_.attach_opened();
    }

    /// Reads the commands of a block. Calls `accept` with each, as a span of one Message, and with each transaction, as
    /// a span of its header and its members. A header that announces more members than follow it, or more than
    /// max_members, has those that there are. The messages are copies: nobody else can change them.
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
                if (left > 0) {
                    left -= read_line(number, left, accept);
                } else if (stopped_at == max_lines) {
                    stopped_at = number;
                }
                if (has_commands(number)) {
                    turns_[kept++] = number;
                } else {
                    lines_[number].balance = std::min<std::int64_t>(lines_[number].balance, 0);
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

    /// Confirms `command` if it has delivery::confirm. If the ring of confirmations is full, counts a dropped one.
    template <class Outcome>
    void confirm(Kind kind, const Outcome& outcome, const Message& command) noexcept CUELINE_NONBLOCKING {
        if ((command.flags & delivery::confirm) == 0) return;
        Message confirmation = Message::of(kind, outcome);
        confirmation.set_origin(command.line, command.sequence);
        confirmation.frame = events_.frame();
        lines_.confirm(confirmation);
    }

    /// Ends the block, after all events were sent.
    void end_block() noexcept CUELINE_NONBLOCKING { lines_.note_levels(); }

  private:
    static constexpr std::size_t batch = 64;  // commands that are copied at once

    static LinkHeader* claim(const Link& link) {
        // Acquire pairs with the release in the destructor.
        if (link.header().has_audio_side.exchange(1, std::memory_order_acquire) != 0) {
            refuse_end("this link has a living audio side already: destroy it first");
        }
        return &link.header();
    }

    /// Lists the lines with commands, from next_line_ on.
    void find_waiting() noexcept CUELINE_NONBLOCKING {
        waiting_ = 0;
        const std::uint64_t lines_there = lines_.attached();
        const std::uint64_t before = (std::uint64_t{1} << next_line_) - 1;
        for (std::uint64_t lines : {lines_there & ~before, lines_there & before}) {
            for (; lines != 0; lines &= lines - 1) {
                const auto number = static_cast<std::uint8_t>(std::countr_zero(lines));
                if (!taken_ahead_) lines_[number].shared->commands.note_level();
                if (has_commands(number)) turns_[waiting_++] = number;
            }
        }
    }

    [[nodiscard]] bool has_commands(std::uint8_t number) noexcept CUELINE_NONBLOCKING {
        return taken_ahead_ ? backlogs_[number].size() > 0 : lines_[number].shared->commands.messages.size() > 0;
    }

    /// Adds to the balance of each waiting line: an equal share of what is left, or as many as it takes until one of
    /// them may read.
    void give_shares(std::int64_t left) noexcept CUELINE_NONBLOCKING {
        const std::int64_t share = std::max<std::int64_t>(1, left / static_cast<std::int64_t>(waiting_));
        std::int64_t most = std::numeric_limits<std::int64_t>::min();
        for (std::size_t place = 0; place < waiting_; ++place) most = std::max(most, lines_[turns_[place]].balance);
        const std::int64_t times = most + share > 0 ? 1 : -most / share + 1;
        for (std::size_t place = 0; place < waiting_; ++place) {
            std::int64_t& balance = lines_[turns_[place]].balance;
            balance = std::min(balance + times * share, std::int64_t{budget_} + std::int64_t{max_members} + 1);
        }
    }

    /// Reads commands of one line while its balance and `left` last. Returns how many it read.
    template <class Accept>
    std::int64_t read_line(std::uint8_t number, std::int64_t left, Accept& accept) noexcept {
        AudioLine& line = lines_[number];
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
        const std::size_t count = taken_ahead_ ? backlogs_[number].try_pop(to) : lines_[number].commands.try_pop(to);
        // Overwrites what the sender put there, because the line is used as an index from here on.
        for (Message& command : to.first(count)) command.line = number;
        return count;
    }

    LinkHeader* header_;
    AudioLines lines_;
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
