// cancel_progress.hpp: which cues a cancel_all cancels although they are read after it, because lines take turns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/message.hpp>
#include <cueline/sequence.hpp>

namespace cueline {

/// For each line: the last command that was read, and the last command up to which cues are cancelled when they are
/// read. The audio thread owns it. Calls are wait-free.
class CancelProgress {
  public:
    /// Notes that `command` was read. Returns whether it is a cue that was cancelled before it was read.
    bool note_read(const Message& command) noexcept CUELINE_NONBLOCKING {
        Line& line = lines_[command.line];
        line.read = command.sequence;
        if (line.cancelled_up_to == 0) return false;
        const bool later = is_later(command.sequence, line.cancelled_up_to);
        if (later) line.cancelled_up_to = 0;  // or is_later() would fail once half of all numbers were used
        return !later && command.frame != 0;
    }

    /// Returns whether `cue` was sent after command `than` of its line. The cue has been read, and may have waited for
    /// any length of time.
    [[nodiscard]] bool was_sent_after(const Message& cue, std::uint32_t than) const noexcept CUELINE_NONBLOCKING {
        // is_later(cue.sequence, than) would fail for a cue that waited while half of all numbers were used. So this
        // compares both with the last command read.
        const std::uint32_t read = lines_[cue.line].read;
        return is_later(read, than) && cue.sequence - than - 1 < read - than;
    }

    /// Cancels the cues of `line` that are read from now on, up to and including command `up_to`. If it is 0, cancels
    /// none.
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
