// ring_threads_test.cpp: the ring between two threads. On x86 this proves nothing about memory order by itself: run it
// under the thread sanitizer for that (the tsan preset).
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include <cueline/ring.hpp>

#include "broken_memory.hpp"
#include "ring_checks.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

constexpr std::uint64_t messages = 300'000;
constexpr std::uint64_t just_below_wrap = std::numeric_limits<std::uint64_t>::max() - messages / 2;

TEST(RingThreads, messages_arrive_whole_once_and_in_order) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, messages)), "");
}

TEST(RingThreads, a_small_ring_does_too) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 2>>(0, messages)), "");
}

TEST(RingThreads, a_ring_of_one_does_too) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 1>>(0, messages / 10)), "");
}

TEST(RingThreads, a_very_wide_message_does_too) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<64>, 16>>(0, messages)), "");
}

TEST(RingThreads, several_at_once_do_too) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, messages, Way::spans)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 16>>(just_below_wrap, messages, Way::in_place)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 4>>(0, messages, Way::spans)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 64>>(0, messages, Way::spans_in_only)), "");
}

TEST(RingThreads, wrap_around_goes_unnoticed) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 64>>(just_below_wrap, messages)), "");
}

TEST(RingThreads, each_end_can_rely_on_size) {
    using Small = Ring<Wide<1>, 16>;
    EXPECT_EQ(size_misleads<Small>(messages, [](const Small& ring) { return ring.size(); }), "");
}

// The next two break the rules between threads on purpose, which the thread sanitizer would rightly report.

TEST(RingThreads, the_check_catches_slots_that_are_read_too_early) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE((goes_wrong_between_threads<Ring<Wide<7>, 64, SkewedMemory<1>>>(0, messages)), "");
}

TEST(RingThreads, the_check_catches_spans_that_are_torn) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE((goes_wrong_between_threads<Ring<Wide<7>, 64, TornMemory>>(0, messages, Way::spans)), "");
    EXPECT_NE((goes_wrong_between_threads<Ring<Wide<7>, 64, TornMemory>>(0, messages, Way::in_place)), "");
}

TEST(RingThreads, the_check_catches_torn_messages) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE((goes_wrong_between_threads<Ring<Wide<7>, 64, TornMemory>>(0, messages)), "");
}

TEST(RingThreads, the_check_catches_a_size_that_misleads) {
    using Small = Ring<Wide<1>, 16>;
    EXPECT_EQ(size_misleads<Small>(messages, [](const Small& ring) { return ring.size() + 1; }),
              "fewer waited than size() said");
    EXPECT_EQ(
        size_misleads<Small>(messages, [](const Small& ring) { return std::max<std::size_t>(ring.size(), 1) - 1; }),
        "less room than size() said");
}

// A minute long or more: `make test-long` runs it.
TEST(RingThreads, DISABLED_hundreds_of_millions_arrive_in_order) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, 500'000'000)), "");
}

}  // namespace
}  // namespace cueline::test
