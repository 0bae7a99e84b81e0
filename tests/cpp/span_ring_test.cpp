// span_ring_test.cpp: the ring of indices: bounds, order, contiguous pieces, its ends, damaged indices, two threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/span_ring.hpp>

#include "broken_memory.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

constexpr std::uint64_t just_below_wrap = std::numeric_limits<std::uint64_t>::max() - 700;

/// A ring, its storage and both ends.
template <class T, class Memory = StdMemory>
class Stored {
  public:
    explicit Stored(std::size_t capacity, std::uint64_t first_index = 0)
        : ring_{first_index}, storage_(capacity), producer_{ring_, capacity}, consumer_{ring_, capacity} {}

    /// Pushes the first of `elements` that there is room for. Returns how many.
    std::size_t push(std::span<const T> elements) {
        const RingPlaces room = producer_.room(elements.size());
        auto next = elements.begin();
        for (const std::span<T> piece : room.of(std::span{storage_})) {
            std::copy_n(next, piece.size(), piece.begin());
            next += static_cast<std::ptrdiff_t>(piece.size());
        }
        producer_.push(room.size());
        return room.size();
    }

    /// Pops as many as wait, `most` at most.
    std::vector<T> pop(std::size_t most) {
        const RingPlaces places = consumer_.waiting(most);
        std::vector<T> elements;
        for (const std::span<T> piece : places.of(std::span{storage_})) {
            elements.insert(elements.end(), piece.begin(), piece.end());
        }
        consumer_.pop(places.size());
        return elements;
    }

    [[nodiscard]] std::uint64_t head() const { return ring_.head(); }
    [[nodiscard]] std::uint64_t tail() const { return ring_.tail(); }
    [[nodiscard]] std::size_t capacity() const { return storage_.size(); }

  private:
    SpanRing<Memory> ring_;
    std::vector<T> storage_;
    SpanProducer<SpanRing<Memory>> producer_;
    SpanConsumer<SpanRing<Memory>> consumer_;
};

using Numbers = std::vector<int>;

TEST(SpanRing, all_of_its_places_are_usable) {
    for (const std::size_t capacity : {1U, 2U, 1024U, 8192U}) {
        Stored<int> stored{capacity};
        EXPECT_EQ(stored.push(Numbers(capacity + 1)), capacity);
        EXPECT_EQ(stored.push(Numbers(1)), 0U);
        EXPECT_EQ(stored.pop(capacity + 1).size(), capacity);
        EXPECT_EQ(stored.pop(1).size(), 0U);
    }
}

TEST(SpanRing, full_ring_takes_none_and_keeps_order) {
    Stored<int> stored{4};
    EXPECT_EQ(stored.push(Numbers{1, 2, 3}), 3U);
    EXPECT_EQ(stored.push(Numbers{4, 5, 6}), 1U);
    EXPECT_EQ(stored.push(Numbers{9}), 0U);
    EXPECT_EQ(stored.pop(1), Numbers{1});
    EXPECT_EQ(stored.push(Numbers{5}), 1U);
    EXPECT_EQ(stored.pop(9), (Numbers{2, 3, 4, 5}));
}

TEST(SpanRing, places_are_one_piece_until_they_wrap) {
    SpanRing<> ring{6};
    SpanProducer<> producer{ring, 8};
    SpanConsumer<> consumer{ring, 8};
    RingPlaces room = producer.room();
    EXPECT_EQ(room.first, 6U);
    EXPECT_EQ(room.count, 2U);
    EXPECT_EQ(room.wrapped, 6U);
    producer.push(5);
    const RingPlaces waiting = consumer.waiting();
    EXPECT_EQ(waiting.first, 6U);
    EXPECT_EQ(waiting.count, 2U);
    EXPECT_EQ(waiting.wrapped, 3U);
    consumer.pop(5);
    room = producer.room(3);
    EXPECT_EQ(room.first, 3U);
    EXPECT_EQ(room.count, 3U);
    EXPECT_EQ(room.wrapped, 0U);

    std::vector<int> storage(8);
    const auto pieces = waiting.of(std::span{storage});
    EXPECT_EQ(pieces[0].data(), &storage[6]);
    EXPECT_EQ(pieces[0].size(), 2U);
    EXPECT_EQ(pieces[1].data(), storage.data());
    EXPECT_EQ(pieces[1].size(), 3U);
}

