// block_clock.hpp: the monotonic clock, where blocks are carried.
#pragma once

#include <cstdint>
#include <ctime>

#include <cueline/monotonic.hpp>

// Declared once more, with the mark: on Linux it reads memory that the kernel shares (vDSO). Where a kernel has no such
// memory it is a system call, which never waits.
// NOLINTNEXTLINE(readability-redundant-declaration,readability-inconsistent-declaration-parameter-name)
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept CUELINE_NONBLOCKING;

namespace cueline {

/// The same clock as monotonic_ns(). Thread: audio, between its blocks. Real-time: wait-free.
inline std::uint64_t block_clock_ns() noexcept CUELINE_NONBLOCKING {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * ns_per_second + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace cueline
