// null_device.cpp: runs a block at each deadline.
#include "devices/null_device.hpp"

#include <algorithm>

#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/realtime_thread.hpp"

namespace cueline {

namespace {
// However long the blocks are, stop() waits no longer than this for a sleeping thread.
constexpr std::uint64_t max_sleep_ns = 20'000'000;
}  // namespace

void NullDevice::start(BlockCallback& callback) {
    stopping_.store(false, std::memory_order_relaxed);  // relaxed: the thread's creation publishes it
    ready_ = {};
    const std::future<void> ready = ready_.get_future();
    thread_.start("the null device", [this, &callback] { run(callback); });
    ready.wait();
}

void NullDevice::stop() noexcept {
    stopping_.store(true, std::memory_order_relaxed);  // relaxed: a request; the join synchronises
    thread_.join();
}

void NullDevice::run(BlockCallback& callback) noexcept {
    const RealtimeThread granted;
    // Relaxed: ready_ publishes both.
    priority_granted_.store(granted.priority_granted(), std::memory_order_relaxed);
    stack_locked_.store(granted.stack_locked(), std::memory_order_relaxed);
    ready_.set_value();
    run_blocks(callback);
}

void NullDevice::run_blocks(BlockCallback& callback) noexcept {
    const std::uint64_t period_ns = std::max<std::uint64_t>(1, duration_ns(format_.blocksize, format_.samplerate));
    const std::uint64_t origin_ns = monotonic_ns();
    const auto deadline_ns = [&](std::uint64_t block) {
        return origin_ns + duration_ns(block * format_.blocksize, format_.samplerate);
    };

    std::uint64_t block = 1;
    while (wait_until(deadline_ns(block))) {
        const std::uint64_t began_ns = monotonic_ns();
        callback.process(buffers_.block(format_.blocksize), began_ns);
        const std::uint64_t ended_ns = monotonic_ns();
        buffers_.loop_back(format_.blocksize);
        lateness_.record(began_ns - deadline_ns(block));
        load_.record(ended_ns - began_ns, period_ns);

        ++block;
        if (ended_ns > deadline_ns(block + 1)) {
            // Leave out the blocks whose deadline has passed, and wait for half a block at least: even if a callback
            // always takes too long, a real-time thread must rest now and then.
            const std::uint64_t missed = (ended_ns + period_ns / 2 - deadline_ns(block)) / period_ns + 1;
            xruns_.add(1);
            missed_blocks_.add(missed);
            block += missed;
        }
    }
}

/// Returns false if the device must stop.
bool NullDevice::wait_until(std::uint64_t deadline_ns) const noexcept {
    for (std::uint64_t now_ns = monotonic_ns(); !stopping_.load(std::memory_order_relaxed); now_ns = monotonic_ns()) {
        if (now_ns >= deadline_ns) return true;
        sleep_until_ns(std::min(deadline_ns, now_ns + max_sleep_ns));
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
