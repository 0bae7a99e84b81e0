// ring_test.cpp: the ring on one thread: bounds, order, wrap-around, its ends, and a property test.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <cueline/ring.hpp>

#include "broken_memory.hpp"
#include "ring_checks.hpp"
#include "rule_breaking.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using Word = Wide<1>;
constexpr std::uint64_t just_below_wrap = std::numeric_limits<std::uint64_t>::max() - 700;
constexpr std::uint64_t just_below_32_bits = std::numeric_limits<std::uint32_t>::max() - 700ULL;

TEST(Ring, all_of_its_slots_are_usable) {
    Ring<int> ring;
    Producer producer{ring};
    for (int number = 0; number < 1024; ++number) ASSERT_EQ(producer.try_push(number), Status::ok) << number;
    EXPECT_EQ(producer.try_push(1024), Status::full);
}

TEST(Ring, full_ring_refuses_and_keeps_order) {
    Ring<int, 4> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    for (int number = 0; number < 4; ++number) ASSERT_EQ(producer.try_push(number), Status::ok);
    for (int number = 90; number < 99; ++number) ASSERT_EQ(producer.try_push(number), Status::full);
    EXPECT_EQ(ring.size(), 4U);
    for (int number = 0; number < 4; ++number) {
        int popped = -1;
        ASSERT_EQ(consumer.try_pop(popped), Status::ok);
        EXPECT_EQ(popped, number);
    }
    int untouched = -1;
    EXPECT_EQ(consumer.try_pop(untouched), Status::empty);
    EXPECT_EQ(untouched, -1);
}

TEST(Ring, one_slot_is_enough) {
    Ring<int, 1> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    for (int number = 0; number < 10; ++number) {
        ASSERT_EQ(producer.try_push(number), Status::ok);
        ASSERT_EQ(producer.try_push(-1), Status::full);
        int popped = -1;
        ASSERT_EQ(consumer.try_pop(popped), Status::ok);
        EXPECT_EQ(popped, number);
        ASSERT_EQ(consumer.try_pop(popped), Status::empty);
    }
}

TEST(Ring, room_made_by_a_pop_is_room_for_a_push) {
    Ring<int, 2> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    int popped = 0;
    producer.try_push(1);
    producer.try_push(2);
    ASSERT_EQ(producer.try_push(3), Status::full);
    consumer.try_pop(popped);
    EXPECT_EQ(producer.try_push(3), Status::ok);
    EXPECT_EQ(producer.try_push(4), Status::full);
}

TEST(Ring, head_tail_and_size_can_be_watched) {
    Ring<int> ring{7};
    Producer producer{ring};
    Consumer consumer{ring};
    EXPECT_EQ(ring.head(), 7U);
    EXPECT_EQ(ring.tail(), 7U);
    producer.try_push(1);
    producer.try_push(2);
    int popped = 0;
    consumer.try_pop(popped);
    EXPECT_EQ(ring.head(), 8U);
    EXPECT_EQ(ring.tail(), 9U);
    EXPECT_EQ(ring.size(), 1U);
}

/// A ring in memory that is zeroed, on which no constructor has run.
template <class RingType>
class ZeroedRing {
  public:
    RingType& operator*() { return *static_cast<RingType*>(memory_.get()); }

  private:
    static constexpr std::align_val_t alignment{alignof(RingType)};
    struct Free {
        void operator()(void* memory) const { ::operator delete(memory, alignment); }
    };
    std::unique_ptr<void, Free> memory_{std::memset(::operator new(sizeof(RingType), alignment), 0, sizeof(RingType))};
};

TEST(Ring, zeroed_memory_is_an_empty_ring) {
    using Small = Ring<Word, 4>;
    static_assert(std::is_standard_layout_v<Small> && std::is_trivially_destructible_v<Small>);
    ZeroedRing<Small> memory;
    Small& ring = *memory;
    EXPECT_EQ(ring.size(), 0U);
    Producer producer{ring};
    Consumer consumer{ring};
    EXPECT_THROW(Producer{ring}, EndTakenError);
    std::vector<Word> popped(4, Word::of(0));
    EXPECT_EQ(consumer.try_pop(std::span{popped}), 0U) << "no slot of a zeroed ring holds a message";
    for (std::uint64_t lap = 0; lap < 3; ++lap) {
        for (std::uint64_t number = 1; number <= 4; ++number) {
            ASSERT_EQ(producer.try_push(Word::of(number)), Status::ok) << "lap " << lap;
        }
        ASSERT_EQ(producer.try_push(Word::of(5)), Status::full);
        ASSERT_EQ(consumer.try_pop(std::span{popped}), 4U);
        for (std::uint64_t number = 1; number <= 4; ++number) EXPECT_EQ(popped[number - 1], Word::of(number));
        ASSERT_EQ(consumer.try_pop(popped[0]), Status::empty);
    }
}

