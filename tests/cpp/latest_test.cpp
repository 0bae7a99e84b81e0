// latest_test.cpp: the latest value, on one thread and between two. On x86 the test with threads alone proves nothing
// about memory order; `make model` and the thread sanitizer (the tsan preset) do.
#include <gtest/gtest.h>

#include <cstdint>
#include <type_traits>

#include <cueline/latest.hpp>

#include "broken_memory.hpp"
#include "latest_checks.hpp"
#include "ring_checks.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using Value = Wide<9>;

static_assert(std::is_standard_layout_v<Latest<Value>> && std::is_trivially_destructible_v<Latest<Value>>,
              "it can lie in a Link");

TEST(Latest, before_any_write_the_first_value_is_read_and_is_not_new) {
    Latest<Value> latest{Value::of(7)};
    Value value = Value::of(0);
    EXPECT_FALSE(latest.read(value));
    EXPECT_EQ(value, Value::of(7));
}

TEST(Latest, a_written_value_is_new_once_and_stays) {
    Latest<Value> latest{Value::of(0)};
    Value value = Value::of(0);
    latest.write(Value::of(1));
    EXPECT_TRUE(latest.read(value));
    EXPECT_EQ(value, Value::of(1));
    value = Value::of(0);
    EXPECT_FALSE(latest.read(value));
    EXPECT_EQ(value, Value::of(1));
}

TEST(Latest, the_last_of_many_writes_is_read) {
    Latest<Value> latest{Value::of(0)};
    Value value = Value::of(0);
    std::uint64_t number = 0;
    for (const int writes : {1, 2, 3, 4, 5, 1000, 1}) {
        for (int write = 0; write < writes; ++write) latest.write(Value::of(++number));
        EXPECT_TRUE(latest.read(value));
        EXPECT_EQ(value, Value::of(number));
        EXPECT_FALSE(latest.read(value));
    }
}

TEST(Latest, the_same_value_written_again_is_new_again) {
    Latest<Value> latest{Value::of(0)};
    Value value = Value::of(0);
    latest.write(Value::of(1));
    EXPECT_TRUE(latest.read(value));
    latest.write(Value::of(1));
    EXPECT_TRUE(latest.read(value));
}

constexpr std::uint64_t writes = 2'000'000;

TEST(LatestThreads, values_are_whole_and_never_go_back_and_the_last_one_is_read) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_a_reader<Latest<Value>>(writes), "");
}

TEST(LatestThreads, very_wide_values_are_whole) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_a_reader<Latest<Wide<64>>>(writes / 4), "");
}

TEST(LatestThreads, values_of_one_word_are_whole) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_a_reader<Latest<Wide<1>>>(writes), "");
}

// The next tests contain data races on purpose. The thread sanitizer would report them.

TEST(LatestThreads, the_check_catches_a_writer_that_keeps_its_slot) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE((goes_wrong_between_a_writer_and_a_reader<Latest<Wide<64>, StayingMemory>>(writes)), "");
}

TEST(LatestThreads, the_check_catches_torn_values) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE((goes_wrong_between_a_writer_and_a_reader<Latest<Value, TornMemory>>(writes)), "");
}

TEST(LatestThreads, the_check_catches_a_writer_that_publishes_nothing) {
    EXPECT_EQ((goes_wrong_between_a_writer_and_a_reader<Latest<Value, MuteMemory>>(1000)),
              "the last value was not read");
}

}  // namespace
}  // namespace cueline::test
