// signals_blocked.hpp: starts threads that no signal interrupts.
#pragma once

#include <array>
#include <cstddef>

namespace cueline {

/// While it lives, threads that the calling thread starts block all signals. So Python's signals go to Python's
/// threads, and none interrupts a block. Signals for a thread's own faults are not blocked.
class SignalsBlocked {
  public:
    SignalsBlocked() noexcept;
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    alignas(std::max_align_t) std::array<std::byte, 128> before_;  // room for the system's set of signals
};

}  // namespace cueline
