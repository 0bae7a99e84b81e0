// schedule_test.cpp: the schedule compared with a std::multimap, and at its limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <cueline/schedule.hpp>

#include "ring_checks.hpp"

namespace cueline::test {
namespace {

class ScheduleTest : public testing::Test {
  protected:
    void add(std::uint64_t frame, std::uint32_t sequence) {
        Message cue;
        cue.kind = kind::first_user;
        cue.frame = frame;
        cue.sequence = sequence;
        schedule_->add(cue);
    }
    /// The sequences of the cues that are due at `frame`, in order.
    std::vector<std::uint32_t> due(std::uint64_t frame) {
        std::vector<std::uint32_t> sequences;
        Message cue;
        while (schedule_->take_due(frame, cue)) sequences.push_back(cue.sequence);
        return sequences;
    }
    template <class Chosen>
    std::vector<std::uint32_t> taken_out(Chosen chosen) {
        std::vector<std::uint32_t> sequences;
        schedule_->take_out(chosen, [&](const Message& cue) noexcept { sequences.push_back(cue.sequence); });
        return sequences;
    }

    std::unique_ptr<Schedule> schedule_ = std::make_unique<Schedule>();
};

using Sequences = std::vector<std::uint32_t>;

TEST_F(ScheduleTest, empty_one_has_nothing_due) {
    EXPECT_EQ(schedule_->next_frame(), Schedule::never);
    EXPECT_EQ(schedule_->room(), 1024U);
    EXPECT_EQ(due(Schedule::never), Sequences{});
}

TEST_F(ScheduleTest, orders_by_frame_then_by_arrival) {
    add(20, 1);
    add(10, 2);
    add(20, 3);
    add(15, 4);
    add(10, 5);
    EXPECT_EQ(schedule_->next_frame(), 10U);
    EXPECT_EQ(due(9), Sequences{});
    EXPECT_EQ(due(10), (Sequences{2, 5}));
    EXPECT_EQ(due(19), Sequences{4});
    EXPECT_EQ(due(100), (Sequences{1, 3}));
}

TEST_F(ScheduleTest, take_out_removes_the_chosen_cues_in_due_order) {
    for (std::uint32_t sequence = 1; sequence <= 6; ++sequence) add(100 - sequence, sequence);
    EXPECT_EQ(taken_out([](const Message& cue) noexcept { return cue.sequence % 2 == 0; }), (Sequences{6, 4, 2}));
    EXPECT_EQ(schedule_->size(), 3U);
    EXPECT_EQ(due(1000), (Sequences{5, 3, 1}));
}

TEST_F(ScheduleTest, take_out_one_removes_a_cue_with_its_members) {
    const auto add_of = [this](std::uint8_t line, std::uint32_t sequence, std::uint8_t flags) {
        Message cue;
        cue.frame = 50;
        cue.line = line;
        cue.sequence = sequence;
        cue.flags = flags;
        schedule_->add(cue);
    };
    add_of(0, 1, 0);
    add_of(1, 1, 0);
    add_of(0, 2, 0);  // a header
    for (std::uint32_t member = 3; member < 6; ++member) add_of(0, member, delivery::member);
    add_of(0, 6, 0);
    const auto taken_by = [this](std::uint8_t line, std::uint32_t sequence) {
        Sequences sequences;
        schedule_->take_out_one(line, sequence,
                                [&](const Message& cue) noexcept { sequences.push_back(cue.sequence); });
        return sequences;
    };
    EXPECT_EQ(taken_by(0, 4), Sequences{}) << "a member alone";
    EXPECT_EQ(taken_by(0, 0), Sequences{});
    EXPECT_EQ(taken_by(2, 1), Sequences{});
    EXPECT_EQ(taken_by(0, 2), (Sequences{2, 3, 4, 5}));
    EXPECT_EQ(taken_by(0, 2), Sequences{});
    EXPECT_EQ(taken_by(1, 1), Sequences{1});
    EXPECT_EQ(schedule_->size(), 2U);
    EXPECT_EQ(due(50), (Sequences{1, 6}));
    EXPECT_EQ(taken_by(0, 6), Sequences{}) << "it was due already";
}

/// Thousands of steps compared with a standard container. Half of the time the schedule is nearly full, and later it
/// has more room.
TEST_F(ScheduleTest, agrees_with_a_multimap) {
    std::mt19937 random{static_cast<std::uint32_t>(seed())};
    std::multimap<std::uint64_t, std::uint32_t> model;  // equal keys keep the order of their insertion
    std::uint32_t sequence = 0;
    std::uint64_t now = 0;
    for (int step = 0; step < 20'000; ++step) {
        const bool filling = step / 2000 % 2 == 0;
        if (step == 9000) schedule_->reserve(1500);
        if (random() % 8 < (filling ? 7 : 3)) {
            if (schedule_->room() == 0) continue;
            const std::uint64_t frame = now + random() % 5000;
            add(frame, ++sequence);
            model.emplace(frame, sequence);
        } else if (random() % 64 == 0) {
            const auto chosen = [odd = random() % 7](const Message& cue) noexcept { return cue.sequence % 7 == odd; };
            Sequences expected;
            for (auto cue = model.begin(); cue != model.end();) {
                Message as_message;
                as_message.sequence = cue->second;
                if (chosen(as_message)) expected.push_back(cue->second);
                cue = chosen(as_message) ? model.erase(cue) : std::next(cue);
            }
            ASSERT_EQ(taken_out(chosen), expected);
        } else if (random() % 4 == 0) {
            const auto doomed = static_cast<std::uint32_t>(1 + random() % (sequence + 1));
            const auto found = std::ranges::find(model, doomed, [](const auto& cue) { return cue.second; });
            Sequences taken;
            schedule_->take_out_one(0, doomed, [&](const Message& cue) noexcept { taken.push_back(cue.sequence); });
            ASSERT_EQ(taken, found == model.end() ? Sequences{} : Sequences{doomed});
            if (found != model.end()) model.erase(found);
        } else {
            now += random() % 20;
            Sequences expected;
            for (; !model.empty() && model.begin()->first <= now; model.erase(model.begin())) {
                expected.push_back(model.begin()->second);
            }
            ASSERT_EQ(due(now), expected);
        }
        ASSERT_EQ(schedule_->size(), model.size());
        ASSERT_EQ(schedule_->next_frame(), model.empty() ? Schedule::never : model.begin()->first);
    }
}

TEST_F(ScheduleTest, holds_1024_of_one_frame_and_reuses_their_places) {
    for (int round = 0; round < 3; ++round) {
        Sequences expected;
        for (std::uint32_t sequence = 1; sequence <= Schedule::capacity; ++sequence) {
            add(7, sequence);
            expected.push_back(sequence);
        }
        EXPECT_EQ(schedule_->room(), 0U);
        if (round == 1) {
            EXPECT_EQ(taken_out([](const Message&) noexcept { return true; }), expected);
        } else {
            EXPECT_EQ(due(7), expected);
        }
    }
    EXPECT_EQ(schedule_->size(), 0U);
}

TEST_F(ScheduleTest, keeps_its_order_when_it_is_given_room) {
    Sequences expected;
    for (std::uint32_t sequence = 1; sequence <= 10'000; ++sequence) {
        if (schedule_->room() == 0) schedule_->reserve(sequence);
        add(7, sequence);
        expected.push_back(sequence);
        if (sequence % 100 == 0) {  // so that its first places are free when it grows
            EXPECT_EQ(schedule_->next_frame(), 7U);
            Message cue;
            ASSERT_TRUE(schedule_->take_due(7, cue));
            ASSERT_EQ(cue.sequence, expected.front());
            expected.erase(expected.begin());
        }
    }
    EXPECT_EQ(due(7), expected);
}

}  // namespace
}  // namespace cueline::test
