// clock.hpp: the monotonic clock for threads that run blocks: reading it, and sleeping by it.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// The same clock as monotonic_ns(). [audio thread, before and after a block; wait-free]
std::uint64_t block_clock_ns() noexcept CUELINE_NONBLOCKING;

/// Sleeps until the clock shows `deadline_ns`. A signal may end the sleep earlier.
void sleep_until_ns(std::uint64_t deadline_ns) noexcept;

}  // namespace cueline
