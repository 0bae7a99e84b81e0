// realtime_thread.hpp: makes the calling thread fit to carry blocks, as far as the system permits.
#pragma once

#include <csignal>
#include <cstddef>

#include "system/locked_memory.hpp"

namespace cueline {

/// Below what JACK's clients (5) and threaded interrupts (50) run at, above everything that is not real-time.
inline constexpr int realtime_priority = 4;

/// What the calling thread got. Nothing is demanded: an ordinary user without limits raised gets neither.
class RealtimeThread {
  public:
    /// Asks for SCHED_FIFO at realtime_priority or the most permitted below it; without it, for a timer slack
    /// of 1 ns, so that sleeps end on time at least. Locks `stack_bytes` of stack from here down.
    /// Thread: the one meant, before its first block. It must keep this object for as long as it runs blocks.
    RealtimeThread() noexcept;

    [[nodiscard]] bool priority_granted() const noexcept { return priority_granted_; }
    [[nodiscard]] bool stack_locked() const noexcept { return stack_.granted(); }

  private:
    static constexpr std::size_t stack_bytes = std::size_t{128} * 1024;

    bool priority_granted_;
    LockedMemory stack_;
};

/// While it lives, threads that are started are born deaf to signals, save for those that tell of a fault of their own:
/// Python's go to Python's threads, and none interrupts a block. Thread: control, the starting one.
class SignalsBlocked {
  public:
    SignalsBlocked() noexcept;
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

}  // namespace cueline
