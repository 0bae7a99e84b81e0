// thread_priority_macos.cpp: reads and sets a thread's time constraint.
#include "system/thread_priority.hpp"

#include <mach/mach_init.h>
#include <mach/mach_time.h>
#include <mach/thread_act.h>
#include <mach/thread_policy.h>
#include <pthread.h>

#include <bit>

namespace cueline {

namespace {

constexpr std::uint64_t period_ns = 2'900'000;  // about 128 frames at 44,100: a hint for the scheduler
constexpr std::uint64_t busy_ns = 1'000'000;

std::uint32_t mach_ticks(std::uint64_t ns) noexcept {
    mach_timebase_info_data_t unit{};
    mach_timebase_info(&unit);
    return static_cast<std::uint32_t>(ns * unit.denom / unit.numer);
}

}  // namespace

std::int64_t thread_number() noexcept {
    std::uint64_t number = 0;
    pthread_threadid_np(nullptr, &number);
    return static_cast<std::int64_t>(number);
}

bool thread_exists(std::int64_t /*number*/) noexcept {
    return false;  // macOS finds a thread by its handle only
}

bool has_realtime_priority(std::int64_t /*number*/) noexcept {
    return false;  // macOS shows the policy of a thread by its handle only
}

bool ThreadHandle::has_realtime_priority() const noexcept {
    thread_time_constraint_policy_data_t policy{};
    mach_msg_type_number_t words = THREAD_TIME_CONSTRAINT_POLICY_COUNT;
    boolean_t is_default = 0;
    const mach_port_t thread = pthread_mach_thread_np(std::bit_cast<pthread_t>(handle_));
    const kern_return_t result = thread_policy_get(thread, THREAD_TIME_CONSTRAINT_POLICY,
                                                   reinterpret_cast<thread_policy_t>(&policy), &words, &is_default);
    return result == KERN_SUCCESS && is_default == 0;
}

bool ThreadHandle::request_realtime_priority() const noexcept {
    thread_time_constraint_policy_data_t policy{};
    policy.period = mach_ticks(period_ns);
    policy.computation = mach_ticks(busy_ns);
    policy.constraint = mach_ticks(period_ns);
    policy.preemptible = 1;
    const mach_port_t thread = pthread_mach_thread_np(std::bit_cast<pthread_t>(handle_));
    return thread_policy_set(thread, THREAD_TIME_CONSTRAINT_POLICY, reinterpret_cast<thread_policy_t>(&policy),
                             THREAD_TIME_CONSTRAINT_POLICY_COUNT) == KERN_SUCCESS;
}

}  // namespace cueline