TEST(SpanRing, a_part_of_the_places_can_be_pushed_and_popped) {
    SpanRing<> ring;
    SpanProducer<> producer{ring, 4};
    SpanConsumer<> consumer{ring, 4};
    EXPECT_EQ(producer.room().size(), 4U);
    producer.push(0);
    EXPECT_EQ(consumer.waiting().size(), 0U);
    producer.push(3);
    EXPECT_EQ(consumer.waiting().size(), 3U);
    consumer.pop(1);
    EXPECT_EQ(consumer.waiting().size(), 2U);
    EXPECT_EQ(producer.room().size(), 2U);
    EXPECT_EQ(ring.head(), 1U);
    EXPECT_EQ(ring.tail(), 3U);
}

TEST(SpanRing, zeroed_memory_is_an_empty_ring) {
    static_assert(std::is_standard_layout_v<SpanRing<>> && std::is_trivially_destructible_v<SpanRing<>>);
    alignas(SpanRing<>) std::array<std::byte, sizeof(SpanRing<>)> memory{};
    auto& ring = *reinterpret_cast<SpanRing<>*>(memory.data());
    SpanProducer<> producer{ring, 2};
    SpanConsumer<> consumer{ring, 2};
    EXPECT_EQ(consumer.waiting().size(), 0U);
    EXPECT_EQ(producer.room().size(), 2U);
    producer.push(1);
    EXPECT_EQ(consumer.waiting().size(), 1U);
}

TEST(SpanRing, has_one_end_of_each_kind) {
    static_assert(!std::is_copy_constructible_v<SpanProducer<>> && !std::is_copy_constructible_v<SpanConsumer<>>);
    static_assert(std::is_nothrow_move_constructible_v<SpanProducer<>>);
    static_assert(std::is_nothrow_move_assignable_v<SpanConsumer<>>);
    SpanRing<> ring;
    SpanProducer<> producer;
    SpanConsumer<> consumer;
    producer = SpanProducer<>{ring, 4};
    consumer = SpanConsumer<>{ring, 4};
    EXPECT_EQ(refusal<EndTakenError>([&] { const SpanProducer<> second{ring, 4}; }),
              "this ring has a living producer already: destroy it first, or move it");
    EXPECT_EQ(refusal<EndTakenError>([&] { const SpanConsumer<> second{ring, 4}; }),
              "this ring has a living consumer already: destroy it first, or move it");
    producer.push(3);
    SpanProducer<> moved = std::move(producer);
    moved.push(1);
    EXPECT_EQ(consumer.waiting().size(), 4U);
    moved = SpanProducer<>{};
    SpanProducer<> next{ring, 4};
    EXPECT_EQ(next.room().size(), 0U) << "it goes on where the last one ended";
    consumer.pop(4);
    EXPECT_EQ(next.room().size(), 4U);
}

TEST(SpanRing, a_capacity_that_is_no_power_of_two_is_refused_with_its_number) {
    SpanRing<> ring;
    EXPECT_EQ(refusal<ArgumentError>([&] { const SpanProducer<> end{ring, 1000}; }),
              "a ring's capacity must be a power of two, got 1000");
    EXPECT_EQ(refusal<ArgumentError>([&] { const SpanConsumer<> end{ring, 0}; }),
              "a ring's capacity must be a power of two, got 0");
    EXPECT_NO_THROW((SpanProducer<>{ring, 1024})) << "a refusal takes no end";
}

/// Pushes and pops at random beside a deque. Returns the difference, or an empty text.
template <class Memory>
std::string differs(std::size_t capacity, std::uint64_t first_index, std::uint64_t seed, int steps) {
    using T = Wide<2>;
    struct Padded : T {
        Padded() : T{T::of(0)} {}
        explicit Padded(const T& from) : T{from} {}
    };
    Stored<Padded, Memory> stored{capacity, first_index};
    std::deque<T> model;
    std::uint64_t popped = first_index;
    std::mt19937_64 random{seed};
    int push_percent = 50;
    for (int step = 0; step < steps; ++step) {
        if (step % 1024 == 0) push_percent = static_cast<int>(random() % 100);
        const std::size_t some = random() % (capacity + 2);
        if (std::cmp_less(random() % 100, push_percent)) {
            std::vector<Padded> elements;
            for (std::size_t index = 0; index < some; ++index) elements.emplace_back(T::of(random()));
            const std::size_t expected = std::min(some, capacity - model.size());
            if (stored.push(elements) != expected) return "wrong room";
            model.insert(model.end(), elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(expected));
        } else {
            const std::vector<Padded> elements = stored.pop(some);
            if (elements.size() != std::min(some, model.size())) return "wrong number";
            for (const T& element : elements) {
                if (element != model.front()) return "wrong contents";
                model.pop_front();
            }
            popped += elements.size();
        }
        if (stored.head() != popped || stored.tail() != popped + model.size()) return "wrong head or tail";
    }
    return "";
}

