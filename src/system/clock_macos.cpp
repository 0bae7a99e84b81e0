// clock_macos.cpp: reads the clock of std::chrono::steady_clock, and sleeps by Mach's time.
#include "system/clock.hpp"

#include <mach/mach_time.h>

#include <ctime>

#include <cueline/monotonic.hpp>

#include "system/nonblocking.hpp"

namespace cueline {

std::uint64_t block_clock_ns() noexcept CUELINE_NONBLOCKING {
    // It reads memory that the kernel shares. It counts on while the machine sleeps; Mach's time stands still then, and
    // so does Python's time.monotonic_ns().
    using ReadClock = std::uint64_t(clockid_t) noexcept CUELINE_NONBLOCKING;
    return marked_nonblocking<ReadClock>(&clock_gettime_nsec_np)(CLOCK_MONOTONIC_RAW);
}

void sleep_until_ns(std::uint64_t deadline_ns) noexcept {
    const std::uint64_t now_ns = block_clock_ns();
    if (now_ns >= deadline_ns) return;
    static const mach_timebase_info_data_t unit = [] {
        mach_timebase_info_data_t one{};
        mach_timebase_info(&one);
        return one;
    }();
    mach_wait_until(mach_absolute_time() + (deadline_ns - now_ns) * unit.denom / unit.numer);
}

}  // namespace cueline
