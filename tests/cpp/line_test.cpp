// line_test.cpp: several lines: they are read in turn, cancel their own cues, and lose nothing.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <cueline/schedule.hpp>

#include "cues.hpp"
#include "engine/cancel_marks.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

TEST_F(SmallBudget, lines_are_read_in_turn) {
    Line first = engine_->open_line();
    Line second = engine_->open_line();
    EXPECT_EQ(first.number(), 1U);
    EXPECT_EQ(second.number(), 2U);
    for (int count = 0; count < 100; ++count) {
        set(1, 0);  // far more than its share
        if (count < 4) first.ping();
        if (count < 4) second.ping();
    }
    for (int block = 0; block < 3; ++block) render(64);
    EXPECT_EQ(first.waiting(), 4U) << "a third of the budget each, in three blocks of four";
    EXPECT_EQ(second.waiting(), 4U);
    EXPECT_EQ(processor_->handled(), 4U);
}

TEST_F(Cues, closed_line_loses_nothing_and_the_next_one_continues_its_sequence) {
    {
        Line line = engine_->open_line();
        for (int count = 0; count < 500; ++count) line.send(kind::set_level, 1.0F);
    }
    Line next = engine_->open_line();
    EXPECT_EQ(next.number(), 1U);
    next.ping();
    EXPECT_EQ(next.sequence(), 501U);
    render(256);
    EXPECT_EQ(processor_->handled(), 500U);
    EXPECT_EQ(next.waiting(), 1U);
    EXPECT_EQ(engine_->line_stats(1).commands.sent, 501U);
}

TEST_F(Cues, one_line_too_many_is_refused_with_the_number) {
    std::vector<Line> lines;
    for (std::size_t count = 0; count < engine_->lines() - 1; ++count) lines.push_back(engine_->open_line());
    EXPECT_EQ(refusal<LinesTakenError>([this] { static_cast<void>(engine_->open_line()); }),
              "all 9 lines are open, the engine's own among them: close one, or declare more (AudioEngine(lines=...), "
              "at most 64)");
    lines.erase(lines.begin() + 3);
    EXPECT_EQ(engine_->open_line().number(), 4U);
}

TEST_F(Cues, line_cancels_only_its_own_cues) {
    Line line = engine_->open_line();
    set(1, 100);
    line.send(kind::set_level, 2.0F, {.frame = 100});
    line.cancel(1);
    EXPECT_EQ(render(128)[100], 1.0F);
    line.send(kind::set_level, 2.0F, {.frame = 200});
    set(3, 200);
    line.cancel_all();
    EXPECT_EQ(render(128)[100], 3.0F);
    line.send(kind::set_level, 4.0F, {.frame = 500});
    render(64);
    control().cancel_all(true);
    render(128);
    EXPECT_EQ(render(128).back(), 3.0F);
    EXPECT_EQ(counts().cancelled, 3U);
}

TEST_F(Cues, cancelling_on_all_lines_removes_only_cues_sent_before) {
    Line line = engine_->open_line();
    Line quiet = engine_->open_line();
    // The cancel is on the line that is read first, so it is read before all of these
    line.send(kind::set_level, 1.0F, {.frame = 100});
    line.send(kind::set_level, 2.0F);  // no cue
    const std::array<Message, 2> members{Message::of(kind::set_level, 3.0F), Message::of(kind::set_level, 3.0F)};
    line.try_send_whole(members, {.frame = 101, .flags = delivery::confirm});
    control().cancel_all(true);
    line.send(kind::set_level, 4.0F, {.frame = 102});
    quiet.send(kind::set_level, 5.0F, {.frame = 103});
    const std::vector<float> audio = render(128);
    EXPECT_EQ(audio[0], 2.0F);
    EXPECT_EQ(audio[101], 2.0F);
    EXPECT_EQ(audio[102], 4.0F);
    EXPECT_EQ(audio[103], 5.0F);
    EXPECT_EQ(counts().cancelled, 2U);
    Message confirmation;
    ASSERT_EQ(line.receive_confirmation(confirmation), Status::ok);
    EXPECT_EQ(confirmation.kind, cueline::kind::refused);
    EXPECT_EQ(confirmation.as<Refused>().reason, Reason::cancelled);
    EXPECT_EQ(confirmation.line, line.number());
}

