// allocation_counter.hpp: how often a thread called the heap.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Whether this build counts allocations. It does not if a sanitizer has replaced malloc.
bool allocations_are_counted() noexcept;

/// How often this thread called malloc, free and the like. operator new and delete end in these.
std::uint64_t allocations_on_this_thread() noexcept CUELINE_NONBLOCKING;

}  // namespace cueline::test
