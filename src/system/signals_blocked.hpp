// signals_blocked.hpp: blocks signals while a library starts threads or writes to a socket.
#pragma once

#include <array>
#include <cstddef>

namespace cueline {

/// While it lives, threads that the calling thread starts block all signals. So Python's signals go to Python's
/// threads, and none interrupts a block. Signals for a thread's own faults are not blocked. If the calling thread
/// writes to a server that is gone, its SIGPIPE is dropped. Afterwards the calling thread's mask is as before, even if
/// a library changed it: libjack does when a client closes.
class SignalsBlocked {
  public:
    SignalsBlocked() noexcept;
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    /// Takes `signal`, which is blocked, if it waits for this thread.
    static void drop_waiting(int signal) noexcept;

    // Room for the system's set of signals.
    alignas(std::max_align_t) std::array<std::byte, 128> before_;
};

}  // namespace cueline