TEST_F(SmallBudget, answers_to_an_owner_before_go_to_line_0_although_most_of_its_commands_still_wait) {
    {
        Line line = engine_->open_line();
        for (int count = 0; count < 10; ++count) line.ping();
    }
    const Line next = engine_->open_line();
    render(64);  // reads four
    EXPECT_EQ(next.waiting(), 0U);
    EXPECT_EQ(control().waiting(), 4U);
}

TEST_F(SmallBudget, cues_cancelled_long_before_they_are_read_are_not_applied) {
    Line line = engine_->open_line();
    for (int count = 0; count < 20; ++count) line.send(kind::set_level, 1.0F, {.frame = 64});
    control().cancel_all(true);
    line.send(kind::set_level, 2.0F, {.frame = 64});
    render(512);
    EXPECT_EQ(counts().cancelled, 20U);
    EXPECT_EQ(counts().late, 1U);
    EXPECT_EQ(processor_->handled(), 1U);
}

TEST_F(LiveCues, threads_on_all_lines_lose_nothing) {
    constexpr std::uint32_t each = 1000;
    make(std::make_unique<StepDevice>(format), default_budget, max_lines);
    std::vector<Line> lines;
    while (lines.size() < max_lines - 1) lines.push_back(engine_->open_line());
    std::atomic<std::size_t> sending = lines.size();
    std::vector<std::jthread> threads;
    for (Line& line : lines) {
        threads.emplace_back([&line, &sending] {
            std::uint32_t received = 0;
            for (std::uint32_t sent = 0; received < each;) {
                Message ping = Message::of(cueline::kind::ping, Ping{line.number()});
                if (sent < each && line.try_send(ping) == Status::ok) ++sent;
                Message pong;
                if (line.receive(pong) != Status::ok) {
                    std::this_thread::yield();
                    continue;
                }
                EXPECT_EQ(pong.line, line.number());
                EXPECT_EQ(pong.as<Pong>().sent_ns, line.number());
                EXPECT_EQ(pong.sequence, ++received);
            }
            --sending;
        });
    }
    while (sending.load() > 0) render(64);
    threads.clear();
    for (const LineStats& line : engine_->stats().lines) {
        EXPECT_EQ(line.events.dropped, 0U);
        EXPECT_EQ(line.events.sent, line.commands.sent);
    }
    EXPECT_TRUE(events().empty());
}

TEST_F(Cues, an_answer_goes_to_the_line_that_asked) {
    Line line = engine_->open_line();
    Line other = engine_->open_line();
    line.ping();
    control().ping();
    render(64);
    Message pong;
    ASSERT_EQ(line.receive(pong), Status::ok);
    EXPECT_EQ(pong.line, 1U);
    EXPECT_EQ(line.receive(pong), Status::empty);
    EXPECT_EQ(other.receive(pong), Status::empty);
    ASSERT_EQ(events().size(), 1U);
}

TEST_F(Cues, a_line_that_stops_its_events_keeps_those_before_and_line_0_gets_those_after) {
    Line line = engine_->open_line(Events::all);
    line.ping();
    render(64);
    line.stop_events();
    line.ping();
    render(64);
    EXPECT_EQ(line.waiting(), 1U);
    EXPECT_EQ(control().waiting(), 1U);
}

TEST_F(Cues, an_answer_for_a_closed_line_goes_to_line_0_and_to_lines_with_all_events) {
    Line all = engine_->open_line(Events::all);
    Line own = engine_->open_line();
    engine_->open_line().ping();  // it closes at once
    render(64);
    Message pong;
    ASSERT_EQ(all.receive(pong), Status::ok);
    EXPECT_EQ(pong.line, 3U);
    EXPECT_EQ(own.receive(pong), Status::empty);
    ASSERT_EQ(events().size(), 1U);
}

TEST_F(Cues, a_new_owner_of_a_line_gets_no_events_of_the_owner_before) {
    {
        Line line = engine_->open_line();
        line.ping();
        render(64);  // its pong waits unread
        line.ping();
        line.send(kind::set_level, 0.0F);
    }
    Line next = engine_->open_line();
    EXPECT_EQ(next.waiting(), 0U);
    EXPECT_EQ(next.discarded(), 1U);
    next.ping();
    render(64);
    Message pong;
    ASSERT_EQ(next.receive(pong), Status::ok);
    EXPECT_EQ(pong.sequence, 4U);
    EXPECT_EQ(next.receive(pong), Status::empty);
    ASSERT_EQ(events().size(), 1U) << "the second pong of the owner before";
}

