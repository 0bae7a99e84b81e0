// cancel_progress.hpp: which cues a cancel_all reaches before they are read: lines take turns, and it may come first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/message.hpp>
#include <cueline/sequence.hpp>

namespace cueline {

/// By line: the last command that was read, and up to which command cues are cancelled that are still to be read.
/// Belongs to the audio thread. Calls are wait-free.
class CancelProgress {
  public:
    /// Notes that `command` was read. Returns whether it is a cue that was cancelled before it was read.
    bool note_read(const Message& command) noexcept CUELINE_NONBLOCKING {
        Line& line = lines_[command.line];
        line.read = command.sequence;
        if (line.cancelled_up_to == 0) return false;
        const bool later = is_later(command.sequence, line.cancelled_up_to);
        if (later) line.cancelled_up_to = 0;  // half of all numbers later, it would seem to be the later one again
        return !later && command.frame != 0;
    }

    /// Returns whether `cue`, which was read, was sent after command `than` of its line. The cue may have waited for
    /// any time.
    [[nodiscard]] bool was_sent_after(const Message& cue, std::uint32_t than) const noexcept CUELINE_NONBLOCKING {
        // Compares with the last command read: a cue that waited for half of all numbers would look like a later one.
        const std::uint32_t read = lines_[cue.line].read;
        return is_later(read, than) && cue.sequence - than - 1 < read - than;
    }

    /// Cancels the cues of `line` that are read from now on, up to the command `up_to`; 0 cancels none.
    void cancel(std::size_t line, std::uint32_t up_to) noexcept CUELINE_NONBLOCKING {
        if (up_to == 0 || !is_later(up_to, lines_[line].read)) return;
        std::uint32_t& cancelled_up_to = lines_[line].cancelled_up_to;
        if (cancelled_up_to == 0 || is_later(up_to, cancelled_up_to)) cancelled_up_to = up_to;
    }

  private:
    struct Line {
        std::uint32_t read = 0;  // a sequence; 0 before the first
        std::uint32_t cancelled_up_to = 0;
    };
    std::array<Line, max_lines> lines_;
};

}  // namespace cueline
