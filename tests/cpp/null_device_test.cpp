// null_device_test.cpp: the clocked thread, beyond any_device_test.cpp. The tests check counts and rates only: on a
// busy machine nobody can promise when a thread wakes.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include <cueline/engine/engine.hpp>

#include "beats.hpp"
#include "devices/null_device.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "rule_breaking.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 128};

std::unique_ptr<Engine> engine_on_null() {
    return std::make_unique<Engine>(std::make_unique<NullDevice>(format), std::make_unique<WaveProcessor>());
}

/// Runs the device for a second. Returns how far its rate is from `format`'s, as a fraction.
double rate_error_of(const Format& running) {
    Beats beats;
    NullDevice device{running};
    device.start(beats);
    std::this_thread::sleep_for(1s);
    device.stop();
    return beats.rate_error(format, device.stats().missed_blocks);
}

TEST(NullDevice, the_rate_check_catches_a_wrong_rate) {
    Format slow = format;
    slow.samplerate = 44'100;
    EXPECT_GT(rate_error_of(slow), 0.02);
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

TEST(NullDevice, says_what_its_callback_costs) {
    EXPECT_TRUE(of_a_run_with_a_lag_of(3.0, [](const Lag& lag) {
        return lag.stats.load_peak >= 3.0 && lag.stats.load_peak < 4.0 && lag.stats.load_mean >= 3.0 / 70 &&
               lag.stats.load_mean < 3.5 / 60;
    }));
}

TEST(NullDevice, starts_and_stops_two_hundred_times) {
    const std::unique_ptr<Engine> engine = engine_on_null();
    for (int round = 0; round < 200; ++round) {
        engine->start();
        engine->control().ping();
        engine->stop();
    }
    engine->start();
    ASSERT_TRUE(eventually([&] { return engine->stats().events.sent == 200; })) << "no ping was lost meanwhile";
}

TEST(NullDevice, stops_soon_though_its_blocks_are_long) {
    Format slow = format;
    slow.samplerate = 1;
    slow.blocksize = 8192;  // more than two hours
    Engine engine{std::make_unique<NullDevice>(slow), std::make_unique<SilenceProcessor>()};
    engine.start();
    engine.stop();  // if it waited for a block, this test would not end
}

}  // namespace
}  // namespace cueline::test
