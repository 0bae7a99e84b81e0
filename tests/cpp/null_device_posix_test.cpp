// null_device_posix_test.cpp: the clocked thread, with what Linux grants it and with a small stack.
#include <pthread.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <memory>

#include <cueline/engine/engine.hpp>

#include "devices/null_device.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 128};

std::unique_ptr<Engine> engine_on_null() {
    return std::make_unique<Engine>(std::make_unique<NullDevice>(format), std::make_unique<WaveProcessor>());
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