TEST(SpanRing, does_what_a_deque_does) {
    const std::uint64_t number = seed();
    for (const std::size_t capacity : {1U, 2U, 8U, 64U}) {
        EXPECT_EQ(differs<StdMemory>(capacity, 0, number, 20'000), "") << capacity;
        EXPECT_EQ(differs<StdMemory>(capacity, just_below_wrap, number, 20'000), "") << capacity;
    }
}

TEST(SpanRing, broken_rings_differ_from_a_deque) {
    const std::uint64_t number = seed();
    EXPECT_NE(differs<SkewedMemory<1>>(8, 0, number, 20'000), "");
    EXPECT_NE(differs<SkewedMemory<-1>>(8, 0, number, 20'000), "");
    EXPECT_NE(differs<MuteMemory>(8, 0, number, 20'000), "");
    EXPECT_NE(differs<NarrowMemory>(8, just_below_wrap, number, 20'000), "");
}

std::uint64_t wild = 1;

/// Each load finds another number: a damaged index, or one that a hostile other side wrote.
struct WildMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        [[nodiscard]] Value load(std::memory_order) const noexcept {
            wild = wild * 0x5851F42D4C957F2DU + 0x14057B7EF767814FU;
            const std::uint64_t number = wild >> 16U;
            return static_cast<Value>(number % 2 == 0 ? wild : number % 64);
        }
    };
};

TEST(SpanRing, no_damaged_index_leads_outside_the_storage) {
    constexpr std::size_t capacity = 16;
    SpanRing<WildMemory> ring;
    SpanProducer<SpanRing<WildMemory>> producer{ring, capacity};
    SpanConsumer<SpanRing<WildMemory>> consumer{ring, capacity};
    const auto inside = [](const RingPlaces& places) {
        return places.first < capacity && places.count <= capacity - places.first && places.wrapped <= places.first &&
               places.size() <= capacity;
    };
    for (int step = 0; step < 10'000; ++step) {
        const RingPlaces room = producer.room();
        ASSERT_TRUE(inside(room));
        producer.push(room.size());
        const RingPlaces waiting = consumer.waiting();
        ASSERT_TRUE(inside(waiting));
        consumer.pop(waiting.size());
    }
}

/// Streams numbers from this thread to another. Returns the first fault, or an empty text.
template <class Memory>
std::string goes_wrong_in_a_stream(std::uint64_t count) {
    using T = Wide<5>;
    constexpr std::size_t capacity = 64;
    SpanRing<Memory> ring{just_below_wrap};
    std::vector<T> storage(capacity, T::of(count));  // which is never sent: a place that is read too early shows
    std::string wrong;
    std::atomic<bool> over = false;
    std::thread receiver{[&] {
        SpanConsumer<SpanRing<Memory>> consumer{ring, capacity};
        for (std::uint64_t expected = 0; expected < count && wrong.empty();) {
            const RingPlaces places = consumer.waiting(1 + expected % 7);
            for (const std::span<T> piece : places.of(std::span{storage})) {
                for (const T& element : piece) {
                    if (!element.whole()) wrong = "element " + std::to_string(expected) + " is torn";
                    if (element.number() != expected) wrong = "expected element " + std::to_string(expected);
                    ++expected;
                }
            }
            consumer.pop(places.size());
            if (places.size() == 0) std::this_thread::yield();
        }
        over = true;
    }};
    {
        SpanProducer<SpanRing<Memory>> producer{ring, capacity};
        for (std::uint64_t number = 0; number < count && !over;) {
            const RingPlaces places = producer.room(std::min<std::uint64_t>(1 + number % 5, count - number));
            for (const std::span<T> piece : places.of(std::span{storage})) {
                for (T& element : piece) element = T::of(number++);
            }
            producer.push(places.size());
            if (places.size() == 0) std::this_thread::yield();
        }
    }
    receiver.join();
    return wrong;
}

TEST(SpanRing, a_stream_between_threads_arrives_whole_and_in_order) {
    EXPECT_EQ(goes_wrong_in_a_stream<StdMemory>(200'000), "");
}

TEST(SpanRing, a_stream_through_a_skewed_ring_does_not) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE(goes_wrong_in_a_stream<SkewedMemory<1>>(200'000), "");
}

}  // namespace
}  // namespace cueline::test
