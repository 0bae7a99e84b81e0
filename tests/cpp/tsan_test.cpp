// tsan_test.cpp: the thread sanitizer must report a ring, and a latest value, published without an order. In its build
// only.
#include <gtest/gtest.h>

#include <cstdlib>

#include "broken_memory.hpp"
#include "latest_checks.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

/// How the sanitizer ends a program that it has something to say about.
constexpr int reported = 66;

TEST(ThreadSanitizer, reports_a_ring_that_publishes_without_an_order) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto race = [] {
        goes_wrong_between_threads<Ring<Wide<7>, 64, UnorderedMemory>>(0, 1000);
        std::exit(0);
    };
    EXPECT_EXIT(race(), testing::ExitedWithCode(reported), "ThreadSanitizer: data race");
}

TEST(ThreadSanitizer, has_nothing_to_say_of_the_ring_itself) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto no_race = [] {
        goes_wrong_between_threads<Ring<Wide<7>, 64>>(0, 1000);
        std::exit(0);
    };
    EXPECT_EXIT(no_race(), testing::ExitedWithCode(0), "");
}

TEST(ThreadSanitizer, reports_a_latest_value_that_is_published_without_an_order) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto race = [] {
        goes_wrong_between_a_writer_and_a_reader<Latest<Wide<7>, UnorderedMemory>>(1000);
        std::exit(0);
    };
    EXPECT_EXIT(race(), testing::ExitedWithCode(reported), "ThreadSanitizer: data race");
}

TEST(ThreadSanitizer, has_nothing_to_say_of_the_latest_value_itself) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto no_race = [] {
        goes_wrong_between_a_writer_and_a_reader<Latest<Wide<7>>>(1000);
        std::exit(0);
    };
    EXPECT_EXIT(no_race(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cueline::test
