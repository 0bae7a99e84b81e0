// ring_threads_test.cpp: the ring between two threads. On x86 this alone proves nothing about memory order; the thread
// sanitizer does (the tsan preset).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
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

TEST(RingThreads, messages_arrive_in_order_through_two_slots) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 2>>(0, messages)), "");
}

TEST(RingThreads, messages_arrive_in_order_through_one_slot) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 1>>(0, messages / 10)), "");
}

TEST(RingThreads, very_wide_messages_arrive_whole) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<64>, 16>>(0, messages)), "");
}

TEST(RingThreads, spans_arrive_whole_once_and_in_order) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, messages, Way::spans)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 16>>(just_below_wrap, messages, Way::in_place)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 4>>(0, messages, Way::spans)), "");
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 64>>(0, messages, Way::spans_in_only)), "");
}

TEST(RingThreads, messages_arrive_in_order_across_the_index_wrap) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>, 64>>(just_below_wrap, messages)), "");
}

TEST(RingThreads, each_end_can_rely_on_size) {
    using Small = Ring<Wide<1>, 16>;
    EXPECT_EQ(size_misleads<Small>(messages, [](const Small& ring) { return ring.size(); }), "");
}

// The next tests contain data races on purpose. The thread sanitizer would report them.

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

// This takes a minute or more: `make test-long` runs it.
TEST(RingThreads, DISABLED_hundreds_of_millions_arrive_in_order) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, 500'000'000, Way::one_by_one, std::chrono::hours{1})), "");
}

}  // namespace
}  // namespace cueline::test
