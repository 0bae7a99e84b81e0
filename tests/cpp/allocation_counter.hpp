// allocation_counter.hpp: how often a thread asked the heap for memory, or gave it back.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Whether allocations are counted in this build: not where a sanitizer has taken malloc for itself.
bool allocations_are_counted() noexcept;

/// Calls to malloc, free and their like that this thread has made (operator new and delete come down to them).
std::uint64_t allocations_on_this_thread() noexcept CUELINE_NONBLOCKING;

}  // namespace cueline::test
