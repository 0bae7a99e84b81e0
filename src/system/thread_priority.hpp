// thread_priority.hpp: a thread's number and real-time priority, also those of another library's thread.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// Below the priority of JACK's clients (5) and of threaded interrupts (50), above everything that is not real-time.
inline constexpr int realtime_priority = 4;

/// The system's number of the calling thread. It is never 0. [any thread but an audio thread: a system call]
std::int64_t thread_number() noexcept;

/// Whether the thread of this number has not ended. False for 0, and on macOS, which does not tell.
bool thread_exists(std::int64_t number) noexcept;

/// Whether the thread of this number has real-time priority. False for 0 and for a thread that has ended.
bool has_realtime_priority(std::int64_t number) noexcept;

/// A thread of this process. Unlike a number, it costs no system call, but the thread must not have been joined.
class ThreadHandle {
  public:
    ThreadHandle() = default;

    /// The calling thread. [any thread, wait-free]
    static ThreadHandle current() noexcept CUELINE_NONBLOCKING;

    [[nodiscard]] bool has_realtime_priority() const noexcept;

    /// Requests SCHED_FIFO at realtime_priority, or at the highest permitted priority below it. Returns whether the
    /// system granted one. [any thread but an audio thread: a system call]
    [[nodiscard]] bool request_realtime_priority() const noexcept;

  private:
    std::uintptr_t handle_ = 0;
};

}  // namespace cueline
