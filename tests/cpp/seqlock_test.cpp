// seqlock_test.cpp: the latest value, on one thread and between several. On x86 the tests with threads alone prove
// nothing about memory order; `make model` does.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <cueline/seqlock.hpp>

#include "broken_memory.hpp"
#include "ring_checks.hpp"
#include "seqlock_checks.hpp"

namespace cueline::test {
namespace {

using Value = Wide<9>;

static_assert(std::is_standard_layout_v<Seqlock<Value>> && std::is_trivially_destructible_v<Seqlock<Value>>,
              "it can lie in a Link");
static_assert(sizeof(Seqlock<Value>) == 8 + 2 * sizeof(Value));

TEST(Seqlock, is_zeros_before_any_write_also_in_zeroed_memory) {
    struct Two {
        std::uint64_t first = 7;
        std::uint64_t second = 7;
    };
    alignas(Seqlock<Two>) std::array<std::byte, sizeof(Seqlock<Two>)> zeros{};
    const Seqlock<Two> made;
    EXPECT_EQ(std::memcmp(zeros.data(), static_cast<const void*>(&made), sizeof made), 0);
    Two value;
    EXPECT_TRUE(made.read(value));
    EXPECT_EQ(value.first, 0U);
    EXPECT_EQ(value.second, 0U);
}

TEST(Seqlock, a_written_value_stays_for_every_reader) {
    Seqlock<Value> latest;
    latest.write(Value::of(1));
    for (int reader = 0; reader < 3; ++reader) {
        Value value = Value::of(0);
        EXPECT_TRUE(latest.read(value));
        EXPECT_EQ(value, Value::of(1));
    }
}

TEST(Seqlock, the_last_of_many_writes_is_read) {
    Seqlock<Value> latest;
    Value value = Value::of(0);
    std::uint64_t number = 0;
    for (const int writes : {1, 2, 3, 4, 5, 1000, 1}) {
        for (int write = 0; write < writes; ++write) latest.write(Value::of(++number));
        EXPECT_TRUE(latest.read(value));
        EXPECT_EQ(value, Value::of(number));
    }
}

TEST(Seqlock, a_reader_without_a_try_left_keeps_its_value) {
    Seqlock<Value> latest;
    latest.write(Value::of(1));
    Value value = Value::of(7);
    EXPECT_FALSE(latest.read(value, 0));
    EXPECT_EQ(value, Value::of(7));
}

/// Writes once more whenever a reader looks at the count for the second time.
struct BusyMemory : StdMemory {
    using Act = void() noexcept CUELINE_NONBLOCKING;
    inline static Act* write = nullptr;

    template <class Word>
    struct Atomic : std::atomic<Word> {
        using std::atomic<Word>::atomic;
        [[nodiscard]] Word load(std::memory_order order) const noexcept CUELINE_NONBLOCKING {
            if (order == std::memory_order_relaxed && write != nullptr) {
                Act* const act = std::exchange(write, nullptr);  // not within its own load
                act();
                write = act;
            }
            return std::atomic<Word>::load(order);
        }
    };
};

TEST(Seqlock, a_writer_that_never_rests_makes_read_give_up) {
    static Seqlock<Value, BusyMemory> latest;
    static std::uint64_t writes = 0;
    BusyMemory::write = []() noexcept CUELINE_NONBLOCKING { latest.write(Value::of(++writes)); };
    Value value = Value::of(7);
    const bool found = latest.read(value, 5);
    BusyMemory::write = nullptr;
    EXPECT_FALSE(found);
    EXPECT_EQ(value, Value::of(7));
    EXPECT_EQ(writes, 5U);
    EXPECT_TRUE(latest.read(value));
    EXPECT_EQ(value, Value::of(5));
}

constexpr std::uint64_t writes = 2'000'000;

TEST(SeqlockThreads, values_are_whole_and_never_go_back_and_the_last_one_is_read) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_readers<Seqlock<Value>>(writes, 3), "");
}

TEST(SeqlockThreads, very_wide_values_are_whole) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_readers<Seqlock<Wide<64>>>(writes / 4, 2), "");
}

TEST(SeqlockThreads, values_of_one_word_are_whole) {
    EXPECT_EQ(goes_wrong_between_a_writer_and_readers<Seqlock<Wide<1>>>(writes, 2), "");
}

TEST(SeqlockThreads, the_check_catches_a_reader_that_looks_once) {
    EXPECT_NE((goes_wrong_between_a_writer_and_readers<Seqlock<Wide<64>, TrustingMemory>>(writes, 1)), "");
}

TEST(SeqlockThreads, the_check_catches_a_writer_that_publishes_nothing) {
    EXPECT_NE((goes_wrong_between_a_writer_and_readers<Seqlock<Value, MuteMemory>>(1000, 1)), "");
}

}  // namespace
}  // namespace cueline::test
