// null_device_posix_test.cpp: the clocked thread, with what Linux grants it, when it is late, and with a small stack.
// Under wine there is no real-time priority: on a busy machine, each run has more late blocks than these tests want.
#include <pthread.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstddef>
#include <memory>

#include <cueline/engine/engine.hpp>

#include "beats.hpp"
#include "devices/null_device.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "rule_breaking.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 128};

std::unique_ptr<Engine> engine_on_null() {
    return std::make_unique<Engine>(std::make_unique<NullDevice>(format), std::make_unique<WaveProcessor>());
}

/// Runs a device whose eleventh callback takes as long as `blocks` blocks, and the others almost no time.
struct Lag {
    explicit Lag(double blocks) : laggard{blocks} {
        device.start(laggard);
        EXPECT_TRUE(eventually([&] { return laggard.blocks.get() > 60; }));
        device.stop();
        stats = device.stats();
    }

    class Laggard final : public BlockCallback {
      public:
        explicit Laggard(double blocks_late) : late_{std::chrono::microseconds{std::lround(2666.7 * blocks_late)}} {}
        void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override {
            beats.process(block, block_ns);
            if (blocks.get() == 10) {
                break_the_rule([this] {
                    const auto until = std::chrono::steady_clock::now() + late_;
                    while (std::chrono::steady_clock::now() < until) {
                    }
                });
            }
            blocks.add(1);
        }
        Beats beats;
        Counter blocks;

      private:
        std::chrono::microseconds late_;
    };

    Laggard laggard;
    NullDevice device{format};
    DeviceStats stats;
};

/// Whether `condition` holds for one of fifty such runs: on a busy machine other blocks may be late too.
template <class Condition>
bool of_a_run_with_a_lag_of(double blocks, Condition condition) {
    for (int attempt = 0; attempt < 50; ++attempt) {
        const Lag lag{blocks};
        if (condition(lag)) return true;
    }
    return false;
}

TEST(NullDevice, counts_an_xrun_and_returns_to_its_deadlines) {
    EXPECT_TRUE(of_a_run_with_a_lag_of(5.2, [](const Lag& lag) {
        return lag.stats.xruns == 1 && lag.stats.missed_blocks == 5 &&
               lag.laggard.beats.rate_error(format, lag.stats.missed_blocks) < 0.02;
    })) << "one xrun; blocks 12 to 16 are missing, and all others came";
    EXPECT_TRUE(of_a_run_with_a_lag_of(5.7, [](const Lag& lag) {
        return lag.stats.xruns == 1 && lag.stats.missed_blocks == 6;
    })) << "at least half a block of rest";
}

TEST(NullDevice, being_late_by_less_than_a_block_is_no_xrun) {
    EXPECT_TRUE(of_a_run_with_a_lag_of(1.5, [](const Lag& lag) {
        return lag.stats.xruns == 0 && lag.stats.missed_blocks == 0 && lag.laggard.beats.rate_error(format, 0) < 0.02;
    }));
}

TEST(NullDevice, says_how_late_after_its_deadline_a_block_began) {
    EXPECT_TRUE(of_a_run_with_a_lag_of(1.5, [](const Lag& lag) {
        return lag.stats.missed_blocks == 0 && lag.device.lateness()->worst_ns() >= 1'333'000;
    })) << "the block after one that takes one and a half blocks begins at least half a block late";
}

TEST(NullDevice, says_what_its_callback_costs) {
    EXPECT_TRUE(of_a_run_with_a_lag_of(3.0, [](const Lag& lag) {
        return lag.stats.load_peak >= 3.0 && lag.stats.load_peak < 4.0 && lag.stats.load_mean >= 3.0 / 70 &&
               lag.stats.load_mean < 3.5 / 60;
    }));
}

TEST(NullDevice, reports_its_priority_when_start_returns) {
    if (geteuid() != 0) GTEST_SKIP() << "an ordinary user is granted nothing";
    const std::unique_ptr<Engine> engine = engine_on_null();
    engine->start();
    const DeviceStats stats = engine->stats().device_stats;
    EXPECT_TRUE(stats.realtime_priority);
    EXPECT_TRUE(stats.memory_locked);
}

TEST(NullDevice, starts_on_a_thread_with_a_small_stack) {
    if (!memory_is_the_systems) GTEST_SKIP() << "a sanitizer wants larger stacks";
    pthread_attr_t before;
    pthread_attr_t small;
    ASSERT_EQ(pthread_getattr_default_np(&before), 0);
    ASSERT_EQ(pthread_getattr_default_np(&small), 0);
    // A processor with many registers, such as aarch64, has a larger minimum.
    const auto least = static_cast<std::size_t>(PTHREAD_STACK_MIN);
    ASSERT_EQ(pthread_attr_setstacksize(&small, std::max(std::size_t{96} * 1024, least)), 0);
    ASSERT_EQ(pthread_setattr_default_np(&small), 0);
    const std::unique_ptr<Engine> engine = engine_on_null();
    engine->start();
    engine->control().ping();
    EXPECT_TRUE(eventually([&] { return engine->stats().events.sent == 1; }));
    engine->stop();
    pthread_setattr_default_np(&before);
    pthread_attr_destroy(&before);
    pthread_attr_destroy(&small);
}

}  // namespace
}  // namespace cueline::test
