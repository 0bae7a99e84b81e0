// audio_lines.hpp: the lines of a link as the audio thread uses them, and which of them gets an event.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <cueline/counted_ring.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/sequence.hpp>

namespace cueline {

/// The audio thread's ends of one line. The claim of the whole audio side covers them.
struct AudioLine {
    explicit AudioLine(LinkLine& line) noexcept CUELINE_NONBLOCKING
        : shared{&line},
          commands{line.commands.messages, already_claimed},
          events{line.events, already_claimed},
          confirmations{line.confirmations, already_claimed} {}

    /// Whether the line's present owner sent the command with this sequence, and not an owner before.
    [[nodiscard]] bool owner_sent(std::uint32_t sequence) const noexcept CUELINE_NONBLOCKING {
        // Relaxed: the acquire in AudioLines::receivers_of() orders it.
        const std::uint64_t opened_at = shared->opened_at.load(std::memory_order_relaxed);
        // Sequences are compared modulo 2^32. Once half of all were used, no earlier command is left to answer.
        const std::uint64_t read = shared->commands.messages.head();  // less than opened_at if older commands wait
        return (read > opened_at && read - opened_at >= std::uint64_t{1} << 31U) ||
               is_later(sequence, last_sequence(opened_at));
    }

    LinkLine* shared;
    Consumer<MessageRing> commands;
    CountedProducer events;
    CountedProducer confirmations;
    std::int64_t balance = 0;  // commands that it may read, or that it read ahead of its share
};

/// The audio thread touches a line's memory only once that line was opened. All calls are wait-free.
class AudioLines {
  public:
    explicit AudioLines(const Link& link) noexcept : link_{link} {
        lines_[0].emplace(link_.line(0));
        attached_ = 1;
    }
    AudioLines(const AudioLines&) = delete;
    AudioLines& operator=(const AudioLines&) = delete;
    ~AudioLines() = default;

    /// Takes the ends of the lines that were opened since the last call.
    void attach_opened() noexcept CUELINE_NONBLOCKING {
        // Acquire pairs with the release in LineClaim::open(): the line's pages were touched.
        const std::uint64_t used = link_.header().used_lines.load(std::memory_order_acquire) & existing();
        for (std::uint64_t added = used & ~attached_; added != 0; added &= added - 1) {
            const std::size_t number = first(added);
            lines_[number].emplace(link_.line(number));
        }
        attached_ |= used;
    }

    /// A bit for each line that was ever open: a closed one may hold commands, too.
    [[nodiscard]] std::uint64_t attached() const noexcept CUELINE_NONBLOCKING { return attached_; }

    /// `number` must be an attached line.
    [[nodiscard]] AudioLine& operator[](std::size_t number) noexcept CUELINE_NONBLOCKING {
        return *lines_[number];  // NOLINT(bugprone-unchecked-optional-access): it is attached
    }

    /// Sends an event to the line of the command that it answers. If it answers none, or if that line is closed or has
    /// another owner now, it goes to line 0, and to each line that receives all events.
    /// Returns Status::full, and counts a dropped event, if a ring is full.
    Status send(const Message& event) noexcept CUELINE_NONBLOCKING {
        std::uint64_t lines = receivers_of(event);
        answered_ |= lines;
        Status status = Status::ok;
        for (; lines != 0; lines &= lines - 1) {
            if ((*this)[first(lines)].events.push(event) == Status::full) status = Status::full;
        }
        return status;
    }

    /// Sends a confirmation to the line of its command. Counts a dropped one if the ring is full.
    void confirm(const Message& confirmation) noexcept CUELINE_NONBLOCKING {
        (*this)[confirmation.line].confirmations.push(confirmation);
        answered_ |= bit(confirmation.line);
    }

    /// Notes how many events and confirmations wait, on the lines that got some since the last call.
    void note_levels() noexcept CUELINE_NONBLOCKING {
        for (; answered_ != 0; answered_ &= answered_ - 1) {
            LinkLine& line = *(*this)[first(answered_)].shared;
            line.events.note_level();
            line.confirmations.note_level();
        }
    }

  private:
    static std::uint64_t bit(std::size_t number) noexcept CUELINE_NONBLOCKING { return std::uint64_t{1} << number; }
    static std::size_t first(std::uint64_t lines) noexcept CUELINE_NONBLOCKING {
        return static_cast<std::size_t>(std::countr_zero(lines));
    }

    /// A bit for each line that exists: the other side may have written any others.
    [[nodiscard]] std::uint64_t existing() const noexcept CUELINE_NONBLOCKING {
        return ~std::uint64_t{0} >> (max_lines - link_.lines());
    }

    /// Returns a bit for each line that receives `event`.
    [[nodiscard]] std::uint64_t receivers_of(const Message& event) noexcept CUELINE_NONBLOCKING {
        if (event.sequence != 0) {
            if (event.line == 0) return bit(0);
            // Acquire pairs with the release in LineClaim::open(): opened_at is there.
            const std::uint64_t open = link_.header().open_lines.load(std::memory_order_acquire) & attached_;
            if (event.line < max_lines && (open & bit(event.line)) != 0 &&
                (*this)[event.line].owner_sent(event.sequence)) {
                return bit(event.line);
            }
        }
        // Relaxed: a line that was just opened misses events from before.
        return bit(0) | (link_.header().all_events.load(std::memory_order_relaxed) & attached_);
    }

    Link link_;
    std::array<std::optional<AudioLine>, max_lines> lines_;
    std::uint64_t attached_ = 0;
    std::uint64_t answered_ = 0;  // got events or confirmations since note_levels()
};

}  // namespace cueline
