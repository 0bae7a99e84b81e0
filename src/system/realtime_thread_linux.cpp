// realtime_thread_linux.cpp: scheduling class, timer slack, locked stack.
#include "system/realtime_thread.hpp"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "system/thread_priority.hpp"

namespace cueline {

namespace {

bool request_priority() noexcept {
    if (ThreadHandle::current().request_realtime_priority()) return true;
    prctl(PR_SET_TIMERSLACK, 1UL);
    return false;
}

/// The pages below the caller's frame, where the stack grows: `most` bytes, or all that the stack has.
std::span<std::byte> stack_below(std::size_t most) noexcept {
    auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {here, 0};
    void* lowest = nullptr;
    std::size_t size = 0;
    std::size_t guard = 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    // The system may count the guard pages as part of the stack. They must not be touched.
    auto* const usable = static_cast<std::byte*>(lowest) + guard;
    const std::size_t bytes = std::min(most, static_cast<std::size_t>(here - usable)) / page_bytes * page_bytes;
    auto* const begin = here - bytes;
    auto* const page = begin - reinterpret_cast<std::uintptr_t>(begin) % page_bytes;
    return {page < usable ? begin : page, bytes};
}

}  // namespace

RealtimeThread::RealtimeThread() noexcept : priority_granted_{request_priority()}, stack_{stack_below(stack_bytes)} {}

}  // namespace cueline
