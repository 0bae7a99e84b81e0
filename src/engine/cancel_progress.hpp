// overtaken.hpp: cues that are cancelled before they are read: lines are read in turn, and a cancel_all may come first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/control_side.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>

namespace cueline {

/// How far each line has been read, and up to which of its commands cues are forgotten that are still to be read.
/// Thread: audio. Real-time: every call is wait-free.
class CancelProgress {
  public:
    /// Notes that `command` was read from its line. Returns whether it is a cue that was cancelled before.
    bool note_read(const Message& command) noexcept CUELINE_NONBLOCKING {
        Line& line = lines_[command.line];
        line.read = command.sequence;
        if (line.forgotten == 0) return false;
        const bool later = is_later(command.sequence, line.forgotten);
        if (later) line.forgotten = 0;  // it would be the later one again, half the numbers on
        return !later && command.frame != 0;
    }

    /// Whether `cue`, which was read, was sent after the command of sequence `than` on its line, however long it has
    /// waited.
    [[nodiscard]] bool was_sent_after(const Message& cue, std::uint32_t than) const noexcept CUELINE_NONBLOCKING {
        // Told by what was read last: a cue that has waited for half of all numbers would look like a later one.
        const std::uint32_t read = lines_[cue.line].read;
        return is_later(read, than) && cue.sequence - than - 1 < read - than;
    }

    /// From now on cues are forgotten, as they are read, up to the command of that sequence on that line; 0: none.
    void forget(std::size_t line, std::uint32_t up_to) noexcept CUELINE_NONBLOCKING {
        if (up_to == 0 || !is_later(up_to, lines_[line].read)) return;
        if (lines_[line].forgotten == 0 || is_later(up_to, lines_[line].forgotten)) lines_[line].forgotten = up_to;
    }

  private:
    struct Line {
        std::uint32_t read = 0;  // sequences; 0 before the first
        std::uint32_t forgotten = 0;
    };
    std::array<Line, max_lines> lines_;
};

}  // namespace cueline