TEST(Ring, a_message_needs_no_default_constructor) {
    struct Note {
        explicit Note(int midi_pitch) : pitch{midi_pitch} {}
        int pitch;
    };
    Ring<Note, 8> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    producer.try_push(Note{60});
    Note note{0};
    EXPECT_EQ(consumer.try_pop(note), Status::ok);
    EXPECT_EQ(note.pitch, 60);
}

// A slot is a number of whole cache lines. (g++ 12 takes the last of two alignas, not the strictest. The benchmarks
// found it.)
static_assert(sizeof(Ring<Wide<7>>) == 65'536 + 2 * false_sharing_bytes &&
              alignof(Ring<Wide<7>>) == false_sharing_bytes);
static_assert(sizeof(Ring<Wide<4>>) == 65'536 + 2 * false_sharing_bytes);
static_assert(sizeof(Ring<Wide<8>>) == 131'072 + 2 * false_sharing_bytes);

TEST(Ring, a_message_may_be_of_any_size_and_alignment) {
    struct alignas(128) Aligned {
        int number;
    };
    struct Odd {
        std::array<char, 3> bytes;
    };
    struct Long {
        std::array<char, 200> bytes;
    };
    const auto passes = [](const auto& message, auto bytes_of) {
        using T = std::remove_cvref_t<decltype(message)>;
        const auto ring = std::make_unique<Ring<T, 2>>();
        Producer producer{*ring};
        Consumer consumer{*ring};
        T popped{};
        return producer.try_push(message) == Status::ok && consumer.try_pop(popped) == Status::ok &&
               bytes_of(popped) == bytes_of(message);
    };
    EXPECT_TRUE(passes(Aligned{7}, [](const Aligned& message) { return message.number; }));
    EXPECT_TRUE(passes(Odd{{1, 2, 3}}, [](const Odd& message) { return message.bytes; }));
    EXPECT_TRUE(passes(Long{{1, 2, 3}}, [](const Long& message) { return message.bytes; }));
}

TEST(RingSpans, a_push_accepts_as_many_as_there_is_room_for) {
    Ring<int, 4> ring;
    Producer producer{ring};
    const std::vector<int> numbers{1, 2, 3, 4, 5, 6};
    EXPECT_EQ(producer.try_push(std::span{numbers}.first(3)), 3U);
    EXPECT_EQ(producer.try_push(std::span{numbers}.subspan(3)), 1U);
    EXPECT_EQ(producer.try_push(std::span{numbers}.subspan(4)), 0U);
    Consumer consumer{ring};
    for (int expected = 1; expected <= 4; ++expected) {
        int popped = 0;
        ASSERT_EQ(consumer.try_pop(popped), Status::ok);
        EXPECT_EQ(popped, expected);
    }
}

TEST(RingSpans, a_pop_takes_all_that_wait_and_leaves_the_rest_of_the_span) {
    Ring<int, 4> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    for (int number = 1; number <= 3; ++number) producer.try_push(number);
    std::vector<int> numbers(5, -1);
    EXPECT_EQ(consumer.try_pop(std::span{numbers}.first(2)), 2U);
    EXPECT_EQ(consumer.try_pop(std::span{numbers}.subspan(2)), 1U);
    EXPECT_EQ(consumer.try_pop(std::span{numbers}), 0U);
    EXPECT_EQ(numbers, (std::vector<int>{1, 2, 3, -1, -1}));
}

TEST(RingSpans, an_empty_span_changes_nothing) {
    Ring<int, 4> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    EXPECT_EQ(producer.try_push(std::span<const int>{}), 0U);
    producer.try_push(1);
    EXPECT_EQ(consumer.try_pop(std::span<int>{}), 0U);
    EXPECT_EQ(consumer.consume([](int) noexcept { FAIL() << "the greatest count is 0"; }, 0), 0U);
    EXPECT_EQ(ring.size(), 1U);
}

TEST(RingSpans, slots_read_in_place_are_free_only_after_the_last_read) {
    Ring<int, 2> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    producer.try_push(1);
    producer.try_push(2);
    std::vector<int> seen;
    const std::size_t taken = consumer.consume([&](int number) noexcept {
        seen.push_back(number);
        EXPECT_EQ(producer.try_push(9), Status::full);
    });
    EXPECT_EQ(taken, 2U);
    EXPECT_EQ(seen, (std::vector<int>{1, 2}));
    EXPECT_EQ(producer.try_push(3), Status::ok);
}

TEST(RingSpans, produce_fills_each_free_slot_once_and_the_first_one_last) {
    Ring<int, 4> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    std::vector<std::size_t> places;
    const auto fill = [&places](std::size_t place, int& message) noexcept {
        places.push_back(place);
        message = static_cast<int>(place) + 1;
        return true;
    };
    EXPECT_EQ(producer.produce(fill, 0), 0U);
    EXPECT_EQ(producer.produce(fill, 9), 4U);
    EXPECT_EQ(producer.produce(fill, 9), 0U);
    EXPECT_EQ(places, (std::vector<std::size_t>{1, 2, 3, 0}));
    std::vector<int> popped(4);
    EXPECT_EQ(consumer.try_pop(std::span{popped}), 4U);
    EXPECT_EQ(popped, (std::vector<int>{1, 2, 3, 4}));
}

TEST(RingSpans, produce_pushes_nothing_if_it_gives_up) {
    Ring<int, 4> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    int popped = -1;
    for (int number = 0; number < 9; ++number) {  // more than a lap, so that every slot is used twice
        for (const std::size_t refused : {3U, 2U, 1U, 0U}) {
            const auto give_up = [refused](std::size_t place, int& message) noexcept {
                message = 7;
                return place != refused;
            };
            EXPECT_EQ(producer.produce(give_up, 4), 0U);
            EXPECT_EQ(ring.size(), 0U);
            ASSERT_EQ(consumer.try_pop(popped), Status::empty);
            ASSERT_EQ(producer.try_push(number), Status::ok);
            ASSERT_EQ(consumer.try_pop(popped), Status::ok);
            EXPECT_EQ(popped, number);
            ASSERT_EQ(consumer.try_pop(popped), Status::empty) << "messages that were given up are not there";
        }
    }
}

TEST(RingEnds, a_second_living_producer_is_refused) {
    Ring<int> ring;
    const Producer producer{ring};
    EXPECT_THROW(Producer{ring}, EndTakenError);
    EXPECT_NO_THROW(Consumer{ring});
}

TEST(RingEnds, a_second_living_consumer_is_refused) {
    Ring<int> ring;
    const Consumer consumer{ring};
    EXPECT_THROW(Consumer{ring}, EndTakenError);
    EXPECT_NO_THROW(Producer{ring});
}

TEST(RingEnds, neither_look_at_the_rings_claim_nor_make_one_if_the_side_is_claimed_already) {
    using P = Producer<Ring<int>>;
    using C = Consumer<Ring<int>>;
    static_assert(std::is_nothrow_constructible_v<P, Ring<int>&, AlreadyClaimed>);
    static_assert(std::is_nothrow_constructible_v<C, Ring<int>&, AlreadyClaimed>);

    Ring<int> ring{5};
    {
        Producer producer{ring, already_claimed};
        Consumer consumer{ring, already_claimed};
        int popped = 0;
        ASSERT_EQ(producer.try_push(1), Status::ok);
        P moved{std::move(producer)};
        ASSERT_EQ(moved.try_push(2), Status::ok);
        ASSERT_EQ(consumer.try_pop(popped), Status::ok);
        EXPECT_EQ(popped, 1);
        EXPECT_NO_THROW(P{ring}) << "the ring's own claim is free";
        EXPECT_NO_THROW(C{ring});
    }
    const Producer claimed{ring};
    {
        const Producer beside{ring, already_claimed};
        const Consumer consumer{ring, already_claimed};
    }
    EXPECT_THROW(P{ring}, EndTakenError) << "the end of another claim leaves the ring's own";
    Consumer next{ring, already_claimed};
    int popped = 0;
    ASSERT_EQ(next.try_pop(popped), Status::ok);
    EXPECT_EQ(popped, 2) << "a new end continues where the last one stopped";
}

template <template <class> class End>
std::string refusal(Ring<int>& ring) {
    try {
        const End<Ring<int>> second{ring};
    } catch (const EndTakenError& error) {
        return error.what();
    }
    return "not refused";
}

TEST(RingEnds, the_refusal_says_what_to_do) {
    Ring<int> ring;
    const Producer producer{ring};
    const Consumer consumer{ring};
    EXPECT_EQ(refusal<Producer>(ring), "this ring has a living producer already: destroy it first, or move it");
    EXPECT_EQ(refusal<Consumer>(ring), "this ring has a living consumer already: destroy it first, or move it");
}

/// A memory policy that reports by throwing, as a model checker's does. The exception must pass through the ring.
struct ReportingMemory : StdMemory {
    static constexpr bool never_throws = false;
    struct Finding {};
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        CUELINE_RULES_OFF
        void store(Value value, std::memory_order order) CUELINE_NONBLOCKING {
            // Only when a message is published, not when a ring is made or an end is released.
            if constexpr (std::is_same_v<Value, std::uint64_t>) {
                if (order == std::memory_order_release) throw Finding{};
            }
            std::atomic<Value>::store(value, order);
        }
        CUELINE_RULES_ON
    };
};

TEST(RingEnds, let_a_checkers_exception_pass) {
    if (realtime_sanitizer) GTEST_SKIP() << "a throw allocates, and the sanitizer would rightly report it";
    Ring<int, 4, ReportingMemory> ring;
    Producer producer{ring};
    EXPECT_THROW(producer.try_push(1), ReportingMemory::Finding);
    static_assert(!noexcept(producer.try_push(1)));
    static_assert(noexcept(std::declval<Producer<Ring<int>>&>().try_push(1)));
}

TEST(RingEnds, a_new_end_continues_where_the_last_one_stopped) {
    Ring<int, 4> ring;
    for (int number = 0; number < 10; ++number) {
        ASSERT_EQ(Producer{ring}.try_push(number), Status::ok);
        int popped = -1;
        ASSERT_EQ(Consumer{ring}.try_pop(popped), Status::ok);
        EXPECT_EQ(popped, number);
    }
}

TEST(RingEnds, they_move_and_do_not_copy) {
    using P = Producer<Ring<int>>;
    using C = Consumer<Ring<int>>;
    static_assert(!std::is_copy_constructible_v<P> && !std::is_copy_assignable_v<P>);
    static_assert(!std::is_copy_constructible_v<C> && !std::is_copy_assignable_v<C>);
    static_assert(std::is_nothrow_move_constructible_v<P> && std::is_nothrow_move_assignable_v<P>);
    static_assert(std::is_nothrow_move_constructible_v<C> && std::is_nothrow_move_assignable_v<C>);

    Ring<int> ring;
    Producer producer{ring};
    Consumer consumer{ring};
    producer.try_push(1);
    Producer moved_producer{std::move(producer)};
    Consumer moved_consumer{std::move(consumer)};
    EXPECT_THROW(Producer{ring}, EndTakenError);
    moved_producer.try_push(2);
    int popped = 0;
    moved_consumer.try_pop(popped);
    EXPECT_EQ(popped, 1);
    moved_consumer.try_pop(popped);
    EXPECT_EQ(popped, 2);
}

/// Pushes until it is refused. Returns how many were accepted, 2000 at most.
template <class ProducerType>
int fill(ProducerType& producer) {
    int taken = 0;
    while (taken < 2000 && producer.try_push(taken) == Status::ok) ++taken;
    return taken;
}

TEST(RingEnds, an_assigned_end_takes_over_the_other_and_releases_its_own) {
    Ring<int> old_ring;
    Ring<int> new_ring{5000};  // so that the two rings' ends have different indices
    Producer producer{old_ring};
    fill(producer);
    Producer other{new_ring};
    for (int number = 0; number < 24; ++number) other.try_push(number);

    producer = std::move(other);
    EXPECT_EQ(fill(producer), 1000);
    EXPECT_EQ(new_ring.size(), 1024U);
    EXPECT_EQ(old_ring.size(), 1024U);
    EXPECT_NO_THROW(Producer{old_ring}) << "its producer was released";
    EXPECT_THROW(Producer{new_ring}, EndTakenError);

    Consumer consumer{old_ring};
    Consumer other_consumer{new_ring};
    int popped = -1;
    ASSERT_EQ(other_consumer.try_pop(popped), Status::ok);
    consumer = std::move(other_consumer);
    int count = 0;
    while (count < 2000 && consumer.try_pop(popped) == Status::ok) ++count;
    EXPECT_EQ(count, 1023);
    EXPECT_EQ(popped, 999);
    EXPECT_NO_THROW(Consumer{old_ring});
}

TEST(RingEnds, assigning_an_end_to_itself_changes_nothing) {
    Ring<int> ring;
    Producer producer{ring};
    Producer<Ring<int>>& same = producer;
    producer = std::move(same);
    EXPECT_EQ(producer.try_push(1), Status::ok);
    EXPECT_THROW(Producer{ring}, EndTakenError);
}

constexpr int steps = 200'000;

TEST(RingModel, agrees_with_a_bounded_deque_at_every_capacity) {
    const std::uint64_t run = seed();
    EXPECT_EQ((differs_from_model<Ring<Word, 1>>(0, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 2>>(0, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 64>>(0, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 1024>>(0, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Wide<7>, 1024>>(0, run, steps)), "");
}

TEST(RingModel, indices_survive_the_wrap_at_2_to_the_64) {
    const std::uint64_t run = seed();
    EXPECT_EQ((differs_from_model<Ring<Word, 1>>(just_below_wrap, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 4>>(just_below_wrap, run, steps)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 1024>>(just_below_wrap, run, steps)), "");
}

TEST(RingModel, agrees_with_a_bounded_deque_for_spans) {
    const std::uint64_t run = seed();
    EXPECT_EQ((differs_from_model<Ring<Word, 1>>(0, run, steps, Watch::indices, 50)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 4>>(just_below_wrap, run, steps, Watch::indices, 50)), "");
    EXPECT_EQ((differs_from_model<Ring<Word, 1024>>(just_below_wrap, run, steps / 20, Watch::indices, 20)), "");
    EXPECT_EQ((differs_from_model<Ring<Wide<7>, 64>>(0, run, steps, Watch::indices, 50)), "");
}

TEST(RingModel, indices_survive_2_to_the_32_messages) {
    EXPECT_EQ((differs_from_model<Ring<Word, 4>>(just_below_32_bits, seed(), steps)), "");
}

// Each mutant must fail because it passes messages wrongly. Its head, tail and size are wrong too, but only the last
// test looks at those.

TEST(RingModel, catches_a_ring_that_takes_or_gives_one_too_many) {
    EXPECT_EQ((differs_from_model<Ring<Word, 4, SkewedMemory<1>>>(0, seed(), steps, Watch::nothing)), "wrong status");
}

TEST(RingModel, catches_a_ring_that_refuses_one_too_early) {
    EXPECT_EQ((differs_from_model<Ring<Word, 4, SkewedMemory<-1>>>(0, seed(), steps, Watch::nothing)), "wrong status");
}

TEST(RingModel, catches_a_ring_that_fails_after_2_to_the_32_messages) {
    using Narrow = Ring<Word, 4, NarrowMemory>;
    EXPECT_EQ((differs_from_model<Narrow>(0, seed(), steps, Watch::nothing)), "") << "it works at first";
    EXPECT_EQ((differs_from_model<Narrow>(just_below_32_bits, seed(), steps, Watch::nothing)), "wrong status");
}

TEST(RingModel, catches_a_ring_that_loses_the_end_of_a_message) {
    EXPECT_EQ((differs_from_model<Ring<Wide<2>, 4, TornMemory>>(0, seed(), steps, Watch::nothing)), "wrong contents");
}

TEST(RingModel, catches_a_ring_that_publishes_nothing) {
    EXPECT_EQ((differs_from_model<Ring<Word, 4, MuteMemory>>(0, seed(), steps, Watch::nothing)), "wrong status");
}

TEST(RingModel, catches_spans_of_the_wrong_length) {
    constexpr auto always = 100;
    EXPECT_NE((differs_from_model<Ring<Word, 4, SkewedMemory<1>>>(0, seed(), steps, Watch::nothing, always)), "");
    EXPECT_NE((differs_from_model<Ring<Word, 4, SkewedMemory<-1>>>(0, seed(), steps, Watch::nothing, always)), "");
    EXPECT_NE((differs_from_model<Ring<Wide<2>, 4, TornMemory>>(0, seed(), steps, Watch::nothing, always)), "");
}

TEST(RingModel, catches_a_wrong_head_tail_or_size) {
    EXPECT_EQ((BesideModel<Ring<Word, 4, SkewedMemory<1>>>{0}.watch()), "wrong head, tail or size");
    EXPECT_EQ((BesideModel<Ring<Word, 4, SkewedMemory<-1>>>{7}.watch()), "wrong head, tail or size");
    EXPECT_EQ((BesideModel<Ring<Word, 4>>{7}.watch()), "");
}

}  // namespace
}  // namespace cueline::test
