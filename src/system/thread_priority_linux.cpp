// thread_priority_linux.cpp: reads and sets a thread's scheduling policy, by its number or its handle.
#include "system/thread_priority.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

namespace cueline {

namespace {

bool is_realtime(int policy) noexcept {
    policy &= ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

bool request_fifo(pthread_t thread, int priority) noexcept {
    sched_param parameters{};
    parameters.sched_priority = priority;
    // A forked child must not inherit a priority that could hang the machine.
    return pthread_setschedparam(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

}  // namespace

std::int64_t thread_number() noexcept {
    return gettid();
}

bool thread_exists(std::int64_t number) noexcept {
    return number != 0 && syscall(SYS_tgkill, getpid(), static_cast<pid_t>(number), 0) == 0;  // no signal is sent
}

bool has_realtime_priority(std::int64_t number) noexcept {
    if (number == 0) return false;
    // Not sched_getscheduler(): musl's only says that it is not supported.
    const auto policy = static_cast<int>(syscall(SYS_sched_getscheduler, static_cast<pid_t>(number)));
    return policy >= 0 && is_realtime(policy);
}

bool ThreadHandle::has_realtime_priority() const noexcept {
    int policy = SCHED_OTHER;
    sched_param parameters{};
    return pthread_getschedparam(std::bit_cast<pthread_t>(handle_), &policy, &parameters) == 0 && is_realtime(policy);
}

bool ThreadHandle::request_realtime_priority() const noexcept {
    const auto thread = std::bit_cast<pthread_t>(handle_);
    if (request_fifo(thread, realtime_priority)) return true;
    rlimit permitted{};
    if (getrlimit(RLIMIT_RTPRIO, &permitted) != 0 || permitted.rlim_cur == 0) return false;
    return request_fifo(thread, static_cast<int>(std::min<rlim_t>(permitted.rlim_cur, realtime_priority)));
}

}  // namespace cueline
