// tsan_test.cpp: the thread sanitizer must report a ring that publishes with relaxed order. Only its build has this
// file.
#include <gtest/gtest.h>

#include <cstdlib>

#include "broken_memory.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

/// The exit status with which the sanitizer ends a program that has a race.
constexpr int reported = 66;

TEST(ThreadSanitizer, reports_a_ring_that_publishes_without_an_order) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto race = [] {
        goes_wrong_between_threads<Ring<Wide<7>, 64, UnorderedMemory>>(0, 1000);
        std::exit(0);
    };
    EXPECT_EXIT(race(), testing::ExitedWithCode(reported), "ThreadSanitizer: data race");
}

TEST(ThreadSanitizer, accepts_the_ring_itself) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto no_race = [] {
        goes_wrong_between_threads<Ring<Wide<7>, 64>>(0, 1000);
        std::exit(0);
    };
    EXPECT_EXIT(no_race(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cueline::test
