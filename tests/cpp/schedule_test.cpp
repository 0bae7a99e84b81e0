// schedule_test.cpp: the schedule compared with a std::multimap, and at its limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/schedule.hpp>

#include "ring_checks.hpp"

namespace cueline::test {
namespace {

constexpr std::size_t lines_used = 3;

class ScheduleTest : public testing::Test {
  protected:
    static std::uint8_t line_of(std::uint32_t sequence) { return static_cast<std::uint8_t>(sequence % lines_used); }
    void add(std::uint64_t frame, std::uint32_t sequence) {
        Message cue;
        cue.kind = kind::first_user;
        cue.frame = frame;
        cue.line = line_of(sequence);
        cue.sequence = sequence;
        schedule_->add({&cue, 1});
    }
    /// The sequences of the cues that are due at `frame`, in order.
    std::vector<std::uint32_t> due(std::uint64_t frame) {
        std::vector<std::uint32_t> sequences;
        (void)schedule_->next_frame();
        while (const Schedule::Cue* const cue = schedule_->take_due(frame)) sequences.push_back(cue->command.sequence);
        return sequences;
    }
    template <class Chosen>
    std::vector<std::uint32_t> taken_out(Chosen chosen) {
        std::vector<std::uint32_t> sequences;
        schedule_->take_out(chosen,
                            [&](const Schedule::Cue& cue) noexcept { sequences.push_back(cue.command.sequence); });
        return sequences;
    }

