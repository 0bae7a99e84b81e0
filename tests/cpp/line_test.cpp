// line_test.cpp: several lines: they are read in turn, cancel their own cues, and lose nothing.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "cues.hpp"
#include "engine/cancel_progress.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

TEST_F(SmallBudget, lines_are_read_in_turn) {
    CommandSender first = engine_->open_line();
    CommandSender second = engine_->open_line();
    EXPECT_EQ(first.line(), 1U);
    EXPECT_EQ(second.line(), 2U);
    for (int count = 0; count < 100; ++count) {
        set(1, 0);  // far more than its share
        if (count < 4) first.ping();
        if (count < 4) second.ping();
    }
    for (int block = 0; block < 3; ++block) render(64);
    std::array<int, 3> answered{};
    for (const Message& pong : events()) ++answered.at(pong.line);
    EXPECT_EQ(answered, (std::array<int, 3>{0, 4, 4})) << "a third of the budget each, in three blocks of four";
    EXPECT_EQ(processor_->handled(), 4U);
}

TEST_F(Cues, closed_line_loses_nothing_and_the_next_one_continues_its_sequence) {
    {
        CommandSender line = engine_->open_line();
        for (int count = 0; count < 500; ++count) line.send(kind::set_level, 1.0F);
    }
    CommandSender next = engine_->open_line();
    EXPECT_EQ(next.line(), 1U);
    next.ping();
    EXPECT_EQ(next.sequence(), 501U);
    render(256);
    EXPECT_EQ(processor_->handled(), 500U);
    EXPECT_EQ(events().size(), 1U);
    EXPECT_EQ(engine_->command_stats(1).sent, 501U);
}

TEST_F(Cues, ninth_line_is_refused_with_the_number) {
    std::vector<CommandSender> lines;
    for (std::size_t count = 0; count < max_lines - 1; ++count) lines.push_back(engine_->open_line());
    EXPECT_EQ(refusal<LinesTakenError>([this] { static_cast<void>(engine_->open_line()); }),
              "all 8 lines are open: close one first");
    lines.erase(lines.begin() + 3);
    EXPECT_EQ(engine_->open_line().line(), 4U);
}

TEST_F(Cues, line_cancels_only_its_own_cues) {
    CommandSender line = engine_->open_line();
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
    CommandSender line = engine_->open_line();
    CommandSender quiet = engine_->open_line();
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
    ASSERT_EQ(control().receive_confirmation(confirmation), Status::ok);
    EXPECT_EQ(confirmation.kind, cueline::kind::refused);
    EXPECT_EQ(confirmation.as<Refused>().reason, Reason::cancelled);
    EXPECT_EQ(confirmation.line, line.line());
}

TEST_F(SmallBudget, cues_cancelled_long_before_they_are_read_are_not_applied) {
    CommandSender line = engine_->open_line();
    for (int count = 0; count < 20; ++count) line.send(kind::set_level, 1.0F, {.frame = 64});
    control().cancel_all(true);
    line.send(kind::set_level, 2.0F, {.frame = 64});
    render(512);
    EXPECT_EQ(counts().cancelled, 20U);
    EXPECT_EQ(counts().late, 1U);
    EXPECT_EQ(processor_->handled(), 1U);
}

TEST_F(LiveCues, eight_threads_on_eight_lines_lose_nothing) {
    constexpr std::uint32_t each = 3000;
    std::vector<CommandSender> lines;
    for (std::size_t count = 0; count < max_lines - 1; ++count) lines.push_back(engine_->open_line());
    std::atomic<std::size_t> sending = max_lines - 1;
    std::vector<std::jthread> threads;
    for (CommandSender& line : lines) {
        threads.emplace_back([&line, &sending] {
            for (std::uint32_t sent = 0; sent < each;) {
                Message ping = Message::of(cueline::kind::ping, Ping{line.line()});
                if (line.try_send(ping) == Status::ok) {
                    ++sent;
                } else {
                    std::this_thread::yield();
                }
            }
            --sending;
        });
    }
    std::array<std::uint32_t, max_lines> last{};
    for (bool more = true; more;) {
        const bool still_sending = sending.load() > 0;
        render(64);
        const std::vector<Message> pongs = events();
        for (const Message& pong : pongs) {
            ASSERT_EQ(pong.as<Pong>().sent_ns, pong.line);
            ASSERT_EQ(pong.sequence, ++last.at(pong.line)) << "on line " << int{pong.line};
        }
        more = still_sending || !pongs.empty();
    }
    for (std::size_t line = 1; line < max_lines; ++line) EXPECT_EQ(last.at(line), each) << line;
}

TEST(CancelProgress, ends_with_the_first_command_that_was_sent_later) {
    CancelProgress progress;
    const auto read = [&progress](std::uint32_t sequence) {
        Message cue;
        cue.line = 3;
        cue.sequence = sequence;
        cue.frame = 1000;
        return progress.note_read(cue);
    };
    EXPECT_FALSE(read(1));
    progress.cancel(3, 1);  // it was read already and is in the schedule
    EXPECT_FALSE(read(2));
    progress.cancel(3, 5);
    progress.cancel(3, 4);  // no step back
    progress.cancel(3, 0);
    progress.cancel(2, 9);  // another line
    EXPECT_TRUE(read(3));
    EXPECT_TRUE(read(5));
    EXPECT_FALSE(read(6));
    EXPECT_FALSE(read(0x8000'0004)) << "from half of all sequences on, 5 would be the later one";
}

TEST(CancelProgress, recognizes_later_commands_however_long_they_waited) {
    CancelProgress progress;
    Message cue;
    cue.frame = ~std::uint64_t{0};
    for (const std::uint32_t sequence : {5U, 0x8000'0010U, 0xFFFF'FFF0U}) {
        cue.sequence = sequence;
        progress.note_read(cue);
    }
    const auto after = [&](std::uint32_t sequence, std::uint32_t than) {
        cue.sequence = sequence;
        return progress.was_sent_after(cue, than);
    };
    EXPECT_FALSE(after(5, 0xFFFF'FFE0)) << "it was sent long before";
    EXPECT_FALSE(after(0xFFFF'FFE0, 0xFFFF'FFE0));
    EXPECT_TRUE(after(0xFFFF'FFE1, 0xFFFF'FFE0));
    EXPECT_TRUE(after(0xFFFF'FFF0, 0xFFFF'FFE0));
    EXPECT_FALSE(after(0xFFFF'FFF0, 0xFFFF'FFF0));
    EXPECT_FALSE(after(0xFFFF'FFF0, 3)) << "not all cancelled cues have been read";
}

TEST(CancelProgress, works_across_the_wrap_of_sequences) {
    CancelProgress progress;
    Message cue;
    cue.frame = 1;
    cue.sequence = ~std::uint32_t{0} - 1;
    EXPECT_FALSE(progress.note_read(cue));
    progress.cancel(0, 1);
    cue.sequence = ~std::uint32_t{0};
    EXPECT_TRUE(progress.note_read(cue));
    cue.sequence = 1;
    EXPECT_TRUE(progress.note_read(cue));
    cue.sequence = 2;
    EXPECT_FALSE(progress.note_read(cue));
}

}  // namespace
}  // namespace cueline::test
