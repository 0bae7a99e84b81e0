// quiet_stderr.hpp: drops what a library prints to stderr while we call it.
#pragma once

namespace cueline {

/// While it lives, what this thread prints to C's `stderr` is dropped. If a card or a server is missing, ALSA, JACK and
/// PortAudio print a hundred lines, and PortAudio has no switch for that. Other threads print as before: the variable
/// `stderr` points to a stream that tells threads apart, and descriptor 2 stays as it is. Only fileno(stderr) fails
/// meanwhile. If the C library does not let us set `stderr`, this class does nothing. [control threads, any number]
class QuietStderr {
  public:
    QuietStderr() noexcept;
    ~QuietStderr();
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;
};

}  // namespace cueline
