// rtsan_test.cpp: RealtimeSanitizer must report each mutant with a readable stack. `make rtsan` builds it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <cueline/engine/engine.hpp>
#include "devices/offline_device.hpp"
#include "rule_breaking.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {
namespace {

/// The audio thread of an engine handles one message by doing `Act`.
template <class Act>
void handle_one() {
    auto own_device = std::make_unique<OfflineDevice>(Format{});
    OfflineDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<RuleBreaker<Act>>()};
    engine.start();
    engine.control().send(kind::first_user, 0);
    std::vector<float> samples(std::size_t{device.format().blocksize} * device.format().outputs);
    device.render(samples);
}

class RealtimeSanitizer : public testing::Test {
  protected:
    void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(RealtimeSanitizer, lets_a_sound_processor_pass) {
    handle_one<DoesNothing>();
}

/// The report names the function that was called. Its stack has the mutant and the engine, with file and line.
std::string report_of(const std::string& call, const std::string& mutant) {
    return "RealtimeSanitizer: unsafe-library-call.*`" + call + "` in real-time context.*" + mutant +
           "::act\\(\\) [^ ]*rule_breakers.hpp:[0-9]+.*EngineBlock::process\\([^ ]*.*engine_block.cpp:[0-9]+";
}

TEST_F(RealtimeSanitizer, catches_an_allocation) {
    EXPECT_DEATH(handle_one<Allocates>(), report_of("malloc", "Allocates"));
}

TEST_F(RealtimeSanitizer, catches_a_string_too_long) {
    EXPECT_DEATH(handle_one<MakesALongString>(), report_of("malloc", "MakesALongString"));
}

TEST_F(RealtimeSanitizer, catches_a_vector_that_grows) {
    EXPECT_DEATH(handle_one<GrowsAVector>(), report_of("malloc", "GrowsAVector"));
}

TEST_F(RealtimeSanitizer, catches_a_mutex) {
    EXPECT_DEATH(handle_one<LocksAMutex>(), report_of("pthread_mutex_lock", "LocksAMutex"));
}

TEST_F(RealtimeSanitizer, catches_a_printf) {
    EXPECT_DEATH(handle_one<Prints>(), report_of("printf", "Prints"));
}

TEST_F(RealtimeSanitizer, catches_a_sleep) {
    EXPECT_DEATH(handle_one<Sleeps>(), report_of("(clock_)?nanosleep", "Sleeps"));
}

TEST_F(RealtimeSanitizer, catches_a_throw) {
    EXPECT_DEATH(handle_one<Throws>(), report_of("malloc", "Throws"));
}

}  // namespace
}  // namespace cueline::test
