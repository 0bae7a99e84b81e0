// clock_linux.cpp: reads the monotonic clock, and sleeps by it, with POSIX functions.
#include "system/clock.hpp"

#include <ctime>

#include <cueline/monotonic.hpp>

#include "system/nonblocking.hpp"

namespace cueline {

std::uint64_t block_clock_ns() noexcept CUELINE_NONBLOCKING {
    // Linux reads memory that the kernel shares (vDSO). A kernel without such memory makes it a system call, which
    // never waits.
    using ReadClock = int(clockid_t, timespec*) noexcept CUELINE_NONBLOCKING;
    timespec now{};
    marked_nonblocking<ReadClock> (&clock_gettime)(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * ns_per_second + static_cast<std::uint64_t>(now.tv_nsec);
}

void sleep_until_ns(std::uint64_t deadline_ns) noexcept {
    timespec deadline{};
    deadline.tv_sec = static_cast<std::time_t>(deadline_ns / ns_per_second);
    deadline.tv_nsec = static_cast<long>(deadline_ns % ns_per_second);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
}

}  // namespace cueline
