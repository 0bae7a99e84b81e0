// realtime_thread.hpp: prepares the calling thread for blocks, as far as the system permits.
#pragma once

#include <cstddef>

#include "system/locked_memory.hpp"

namespace cueline {

/// The priority and the locked stack of a thread that runs blocks. If the system refuses them, that is no error: an
/// ordinary user without raised limits gets neither.
/// [the thread itself, before its first block; it keeps this object for as long as it runs blocks]
class RealtimeThread {
  public:
    /// Requests real-time priority. If that is refused, requests a timer slack of 1 ns, so that sleeps end on time.
    /// Locks `stack_bytes` of stack from here down.
    RealtimeThread() noexcept;

    [[nodiscard]] bool priority_granted() const noexcept { return priority_granted_; }
    [[nodiscard]] bool stack_locked() const noexcept { return stack_.granted(); }

  private:
    static constexpr std::size_t stack_bytes = std::size_t{128} * 1024;

    bool priority_granted_;
    LockedMemory stack_;
};

}  // namespace cueline