TEST_F(Cues, a_line_that_nobody_reads_loses_only_its_own_events) {
    Line deaf = engine_->open_line();
    for (int round = 0; round < 3; ++round) {
        for (int count = 0; count < 500; ++count) {
            deaf.ping();
            control().ping();
        }
        render(64);
        EXPECT_EQ(events().size(), 500U);
    }
    EXPECT_EQ(engine_->line_stats(1).events.dropped, 1500U - 1024U);
    EXPECT_EQ(engine_->line_stats(0).events.dropped, 0U);
}

TEST_F(Cues, confirmations_go_to_the_line_of_their_command_whoever_owns_it) {
    {
        Line line = engine_->open_line();
        line.send(kind::set_level, 1.0F, {.flags = delivery::confirm});
    }
    render(64);
    EXPECT_TRUE(confirmations().empty());
    Line next = engine_->open_line();
    Message confirmation;
    ASSERT_EQ(next.receive_confirmation(confirmation), Status::ok);
    EXPECT_EQ(confirmation.sequence, 1U);
}

TEST_F(Cues, an_engine_touches_and_locks_a_line_only_when_it_is_opened) {
    make(std::make_unique<OfflineDevice>(format), default_budget, max_lines);
    EXPECT_EQ(engine_->lines(), max_lines);
    EXPECT_EQ(engine_->stats().lines.size(), 1U);
    const Line line = engine_->open_line();
    EXPECT_EQ(engine_->stats().lines.size(), 2U);
    EXPECT_EQ(engine_->line_stats(40).commands.sent, 0U);
}

TEST_F(LiveCues, flood_of_one_line_leaves_places_to_the_others) {
    Line flood = engine_->open_line();
    Line second = engine_->open_line();
    Line quiet = engine_->open_line();
    for (std::uint32_t sent = 0; sent < 3008; ++sent) {
        flood.send(kind::set_level, 1.0F, {.frame = 9000});
        second.send(kind::set_level, 1.0F, {.frame = 9000});
        if (sent % 64 == 63) render(64);
    }
    EXPECT_EQ(counts().pending, Schedule::capacity - (default_lines - 2) * Schedule::reserved);
    for (std::size_t sent = 0; sent < Schedule::reserved; ++sent) quiet.send(kind::set_level, 2.0F, {.frame = 9001});
    const std::uint64_t refused = counts().refused;
    render(64);
    EXPECT_EQ(counts().refused, refused);
    quiet.send(kind::set_level, 2.0F, {.frame = 9001});
    render(64);
    EXPECT_EQ(counts().refused, refused + 1);
}

TEST_F(Cues, cancelling_on_all_lines_reaches_every_line) {
    make(std::make_unique<OfflineDevice>(format), default_budget, max_lines);
    std::vector<Line> lines;
    while (lines.size() < max_lines - 1) lines.push_back(engine_->open_line());
    set(1, 100);
    for (Line& line : lines) line.send(kind::set_level, 1.0F, {.frame = 100});
    EXPECT_EQ(control().cancel_all(true), Status::ok);
    for (Line& line : lines) line.send(kind::set_level, 2.0F, {.frame = 101});
    const std::vector<float> audio = render(128);
    EXPECT_EQ(audio[100], 0.0F);
    EXPECT_EQ(audio[101], 2.0F);
    EXPECT_EQ(counts().cancelled, max_lines);
}

TEST_F(Cues, cancel_all_without_room_is_refused_and_counted) {
    make(std::make_unique<OfflineDevice>(format), default_budget, max_lines);
    std::vector<Line> lines;
    while (lines.size() < max_lines - 1) lines.push_back(engine_->open_line());
    while (set(1, 0) == Status::ok) {
    }
    EXPECT_EQ(control().cancel_all(true), Status::full);
    // A message for each nine lines, and a header if there are several.
    const std::size_t parts = (max_lines + cancel_all_lines - 1) / cancel_all_lines;
    EXPECT_EQ(engine_->line_stats(0).commands.dropped, 1 + (parts == 1 ? 1 : parts + 1));
}

