// quiet_stderr.hpp: keeps what a library prints while we call it away from a user's terminal.
#pragma once

namespace cueline {

/// While it lives, what this thread prints to C's `stderr` goes nowhere: ALSA, JACK and PortAudio print a hundred lines
/// where a card or a server is missing, and PortAudio has no switch for it. What other threads print goes where it
/// went: C's variable `stderr` points to a stream that tells threads apart, and descriptor 2 itself is left alone. Only
/// `fileno(stderr)` has no answer meanwhile.
/// Thread: control, any number. It does nothing where the C library does not let `stderr` be set.
class QuietStderr {
  public:
    QuietStderr() noexcept;
    ~QuietStderr();
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;
};

}  // namespace cueline
