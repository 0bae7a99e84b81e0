// realtime_thread.cpp: scheduling class, timer slack, locked stack.
#include "realtime_thread.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cueline {

namespace {

bool request_fifo(int priority) noexcept {
    sched_param parameters{};
    parameters.sched_priority = priority;
    // A child forked off must not inherit what it could hang the machine with.
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

bool request_priority() noexcept {
    if (request_fifo(realtime_priority)) return true;
    rlimit permitted{};
    if (getrlimit(RLIMIT_RTPRIO, &permitted) == 0 && permitted.rlim_cur > 0) {
        const auto most = std::min<rlim_t>(permitted.rlim_cur, realtime_priority);
        if (request_fifo(static_cast<int>(most))) return true;
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    return false;
}

/// The lowest page-aligned address of the `bytes` below the caller's frame: the stack grows down.
void* stack_below(std::size_t bytes) noexcept {
    auto* lowest = static_cast<std::byte*>(__builtin_frame_address(0)) - bytes;
    return lowest - reinterpret_cast<std::uintptr_t>(lowest) % page_bytes;
}

}  // namespace

RealtimeThread::RealtimeThread() noexcept
    : priority_granted_{request_priority()}, stack_{stack_below(stack_bytes), stack_bytes} {}

SignalsBlocked::SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace cueline
