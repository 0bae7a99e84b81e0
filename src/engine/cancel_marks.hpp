// cancel_marks.hpp: which cues are cancelled, until they are taken out of the schedule.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>

namespace cueline {

/// A cancel only marks. All marks are carried out together, in one sweep of the schedule, so that many cancels in a
/// block cost no more than one. Lines take turns, so a cancel_all of all lines also marks cues that are read after it.
/// The audio thread owns it. Calls are wait-free.
class CancelMarks {
  public:
    /// Notes that `command` was read. Returns whether it is a cue that was cancelled before it was read.
    bool note_read(const Message& command) noexcept CUELINE_NONBLOCKING {
        Line& line = lines_[command.line];
        line.read = command.sequence;
        if (line.unread_up_to == 0) return false;
        const bool later = is_later(command.sequence, line.unread_up_to);
        if (later) {
            line.unread_up_to = 0;  // or is_later() would fail once half of all numbers were used
        } else {
            mark_read(command.line);
        }
        return !later && is_cue(command);
    }

    /// Notes that the members of a transaction were read, after note_read() of its header.
    void note_members(const Message& header, std::size_t members) noexcept CUELINE_NONBLOCKING {
        Line& line = lines_[header.line];
        line.read = sequence_after(line.read, static_cast<std::uint32_t>(members));
        if (line.unread_up_to != 0) mark_read(header.line);
    }

    /// Marks the cue with this sequence on `line`, if it was read. Call it only if there is room.
    void mark(std::uint8_t line, std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
        if (sequence == 0 || is_later(sequence, lines_[line].read)) return;
        std::uint64_t& slot = slots_[find(line, sequence)];
        if (slot == key(line, sequence)) return;
        slot = key(line, sequence);
        ++singles_;
    }
    [[nodiscard]] bool has_room() const noexcept CUELINE_NONBLOCKING { return singles_ < max_singles; }

    /// Marks the cues of `line` up to and including command `up_to`: those that wait, and those that are read from now
    /// on. If it is 0, marks none.
    void mark_all(std::size_t line, std::uint32_t up_to) noexcept CUELINE_NONBLOCKING {
        if (up_to == 0) return;
        Line& marked = lines_[line];
        std::uint32_t waiting_up_to = up_to;
        if (is_later(up_to, marked.read)) {
            if (marked.unread_up_to == 0 || is_later(up_to, marked.unread_up_to)) marked.unread_up_to = up_to;
            waiting_up_to = marked.read;
        }
        if ((marked_lines_ & line_bit(line)) == 0 || is_later(waiting_up_to, marked.waiting_up_to)) {
            marked.waiting_up_to = waiting_up_to;
        }
        marked_lines_ |= line_bit(line);
    }

    /// Whether there are marks since the last clear().
    [[nodiscard]] bool any() const noexcept CUELINE_NONBLOCKING { return singles_ > 0 || marked_lines_ != 0; }

    /// Whether `cue`, which waits, is marked. It may have waited for any length of time. A mark of its transaction,
    /// whose header came `behind` messages before it, counts too.
    [[nodiscard]] bool contains(const Message& cue, std::uint16_t behind = 0) const noexcept CUELINE_NONBLOCKING {
        if ((marked_lines_ & line_bit(cue.line)) != 0) {
            // is_later() would fail for a cue that waited while half of all numbers were used. So this looks whether it
            // is one of those after the mark and up to the last command read.
            const Line& line = lines_[cue.line];
            const std::uint32_t since = line.read - line.waiting_up_to;
            if (cue.sequence - line.waiting_up_to - 1 >= since) return true;
        }
        if (singles_ == 0) return false;
        const auto marked = [&](std::uint32_t sequence) noexcept
            CUELINE_NONBLOCKING { return slots_[find(cue.line, sequence)] == key(cue.line, sequence); };
        return marked(cue.sequence) || (behind > 0 && marked(sequence_before(cue.sequence, behind)));
    }

    /// Removes the marks of cues that wait.
    void clear() noexcept CUELINE_NONBLOCKING {
        marked_lines_ = 0;
        if (singles_ == 0) return;
        singles_ = 0;
        if (++generation_ != 0) return;
        slots_.fill(0);
        generation_ = 1;
    }

    static constexpr std::size_t max_singles = 7168;

  private:
    static_assert(max_lines <= 64);  // bits of marked_lines_
    static constexpr std::size_t slot_bits = 13;

    struct Line {
        std::uint32_t read = 0;           // a sequence; 0 before the first
        std::uint32_t unread_up_to = 0;   // cues up to here are cancelled when they are read; 0: none
        std::uint32_t waiting_up_to = 0;  // not later than `read`; used if the line has its bit in marked_lines_
    };

    /// Marks what the commands of `line` that were read until now have scheduled, and will schedule.
    void mark_read(std::size_t line) noexcept CUELINE_NONBLOCKING {
        lines_[line].waiting_up_to = lines_[line].read;
        marked_lines_ |= line_bit(line);
    }

    [[nodiscard]] std::uint64_t key(std::uint8_t line, std::uint32_t sequence) const noexcept CUELINE_NONBLOCKING {
        return std::uint64_t{generation_} << 48U | std::uint64_t{line} << 32U | sequence;
    }

    /// Returns the slot that holds this mark, or that could.
    [[nodiscard]] std::size_t find(std::uint8_t line, std::uint32_t sequence) const noexcept CUELINE_NONBLOCKING {
        const std::uint64_t wanted = key(line, sequence);
        std::size_t slot = ((wanted ^ secret_) * 0x9E37'79B9'7F4A'7C15U) >> (64 - slot_bits);
        while (slots_[slot] != wanted && slots_[slot] >> 48U == generation_) slot = (slot + 1) % slots_.size();
        return slot;
    }

    std::array<Line, max_lines> lines_;
    std::uint64_t marked_lines_ = 0;  // the line_bit() of each line with a mark_all()
    std::size_t singles_ = 0;
    // A hash table of single marks. A slot of another generation is free.
    std::array<std::uint64_t, std::size_t{1} << slot_bits> slots_{};
    std::uint16_t generation_ = 1;
    std::uint64_t secret_ = monotonic_ns();  // so that no sender can choose numbers that share a slot
};

}  // namespace cueline
