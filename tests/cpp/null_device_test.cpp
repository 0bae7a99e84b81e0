// null_device_test.cpp: the clocked thread. Counts and rates only: when a busy machine wakes it is nobody's to promise.
#include "null_device.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "engine.hpp"
#include "processors.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

constexpr Format format{.samplerate = 48'000, .channels = 2, .blocksize = 128};

/// Waits until `condition` holds, or gives up after ten seconds.
template <class Condition>
bool eventually(Condition condition) {
    for (auto waited = 0ms; waited < 10'000ms; waited += 1ms) {
        if (condition()) return true;
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

std::unique_ptr<Engine> engine_on_null() {
    return std::make_unique<Engine>(std::make_unique<NullDevice>(format), std::make_unique<WaveProcessor>());
}

/// Notes when its blocks began.
class Beats final : public BlockCallback {
  public:
    void process(const AudioBlock&, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override {
        if (blocks_++ == 0) first_ns_ = block_ns;
        last_ns_ = block_ns;
    }

    /// How far the number of beats, those left out too, is from what it should be, as a fraction. Once it stopped.
    [[nodiscard]] double rate_error(const Format& expected, std::uint64_t missed) const {
        const double elapsed_s = static_cast<double>(last_ns_ - first_ns_) / 1e9;
        const auto beats = static_cast<double>(blocks_ - 1 + missed);
        return std::abs(beats / (elapsed_s * expected.samplerate / expected.blocksize) - 1);
    }

  private:
    std::uint64_t blocks_ = 0;
    std::uint64_t first_ns_ = 0;
    std::uint64_t last_ns_ = 0;
};

/// Runs the device for a second, and says how far its rate is from `format`'s.
double rate_error_of(const Format& running) {
    Beats beats;
    NullDevice device{running};
    device.start(beats);
    std::this_thread::sleep_for(1s);
    device.stop();
    return beats.rate_error(format, device.stats().missed_blocks);
}

TEST(NullDevice, runs_the_right_number_of_blocks_in_a_second) {
    // Exact on average; a single wake-up may be late by more than 2 % of a second on a busy machine: three tries.
    double error = 1;
    for (int attempt = 0; attempt < 3 && error > 0.02; ++attempt) error = rate_error_of(format);
    EXPECT_LT(error, 0.02);
}

TEST(NullDevice, the_rate_check_catches_a_wrong_rate) {
    Format slow = format;
    slow.samplerate = 44'100;
    EXPECT_GT(rate_error_of(slow), 0.02);
}

TEST(NullDevice, counts_an_xrun_and_takes_up_the_beat_again) {
    /// Takes five blocks' time, once.
    class Laggard final : public BlockCallback {
      public:
        void process(const AudioBlock&, std::uint64_t) noexcept CUELINE_NONBLOCKING override {
            if (blocks.get() == 10) {
                break_the_rule([] {
                    const auto until = std::chrono::steady_clock::now() + 5 * 2667us;
                    while (std::chrono::steady_clock::now() < until) {
                    }
                });
            }
            blocks.add(1);
        }
        Counter blocks;
    };
    Laggard laggard;
    NullDevice device{format};
    device.start(laggard);
    ASSERT_TRUE(eventually([&] { return laggard.blocks.get() > 20; }));
    device.stop();
    const DeviceStats stats = device.stats();
    EXPECT_GE(stats.xruns, 1U);
    EXPECT_GE(stats.missed_blocks, 4U);
    EXPECT_GE(stats.load_peak, 5.0);
    EXPECT_LT(stats.load_mean, stats.load_peak);
}

TEST(NullDevice, its_audio_is_continuous) {
    /// Fails at the first block that does not begin where the one before ended.
    class Follower final : public Processor {
      public:
        void prepare(const Format&) override {}
        bool handle(const Message&, EventSender&) noexcept CUELINE_NONBLOCKING override { return false; }
        void render(const AudioBlock& block, EventSender&) noexcept CUELINE_NONBLOCKING override {
            if (block.frame != next_) gaps.add(1);
            next_ = block.frame + block.frames;
        }
        Counter gaps;

      private:
        std::uint64_t next_ = 0;
    };
    auto follower = std::make_unique<Follower>();
    const Counter& gaps = follower->gaps;
    Engine engine{std::make_unique<NullDevice>(format), std::move(follower)};
    for (int round = 0; round < 3; ++round) {
        const std::uint64_t until = engine.stats().blocks + 20;
        engine.start();
        ASSERT_TRUE(eventually([&] { return engine.stats().blocks >= until; }));
        engine.stop();
    }
    EXPECT_EQ(gaps.get(), 0U);
    EXPECT_EQ(engine.stats().frames, engine.stats().blocks * format.blocksize);
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

TEST(NullDevice, start_and_stop_may_come_twice) {
    const std::unique_ptr<Engine> engine = engine_on_null();
    engine->stop();
    engine->start();
    engine->start();
    ASSERT_TRUE(eventually([&] { return engine->stats().blocks > 2; }));
    engine->stop();
    engine->stop();
    const std::uint64_t blocks = engine->stats().blocks;
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(engine->stats().blocks, blocks) << "a stopped engine runs no block";
}

TEST(NullDevice, two_engines_run_at_once) {
    const std::unique_ptr<Engine> one = engine_on_null();
    const std::unique_ptr<Engine> two = engine_on_null();
    one->start();
    two->start();
    one->control().ping();
    ASSERT_TRUE(eventually([&] { return one->stats().events.sent == 1 && two->stats().blocks > 10; }));
    EXPECT_EQ(two->stats().events.sent, 0U);
    one->stop();
    const std::uint64_t blocks = two->stats().blocks;
    EXPECT_TRUE(eventually([&] { return two->stats().blocks > blocks + 10; })) << "one stopped, the other goes on";
}

TEST(NullDevice, can_be_destroyed_in_every_state) {
    engine_on_null().reset();
    {
        const std::unique_ptr<Engine> running = engine_on_null();
        running->start();
    }
    {
        const std::unique_ptr<Engine> stopped = engine_on_null();
        stopped->start();
        stopped->stop();
    }
    {
        const std::unique_ptr<Engine> with_commands_waiting = engine_on_null();
        while (with_commands_waiting->control().ping() == Status::ok) {
        }
    }
    {
        const std::unique_ptr<Engine> with_events_waiting = engine_on_null();
        with_events_waiting->start();
        with_events_waiting->control().send(kind::flood, std::uint32_t{2000});
        ASSERT_TRUE(eventually([&] { return with_events_waiting->stats().events.dropped > 0; }));
    }
}

TEST(NullDevice, stops_soon_though_its_blocks_are_long) {
    Format slow = format;
    slow.samplerate = 1000;
    slow.blocksize = 8192;  // more than eight seconds
    Engine engine{std::make_unique<NullDevice>(slow), std::make_unique<SilenceProcessor>()};
    engine.start();
    const auto before = std::chrono::steady_clock::now();
    engine.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before, 4s) << "far less than a block";
}

TEST(NullDevice, control_threads_may_start_and_stop_at_once) {
    const std::unique_ptr<Engine> engine = engine_on_null();
    std::vector<std::jthread> threads;
    for (int count = 0; count < 4; ++count) {
        threads.emplace_back([&] {
            for (int round = 0; round < 25; ++round) {
                engine->start();
                engine->stop();
            }
        });
    }
}

}  // namespace
}  // namespace cueline::test
