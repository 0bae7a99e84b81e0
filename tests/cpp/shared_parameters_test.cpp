// shared_parameters_test.cpp: what the audio thread takes of what control threads wrote. `make model` proves the
// orders.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <cueline/shared_parameters.hpp>

namespace cueline::test {
namespace {

static_assert(std::is_standard_layout_v<SharedWord<>> && sizeof(SharedWord<>) == 8, "it can lie in a Link");

using Found = std::map<std::size_t, double>;

struct Shared {
    explicit Shared(std::size_t size) : values(size), dirty(SharedParameters<>::dirty_words(size)) {}

    Found take() {
        Found found;
        view.take(turn, [&](std::size_t place, double value) { found[place] = value; });
        return found;
    }

    std::vector<SharedWord<>> values;
    std::vector<SharedWord<>> dirty;
    SharedWord<> summary;
    SharedParameters<> view{values, dirty, summary};
    std::size_t turn = 0;
};

TEST(SharedParameters, what_was_written_is_taken_once) {
    Shared shared{4'096};
    shared.view.write(0, 1.5);
    shared.view.write(63, 2.5);
    shared.view.write(64, 3.5);
    shared.view.write(4'095, 4.5);
    EXPECT_EQ(shared.take(), (Found{{0, 1.5}, {63, 2.5}, {64, 3.5}, {4'095, 4.5}}));
    EXPECT_EQ(shared.take(), Found{});
}

TEST(SharedParameters, the_same_value_written_again_is_taken_again) {
    Shared shared{1};
    for (int round = 0; round < 2; ++round) {
        shared.view.write(0, 1);
        EXPECT_EQ(shared.take(), (Found{{0, 1}}));
    }
}

TEST(SharedParameters, of_many_writes_the_last_is_taken) {
    Shared shared{100};
    for (int write = 0; write < 1'000; ++write) shared.view.write(70, write);
    EXPECT_EQ(shared.take(), (Found{{70, 999}}));
    EXPECT_EQ(shared.view.get(70), 999);
}

TEST(SharedParameters, a_default_is_not_taken) {
    Shared shared{2};
    shared.view.set_default(1, 5);
    EXPECT_EQ(shared.take(), Found{});
    EXPECT_EQ(shared.view.get(1), 5);
}

TEST(SharedParameters, many_at_once_are_taken_wherever_they_begin_and_end) {
    for (const std::size_t first : {0U, 1U, 63U, 64U, 100U}) {
        for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 128U, 200U}) {
            Shared shared{300};
            std::vector<double> values;
            Found expected;
            for (std::size_t index = 0; index < count; ++index) {
                values.push_back(static_cast<double>(index) + 0.5);
                expected[first + index] = values.back();
            }
            shared.view.write(first, values);
            EXPECT_EQ(shared.take(), expected) << first << ", " << count;
        }
    }
}

TEST(SharedParameters, what_a_writer_left_without_its_bit_in_the_summary_is_taken_in_turn) {
    Shared shared{4'096};
    shared.values[3'000].bits = std::bit_cast<std::uint64_t>(7.0);
    shared.dirty[3'000 / 64].bits = std::uint64_t{1} << (3'000 % 64);  // and here the writer died
    int blocks = 1;
    while (shared.take() != Found{{3'000, 7}} && blocks <= 64) ++blocks;
    EXPECT_LE(blocks, 64);
    EXPECT_EQ(shared.take(), Found{});
}

TEST(SharedParameters, bits_beyond_the_last_place_give_nothing) {
    Shared shared{70};
    for (SharedWord<>& word : shared.dirty) word.bits = ~std::uint64_t{0};
    shared.summary.bits = ~std::uint64_t{0};
    const Found found = shared.take();
    EXPECT_EQ(found.size(), 70U);
    EXPECT_EQ(found.rbegin()->first, 69U);
}

TEST(SharedParameters, of_nothing_give_nothing) {
    const SharedParameters<> none;
    std::size_t turn = 0;
    none.take(turn, [](std::size_t, double) { ADD_FAILURE(); });
    EXPECT_EQ(none.size(), 0U);
    none.write(0, std::span<const double>{});
}

TEST(SharedParameters, a_view_of_the_first_ones_sees_no_others) {
    const Shared shared{200};
    const SharedParameters<> first = shared.view.first(70);
    shared.view.write(69, 1);
    shared.view.write(70, 2);
    std::size_t turn = 0;
    Found found;
    first.take(turn, [&](std::size_t place, double value) { found[place] = value; });
    EXPECT_EQ(found, (Found{{69, 1}}));
    EXPECT_EQ(shared.view.first(0).size(), 0U);
}

// Several writers count up, each its own parameters. Nothing may go back, and the last one of each must be taken.
TEST(SharedParametersThreads, values_never_go_back_and_the_last_ones_are_taken_from_several_writers) {
    constexpr std::size_t size = 130;
    constexpr std::size_t writers = 3;
    constexpr int rounds = 20'000;
    Shared shared{size};
    std::atomic<std::size_t> over = 0;
    std::vector<std::thread> threads;
    for (std::size_t writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (int round = 1; round <= rounds; ++round) {
                for (std::size_t place = writer; place < size; place += writers) shared.view.write(place, round);
            }
            ++over;
        });
    }
    std::array<double, size> newest{};
    std::string wrong;
    for (bool last = false; !last;) {
        last = over == writers;  // before the call, so that it gives the last values
        shared.view.take(shared.turn, [&](std::size_t place, double value) {
            if (value < newest.at(place)) wrong = "it went back";
            newest.at(place) = value;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, "");
    for (const double value : newest) EXPECT_EQ(value, rounds);
}

}  // namespace
}  // namespace cueline::test