TEST_F(Cues, cancel_all_of_lines_that_do_not_exist_does_nothing) {
    set(1, 100);
    control().send(cueline::kind::cancel_all, CancelAll{.first_line = max_lines, .up_to = {9, 9, 9}});
    control().send(cueline::kind::cancel_all, CancelAll{.first_line = 0xFFFF'FFFF, .up_to = {9, 9, 9}});
    EXPECT_EQ(render(128)[100], 1.0F);
    EXPECT_EQ(counts().cancelled, 0U);
}

/// Marks, as if an engine had read commands of one line.
class CancelMarksTest : public testing::Test {
  protected:
    bool read(std::uint32_t sequence) { return marks_.note_read(cue(sequence)); }
    [[nodiscard]] bool marked(std::uint32_t sequence) const { return marks_.contains(cue(sequence)); }
    static Message cue(std::uint32_t sequence) {
        Message cue;
        cue.line = line;
        cue.sequence = sequence;
        cue.frame = 1000;
        return cue;
    }

    static constexpr std::uint8_t line = 3;
    CancelMarks marks_;
};

TEST_F(CancelMarksTest, end_with_the_first_command_that_was_sent_later) {
    EXPECT_FALSE(read(1));
    marks_.mark_all(line, 1);  // it was read already and is in the schedule
    EXPECT_FALSE(read(2));
    marks_.mark_all(line, 5);
    marks_.mark_all(line, 4);  // no step back
    marks_.mark_all(line, 0);
    marks_.mark_all(2, 9);  // another line
    EXPECT_TRUE(read(3));
    EXPECT_TRUE(read(5));
    EXPECT_FALSE(read(6));
    EXPECT_FALSE(read(0x8000'0004)) << "from half of all sequences on, 5 would be the later one";
}

TEST_F(CancelMarksTest, leave_later_commands_however_long_a_cue_waited) {
    for (const std::uint32_t sequence : {5U, 0x8000'0010U, 0xFFFF'FFF0U}) read(sequence);
    const auto marked_up_to = [this](std::uint32_t sequence, std::uint32_t up_to) {
        marks_.clear();
        marks_.mark_all(line, up_to);
        return marked(sequence);
    };
    EXPECT_TRUE(marked_up_to(5, 0xFFFF'FFE0)) << "it was sent long before";
    EXPECT_TRUE(marked_up_to(0xFFFF'FFE0, 0xFFFF'FFE0));
    EXPECT_FALSE(marked_up_to(0xFFFF'FFE1, 0xFFFF'FFE0));
    EXPECT_FALSE(marked_up_to(0xFFFF'FFF0, 0xFFFF'FFE0));
    EXPECT_TRUE(marked_up_to(0xFFFF'FFF0, 0xFFFF'FFF0));
    EXPECT_TRUE(marked_up_to(0xFFFF'FFF0, 3)) << "not all cancelled cues have been read";
}

TEST_F(CancelMarksTest, of_several_cancels_are_the_latest) {
    read(100);
    marks_.mark_all(line, 50);
    marks_.mark_all(line, 40);
    EXPECT_TRUE(marked(50));
    EXPECT_FALSE(marked(51));
    read(120);
    EXPECT_FALSE(marked(120)) << "it was read after the cancels";
    marks_.mark_all(line, 110);
    EXPECT_TRUE(marked(110));
    EXPECT_FALSE(marked(111));
    marks_.clear();
    EXPECT_FALSE(marked(50));
    EXPECT_FALSE(marks_.any());
}

TEST_F(CancelMarksTest, work_across_the_wrap_of_sequences) {
    EXPECT_FALSE(read(~std::uint32_t{0} - 1));
    marks_.mark_all(line, 1);
    EXPECT_TRUE(read(~std::uint32_t{0}));
    EXPECT_TRUE(read(1));
    EXPECT_FALSE(read(2));
    EXPECT_TRUE(marked(~std::uint32_t{0} - 1));
    EXPECT_FALSE(marked(2));
}

TEST_F(CancelMarksTest, of_single_cues_are_found_and_no_others) {
    read(50'000);
    for (int sweep = 0; sweep < 70'000; ++sweep) {  // more than there are generations
        marks_.mark(line, 7);
        marks_.clear();
    }
    EXPECT_FALSE(marked(7));
    for (std::uint32_t sequence = 1; marks_.has_room(); sequence += 3) marks_.mark(line, sequence);
    marks_.mark(line, 1);  // again
    marks_.mark(line, 0);
    marks_.mark(line, 50'001);  // not read yet
    for (std::uint32_t sequence = 1; sequence <= 50'001; ++sequence) {
        ASSERT_EQ(marked(sequence), sequence % 3 == 1 && sequence <= 3 * CancelMarks::max_singles) << sequence;
    }
    Message other_line = cue(1);
    other_line.line = line + 1;
    EXPECT_FALSE(marks_.contains(other_line));
}

}  // namespace
}  // namespace cueline::test
