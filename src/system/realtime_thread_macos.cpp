// realtime_thread_macos.cpp: time constraint, locked stack.
#include "system/realtime_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "system/thread_priority.hpp"

namespace cueline {

namespace {

/// The pages below the caller's frame, where the stack grows: `most` bytes, or all that the stack has.
std::span<std::byte> stack_below(std::size_t most) noexcept {
    auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
    const pthread_t thread = pthread_self();
    auto* const highest = static_cast<std::byte*>(pthread_get_stackaddr_np(thread));
    auto* const lowest = highest - pthread_get_stacksize_np(thread);
    const std::size_t bytes = std::min(most, static_cast<std::size_t>(here - lowest)) / page_bytes * page_bytes;
    return {here - bytes, bytes};
}

}  // namespace

RealtimeThread::RealtimeThread() noexcept
    : priority_granted_{ThreadHandle::current().request_realtime_priority()}, stack_{stack_below(stack_bytes)} {}

}  // namespace cueline
