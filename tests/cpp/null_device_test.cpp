// null_device_test.cpp: the clocked thread, beyond any_device_test.cpp. The tests check counts and rates only: on a
// busy machine nobody can promise when a thread wakes.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include <cueline/engine/engine.hpp>

#include "beats.hpp"
#include "devices/null_device.hpp"
#include "patience.hpp"
#include "processors.hpp"

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