    std::unique_ptr<Schedule> schedule_ = std::make_unique<Schedule>();
};

using Sequences = std::vector<std::uint32_t>;

TEST_F(ScheduleTest, empty_one_has_nothing_due) {
    EXPECT_EQ(schedule_->next_frame(), Schedule::never);
    EXPECT_EQ(schedule_->room(0), Schedule::line_capacity);
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
    EXPECT_EQ(taken_out([](const Schedule::Cue& cue) noexcept { return cue.command.sequence % 2 == 0; }),
              (Sequences{6, 4, 2}));
    EXPECT_EQ(schedule_->size(), 3U);
    EXPECT_EQ(due(1000), (Sequences{5, 3, 1}));
}

TEST_F(ScheduleTest, take_out_removes_a_transaction_with_its_members) {
    add(50, 1);
    std::vector<Message> whole(4);  // a transaction
    for (std::uint32_t sequence = 2; Message& message : whole) {
        message.frame = 50;
        message.sequence = sequence++;
    }
    schedule_->add(whole);
    add(50, 6);
    const auto taken = [this](std::uint32_t sequence) {
        return taken_out([sequence](const Schedule::Cue& cue) noexcept { return cue.command.sequence == sequence; });
    };
    EXPECT_EQ(taken(4), Sequences{}) << "a member alone";
    EXPECT_EQ(taken(2), (Sequences{2, 3, 4, 5}));
    EXPECT_EQ(due(50), (Sequences{1, 6}));
    EXPECT_EQ(schedule_->room(0), Schedule::line_capacity);
}

TEST_F(ScheduleTest, line_holds_1024_places_and_leaves_16_for_each_other_line) {
    Schedule schedule{4};
    Message cue;
    cue.frame = 7;
    const auto fill = [&](std::uint8_t line) {
        cue.line = line;
        std::size_t added = 0;
        for (; schedule.room(line) > 0; ++added) schedule.add({&cue, 1});
        return added;
    };
    EXPECT_EQ(schedule.room(2), 1024U);
    EXPECT_EQ(fill(1), 1024U);
    EXPECT_EQ(fill(2), 1024U - 2 * 16) << "lines 0 and 3 have 16 each";
    EXPECT_EQ(fill(1), 0U);
    EXPECT_EQ(fill(0), 16U);
    EXPECT_EQ(fill(3), 16U);
    EXPECT_EQ(schedule.size(), Schedule::capacity);

    const auto of_line = [](std::uint8_t line) {
        return [line](const Schedule::Cue& waiting) noexcept { return waiting.command.line == line; };
    };
    schedule.take_out(of_line(3), [](const Schedule::Cue&) noexcept {});
    EXPECT_EQ(schedule.room(0), 0U);
    EXPECT_EQ(fill(3), 16U) << "its places are reserved again";
    schedule.take_out(of_line(1), [](const Schedule::Cue&) noexcept {});
    EXPECT_EQ(fill(0), 1024U - 16) << "line 1 keeps its 16";
}

/// The room for another cue of `line` in a schedule that holds these cues.
std::size_t room_beside(const std::multimap<std::uint64_t, std::uint32_t>& cues, std::size_t line) {
    std::array<std::size_t, max_lines> held{};
    for (const auto& [frame, sequence] : cues) ++held.at(sequence % lines_used);
    std::size_t free = Schedule::capacity;
    for (std::size_t other = 0; other < max_lines; ++other) {
        free -= other == line ? held.at(other) : std::max(held.at(other), Schedule::reserved);
    }
    return std::min(free, Schedule::line_capacity - held.at(line));
}

/// Thousands of steps compared with a standard container. Half of the time the schedule is nearly full, and later it
/// has more room.
TEST_F(ScheduleTest, agrees_with_a_multimap) {
    std::mt19937 random{static_cast<std::uint32_t>(seed())};
    std::multimap<std::uint64_t, std::uint32_t> model;  // equal keys keep the order of their insertion
    std::uint32_t sequence = 0;
    std::uint64_t now = 0;
    for (int step = 0; step < 40'000; ++step) {
        const bool filling = step / 4000 % 2 == 0;
        if (step == 18'000) schedule_->reserve(3000);
        if (random() % 8 < (filling ? 7 : 3)) {
            const std::uint8_t line = line_of(sequence + 1);
            if (step < 18'000) {
                ASSERT_EQ(schedule_->room(line), room_beside(model, line));
            }
            if (schedule_->room(line) == 0) {
                ++sequence;  // so that the next cue is another line's
                continue;
            }
            const std::uint64_t frame = now + random() % 5000;
            add(frame, ++sequence);
            model.emplace(frame, sequence);
        } else if (random() % 64 == 0) {
            const auto chosen = [odd = random() % 7](const Schedule::Cue& cue) noexcept {
                return cue.command.sequence % 7 == odd;
            };
            Sequences expected;
            for (auto cue = model.begin(); cue != model.end();) {
                Schedule::Cue as_cue;
                as_cue.command.sequence = cue->second;
                if (chosen(as_cue)) expected.push_back(cue->second);
                cue = chosen(as_cue) ? model.erase(cue) : std::next(cue);
            }
            ASSERT_EQ(taken_out(chosen), expected);
        } else if (random() % 4 == 0) {
            const auto doomed = static_cast<std::uint32_t>(1 + random() % (sequence + 1));
            const auto found = std::ranges::find(model, doomed, [](const auto& cue) { return cue.second; });
            const auto is_doomed = [doomed](const Schedule::Cue& cue) noexcept {
                return cue.command.sequence == doomed;
            };
            ASSERT_EQ(taken_out(is_doomed), found == model.end() ? Sequences{} : Sequences{doomed});
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

// Cues of beats.

std::uint64_t bits(double beat) {
    return std::bit_cast<std::uint64_t>(beat);
}

class BeatScheduleTest : public ScheduleTest {
  protected:
    void add_beat(double beat, std::uint32_t sequence) {
        Message cue;
        cue.kind = kind::first_user;
        cue.flags = delivery::beat;
        cue.frame = bits(beat);
        cue.line = line_of(sequence);
        cue.sequence = sequence;
        schedule_->add_beat({&cue, 1});
    }
    /// The sequences of the cues that come up to `beat`, in order.
    Sequences come(double beat) {
        Sequences sequences;
        while (schedule_->next_beat() <= bits(beat)) note(schedule_->take_beat(whole_), sequences);
        return sequences;
    }
    /// The sequences of the passed cues below `beat`, in order.
    Sequences passed(double beat) {
        Sequences sequences;
        while (const std::size_t count = schedule_->take_passed(bits(beat), whole_)) note(count, sequences);
        return sequences;
    }

  private:
    void note(std::size_t count, Sequences& sequences) const {
        for (std::size_t place = 0; place < count; ++place) sequences.push_back(whole_.at(place).command.sequence);
    }
    std::array<Schedule::Cue, 1 + max_members> whole_;
};

TEST_F(BeatScheduleTest, orders_by_beat_then_by_arrival) {
    add_beat(2, 1);
    add_beat(0, 2);
    add_beat(2, 3);
    add_beat(1.5, 4);
    EXPECT_TRUE(schedule_->has_beats());
    EXPECT_EQ(schedule_->next_beat(), bits(0));
    EXPECT_EQ(come(1.5), (Sequences{2, 4}));
    add_beat(2, 5);
    EXPECT_EQ(come(10), (Sequences{1, 3, 5}));
    EXPECT_EQ(schedule_->next_beat(), Schedule::never);
    EXPECT_FALSE(schedule_->has_beats());
}

TEST_F(BeatScheduleTest, keeps_what_was_passed_until_it_comes_again_or_is_taken) {
    for (std::uint32_t sequence = 1; sequence <= 6; ++sequence) add_beat(sequence, sequence);
    schedule_->seek(bits(3));
    EXPECT_EQ(come(4), (Sequences{3, 4}));
    EXPECT_EQ(passed(1), Sequences{});
    EXPECT_EQ(passed(2), Sequences{1});
    schedule_->seek(bits(0));
    EXPECT_EQ(come(5), (Sequences{2, 5}));
    schedule_->seek(bits(7));
    EXPECT_EQ(schedule_->next_beat(), Schedule::never);
    EXPECT_EQ(passed(100), Sequences{6});
}

TEST_F(BeatScheduleTest, shares_its_places_with_the_cues_of_frames) {
    schedule_ = std::make_unique<Schedule>(lines_used);
    std::uint32_t sequence = 0;
    for (int round = 0; round < 3; ++round) {
        Sequences of_frames;
        Sequences of_beats;
        while (schedule_->size() < Schedule::capacity) {
            ++sequence;
            if (schedule_->room(line_of(sequence)) == 0) continue;
            if (sequence % 2 == 0) {
                add(7, sequence);
                of_frames.push_back(sequence);
            } else {
                add_beat(7, sequence);
                of_beats.push_back(sequence);
            }
        }
        EXPECT_EQ(schedule_->room(0), 0U);
        if (round == 1) {
            of_frames.insert(of_frames.end(), of_beats.begin(), of_beats.end());
            EXPECT_EQ(taken_out([](const Schedule::Cue&) noexcept { return true; }), of_frames);
        } else {
            EXPECT_EQ(come(7), of_beats);
            EXPECT_EQ(due(7), of_frames);
        }
        EXPECT_EQ(schedule_->size(), 0U);
    }
}

TEST_F(BeatScheduleTest, take_out_removes_a_transaction_of_a_beat_with_its_members) {
    add(50, 1);
    add_beat(50, 2);
    std::vector<Message> whole(3);
    for (std::uint32_t sequence = 3; Message& message : whole) {
        message.frame = bits(50);
        message.sequence = sequence++;
    }
    schedule_->add_beat(whole);
    add_beat(50, 6);
    schedule_->seek(bits(60));
    const auto taken = [this](std::uint32_t sequence) {
        return taken_out([sequence](const Schedule::Cue& cue) noexcept { return cue.command.sequence == sequence; });
    };
    EXPECT_EQ(taken(4), Sequences{}) << "a member alone";
    EXPECT_EQ(taken(3), (Sequences{3, 4, 5}));
    EXPECT_EQ(passed(100), (Sequences{2, 6}));
}

/// Thousands of steps compared with two standard containers, one of frames and one of beats. Beats are passed, come
/// again, and cues are taken out of either.
TEST_F(BeatScheduleTest, agrees_with_two_multimaps) {
    std::mt19937 random{static_cast<std::uint32_t>(seed())};
    std::multimap<std::uint64_t, std::uint32_t> frames;
    std::multimap<double, std::uint32_t> beats;
    std::uint32_t sequence = 0;
    std::uint64_t now = 0;
    double at = 0;
    for (int step = 0; step < 40'000; ++step) {
        if (step == 18'000) schedule_->reserve(3000);
        const bool filling = step / 4000 % 2 == 0;
        const auto choice = random() % 16;
        if (choice < (filling ? 11U : 6U)) {
            ++sequence;
            if (schedule_->room(line_of(sequence)) == 0) continue;
            if (random() % 2 == 0) {
                const std::uint64_t frame = now + random() % 5000;
                add(frame, sequence);
                frames.emplace(frame, sequence);
            } else {
                const double beat = static_cast<double>(random() % 4000) / 8;
                schedule_->seek(bits(at));
                add_beat(beat, sequence);
                beats.emplace(beat, sequence);
            }
        } else if (choice == 11 && random() % 16 == 0) {
            const auto odd = random() % 7;
            const auto chosen = [odd](std::uint32_t number) { return number % 7 == odd; };
            Sequences expected;
            const auto take_from = [&](auto& model) {
                for (const auto& [time, number] : model) {
                    if (chosen(number)) expected.push_back(number);
                }
                std::erase_if(model, [&](const auto& cue) { return chosen(cue.second); });
            };
            take_from(frames);
            take_from(beats);
            ASSERT_EQ(taken_out([&](const Schedule::Cue& cue) noexcept { return chosen(cue.command.sequence); }),
                      expected);
        } else if (choice == 12) {
            at = static_cast<double>(random() % 4000) / 8;
            schedule_->seek(bits(at));
        } else if (choice == 13) {
            const double below = std::min(at, static_cast<double>(random() % 4000) / 8);
            Sequences expected;
            for (; !beats.empty() && beats.begin()->first < below; beats.erase(beats.begin())) {
                expected.push_back(beats.begin()->second);
            }
            ASSERT_EQ(passed(below), expected);
        } else if (choice == 14) {
            const double to = at + static_cast<double>(random() % 64) / 8;
            Sequences expected;
            for (auto cue = beats.lower_bound(at); cue != beats.end() && cue->first <= to; cue = beats.erase(cue)) {
                expected.push_back(cue->second);
            }
            ASSERT_EQ(come(to), expected);
        } else {
            now += random() % 40;
            Sequences expected;
            for (; !frames.empty() && frames.begin()->first <= now; frames.erase(frames.begin())) {
                expected.push_back(frames.begin()->second);
            }
            ASSERT_EQ(due(now), expected);
        }
        ASSERT_EQ(schedule_->size(), frames.size() + beats.size());
        ASSERT_EQ(schedule_->next_frame(), frames.empty() ? Schedule::never : frames.begin()->first);
        const auto next = beats.lower_bound(at);
        ASSERT_EQ(schedule_->next_beat(), next == beats.end() ? Schedule::never : bits(next->first));
    }
}

TEST_F(ScheduleTest, holds_2048_of_one_frame_and_reuses_their_places) {
    schedule_ = std::make_unique<Schedule>(lines_used);
    for (int round = 0; round < 3; ++round) {
        Sequences expected;
        for (std::uint32_t sequence = 1; sequence <= Schedule::capacity; ++sequence) {
            ASSERT_GT(schedule_->room(line_of(sequence)), 0U);
            add(7, sequence);
            expected.push_back(sequence);
        }
        EXPECT_EQ(schedule_->room(0), 0U);
        if (round == 1) {
            EXPECT_EQ(taken_out([](const Schedule::Cue&) noexcept { return true; }), expected);
        } else {
            EXPECT_EQ(due(7), expected);
        }
    }
    EXPECT_EQ(schedule_->size(), 0U);
}

TEST_F(ScheduleTest, keeps_its_order_when_it_is_given_room) {
    Sequences expected;
    for (std::uint32_t sequence = 1; sequence <= 10'000; ++sequence) {
        if (schedule_->room(0) == 0) schedule_->reserve(sequence);
        add(7, sequence);
        expected.push_back(sequence);
        if (sequence % 100 == 0) {  // so that its first places are free when it grows
            EXPECT_EQ(schedule_->next_frame(), 7U);
            const Schedule::Cue* const cue = schedule_->take_due(7);
            ASSERT_NE(cue, nullptr);
            ASSERT_EQ(cue->command.sequence, expected.front());
            expected.erase(expected.begin());
        }
    }
    EXPECT_EQ(due(7), expected);
}

}  // namespace
}  // namespace cueline::test
