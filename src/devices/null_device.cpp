// null_device.cpp: the thread that keeps the beat.
#include "devices/null_device.hpp"

#include <algorithm>
#include <ctime>

#include <cueline/monotonic.hpp>

#include "system/realtime_thread.hpp"

namespace cueline {

namespace {
// A stop waits no longer than this for a sleeping thread, however long its blocks are.
constexpr std::uint64_t longest_sleep_ns = 20'000'000;
}  // namespace

void NullDevice::start(BlockCallback& callback) {
    stopping_.store(false, std::memory_order_relaxed);  // relaxed: the thread's creation publishes it
    ready_.store(false, std::memory_order_relaxed);
    thread_.start("the null device", [this, &callback] { run(callback); });
    ready_.wait(false, std::memory_order_acquire);  // pairs with the release in run()
}

void NullDevice::stop() noexcept {
    stopping_.store(true, std::memory_order_relaxed);  // relaxed: it asks; the join is what synchronises
    thread_.join();
}

void NullDevice::run(BlockCallback& callback) noexcept {
    const RealtimeThread granted;
    // Relaxed: published by the release of ready_.
    priority_granted_.store(granted.priority_granted(), std::memory_order_relaxed);
    stack_locked_.store(granted.stack_locked(), std::memory_order_relaxed);
    ready_.store(true, std::memory_order_release);
    ready_.notify_one();
    carry_blocks(callback);
}

void NullDevice::carry_blocks(BlockCallback& callback) noexcept {
    const std::uint64_t period_ns = duration_ns(format_.blocksize, format_.samplerate);
    const std::uint64_t origin_ns = monotonic_ns();
    const auto beat_ns = [&](std::uint64_t beat) {
        return origin_ns + duration_ns(beat * format_.blocksize, format_.samplerate);
    };

    std::uint64_t beat = 1;
    while (sleep_until(beat_ns(beat))) {
        const std::uint64_t began_ns = monotonic_ns();
        callback.process(buffers_.block(format_.blocksize), began_ns);
        const std::uint64_t ended_ns = monotonic_ns();
        lateness_.record(began_ns - beat_ns(beat));
        load_.record(ended_ns - began_ns, period_ns);

        ++beat;
        if (ended_ns > beat_ns(beat + 1)) {
            // The beats that have passed are gone, and the one to wait for is half a block ahead at least: a
            // callback that always takes too long must not keep a real-time thread from ever resting.
            const std::uint64_t missed = (ended_ns + period_ns / 2 - beat_ns(beat)) / period_ns + 1;
            xruns_.add(1);
            missed_blocks_.add(missed);
            beat += missed;
        }
    }
}

/// Returns false when the device is to stop.
bool NullDevice::sleep_until(std::uint64_t deadline_ns) const noexcept {
    for (std::uint64_t now_ns = monotonic_ns(); !stopping_.load(std::memory_order_relaxed); now_ns = monotonic_ns()) {
        if (now_ns >= deadline_ns) return true;
        const std::uint64_t wake_ns = std::min(deadline_ns, now_ns + longest_sleep_ns);
        timespec wake{};
        wake.tv_sec = static_cast<std::time_t>(wake_ns / ns_per_second);
        wake.tv_nsec = static_cast<long>(wake_ns % ns_per_second);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr);
    }
    return false;
}

DeviceStats NullDevice::stats() const noexcept {
    return {.xruns = xruns_.get(),
            .missed_blocks = missed_blocks_.get(),
            .load_mean = load_.mean(),
            .load_peak = load_.peak(),
            .realtime_priority = priority_granted_.load(std::memory_order_relaxed),  // relaxed: a report
            .memory_locked = stack_locked_.load(std::memory_order_relaxed) && buffers_.locked() && locked_.granted()};
}

}  // namespace cueline
