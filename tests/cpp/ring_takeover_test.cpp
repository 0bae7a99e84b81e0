// ring_takeover_test.cpp: an end of a ring takes the place of one that died.
#include <gtest/gtest.h>

#include <utility>

#include <cueline/ring.hpp>

#include "ring_checks.hpp"
#include "sanitizers.hpp"
#include "takeover_checks.hpp"

namespace cueline::test {
namespace {

TEST(RingTakeover, replaces_a_producer_that_died_at_any_access) {
    if (realtime_sanitizer) GTEST_SKIP() << "a throw allocates, and the sanitizer would rightly report it";
    EXPECT_EQ(producers_takeover_fails<1>(), "");
    EXPECT_EQ(producers_takeover_fails<2>(), "");
    EXPECT_EQ(producers_takeover_fails<4>(), "");
}

TEST(RingTakeover, replaces_a_consumer_that_died_at_any_access_and_may_repeat_its_last_call) {
    if (realtime_sanitizer) GTEST_SKIP() << "a throw allocates, and the sanitizer would rightly report it";
    EXPECT_EQ(consumers_takeover_fails<1>(), "");
    EXPECT_EQ(consumers_takeover_fails<2>(), "");
    EXPECT_EQ(consumers_takeover_fails<4>(), "");
}

TEST(RingTakeover, cannot_throw_and_claims_the_end) {
    using P = Producer<Ring<int, 4>>;
    using C = Consumer<Ring<int, 4>>;
    static_assert(noexcept(P::take_over(std::declval<Ring<int, 4>&>())));
    static_assert(noexcept(C::take_over(std::declval<Ring<int, 4>&>())));
    Ring<int, 4> ring;
    {
        const P producer = P::take_over(ring);
        const C consumer = C::take_over(ring);
        EXPECT_THROW(P{ring}, EndTakenError);
        EXPECT_THROW(C{ring}, EndTakenError);
    }
    EXPECT_NO_THROW(P{ring}) << "it gives up its end as any other";
    EXPECT_NO_THROW(C{ring});
}

}  // namespace
}  // namespace cueline::test
