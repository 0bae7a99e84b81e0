// bounds_test.cpp: whatever is sent, a block does no more than worst_case() says. Steps are counted, not time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <cueline/engine/worst_case.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/link.hpp>
#include <cueline/processor.hpp>
#include <cueline/schedule.hpp>

#include "engine/engine_block.hpp"
#include "processors.hpp"

namespace cueline::test {
namespace {

constexpr Format format{.samplerate = 48'000, .outputs = 1, .blocksize = 64};

/// Counts what it is called for.
class StepsProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    /// If `again` is not 0, schedules that many messages for the next frame.
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        ++handled;
        for (std::size_t count = 0; count < again; ++count) {
            if (context.schedule(command, context.events().frame() + 1) == Scheduled::ok) ++scheduled;
        }
        return true;
    }
    void render(const AudioBlock&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { ++segments; }

    std::size_t handled = 0;
    std::size_t segments = 0;
    std::size_t scheduled = 0;
    std::size_t again = 0;
};

struct Steps {
    std::size_t commands = 0;  // read
    std::size_t handled = 0;   // by the processor
    std::size_t segments = 0;
    std::size_t sweeps = 0;
};

/// A block with all lines open. Each block that it runs must stay within the bound.
class Bounds : public testing::Test {
  protected:
    Bounds() {
        block_.run(processor_, format, {}, {}, BufferSlots{});
        lines_.push_back(&control_);
        opened_.reserve(max_lines - 1);
        while (opened_.size() + 1 < max_lines) opened_.push_back(open_line(*link_));
        for (Line& line : opened_) lines_.push_back(&line);
    }

    Steps run_block() {
        const std::size_t waiting = unread();
        const std::size_t cancelled = report_.cues_cancelled.get();
        const std::uint64_t sweeps = block_.sweeps();
        processor_.handled = processor_.segments = processor_.scheduled = 0;
        block_.process({.outputs = channels_, .frames = format.blocksize, .frame = now()}, 1);

        const Steps steps{waiting - unread(), processor_.handled, processor_.segments, block_.sweeps() - sweeps};
        EXPECT_LE(steps.commands, most_.commands);
        EXPECT_LE(steps.handled + report_.cues_cancelled.get() - cancelled, most_.cues);
        EXPECT_LE(steps.segments, most_.segments);
        EXPECT_LE(steps.sweeps, 2U);
        EXPECT_LE(processor_.scheduled, most_.commands);
        EXPECT_LE(pending(), Schedule::capacity);
        return steps;
    }

    [[nodiscard]] std::uint64_t now() const { return report_.frames.get(); }
    [[nodiscard]] std::uint64_t pending() const { return report_.cues_pending.get(); }

    static Message cue(std::uint64_t frame) {
        Message cue = Message::of(kind::set_level, 1.0F);
        cue.frame = frame;
        return cue;
    }

    static Message beat_cue(double beat) {
        Message cue = Message::of(kind::set_level, 1.0F);
        cue.frame = std::bit_cast<std::uint64_t>(beat);
        cue.flags = delivery::beat;
        return cue;
    }

    /// Fills the schedule with cues for `frame`, of all lines.
    void fill(std::uint64_t frame) {
        while (pending() < Schedule::capacity) {
            for (Line* const line : lines_) {
                for (Message next = cue(frame); line->room() > 960;) line->try_send(next);
            }
            run_block();
        }
        while (unread() > 0) run_block();
    }

    [[nodiscard]] std::size_t unread() const {
        std::size_t commands = 0;
        for (std::size_t line = 0; line < max_lines; ++line) commands += link_->line(line).commands.messages.size();
        return commands;
    }

    std::unique_ptr<OwnedLink> link_ = std::make_unique<OwnedLink>(LinkShape{.lines = max_lines});
    EngineReport report_;
    StepsProcessor processor_;
    DeviceLoss loss_;
    std::unique_ptr<EngineBlock> made_ = std::make_unique<EngineBlock>(*link_, default_budget, report_, loss_);
    EngineBlock& block_ = *made_;
    Line control_{*link_};
    std::vector<Line> opened_;
    std::vector<Line*> lines_;
    std::array<float, format.blocksize> samples_{};
    std::array<float*, 1> channels_{samples_.data()};
    WorstCase most_ = worst_case(default_budget, max_lines, format.blocksize);
};

TEST_F(Bounds, follow_from_the_settings) {
    const WorstCase small = worst_case(100, 1, 64);
    EXPECT_EQ(small.commands, 100U + 257U);
    EXPECT_EQ(small.cues, 1024U + 2 * 357U);
    EXPECT_EQ(small.segments, 64U);
    const WorstCase large = worst_case(1024, 9, 8192);
    EXPECT_EQ(large.cues, 2048U + 2 * (1024U + 257U));
    EXPECT_EQ(large.segments, 2048U + 1024U + 257U + 1U + 8192U / 3 + 1U);
}

TEST_F(Bounds, hold_for_commands_and_a_transaction_at_the_end_of_the_budget) {
    const std::vector<Message> members(max_members, Message::of(kind::set_level, 1.0F));
    for (std::uint32_t sent = 1; sent < default_budget; ++sent) control_.send(kind::set_level, 1.0F);
    control_.try_send_whole(members);
    control_.try_send_whole(members);
    EXPECT_EQ(run_block().commands, default_budget + max_members);
}

TEST_F(Bounds, hold_for_floods_of_transactions_on_all_lines) {
    const std::vector<Message> members(max_members, Message::of(kind::set_level, 1.0F));
    for (int block = 0; block < 50; ++block) {
        for (Line* const line : lines_) {
            line->send(kind::set_level, 1.0F);
            line->try_send_whole(members, {.frame = block % 3 == 0 ? now() + 70 : 0});
        }
        run_block();
    }
}

TEST_F(Bounds, hold_for_a_header_that_promises_more_members_than_there_are) {
    for (Line* const line : lines_) {
        for (std::uint32_t sent = 0; sent < 1000; ++sent) line->send(cueline::kind::transaction, Transaction{~0U});
    }
    while (unread() > 0) run_block();
}

TEST_F(Bounds, hold_when_all_cues_are_due_and_those_just_read_too) {
    const std::uint64_t frame = 6'400;
    fill(frame);
    while (now() < frame) run_block();
    const std::vector<Message> members(max_members, Message::of(kind::set_level, 1.0F));
    Message next = cue(frame + 1);
    for (std::uint32_t sent = 1; sent < default_budget; ++sent) control_.try_send(next);
    control_.try_send_whole(members, {.frame = frame + 1});
    const Steps steps = run_block();
    EXPECT_EQ(steps.commands, default_budget + max_members);
    EXPECT_EQ(steps.handled, Schedule::capacity + steps.commands - 1) << "all but the header";
    EXPECT_EQ(steps.segments, 2U);
}

TEST_F(Bounds, hold_for_a_cue_at_each_frame) {
    std::size_t most = 0;
    for (int block = 0; block < 50; ++block) {
        for (std::uint64_t ahead = 1; ahead < 200; ++ahead) {
            Message next = cue(now() + ahead);
            lines_[ahead % max_lines]->try_send(next);
        }
        most = std::max(most, run_block().segments);
    }
    EXPECT_EQ(most, format.blocksize);
}

TEST_F(Bounds, hold_for_commands_that_schedule_themselves_for_each_frame) {
    processor_.again = 1;
    for (Line* const line : lines_) {
        for (std::uint32_t sent = 0; sent < 100; ++sent) line->send(kind::set_level, 1.0F);
    }
    std::size_t most = 0;
    for (int block = 0; block < 50; ++block) {
        run_block();
        most = std::max(most, processor_.scheduled);
    }
    EXPECT_EQ(most, most_.commands);
}

TEST_F(Bounds, hold_for_commands_that_schedule_two_each) {
    fill(1'000'000);
    processor_.again = 2;
    for (int block = 0; block < 50; ++block) {
        for (Line* const line : lines_) line->send(kind::set_level, 1.0F);
        run_block();
    }
    EXPECT_GT(processor_.handled, 0U);
}

TEST_F(Bounds, hold_for_cancel_all_beside_foreign_cues) {
    for (std::size_t sent = 0; sent < Schedule::line_capacity; ++sent) {
        Message next = cue(1'000'000);
        control_.try_send(next);
        if (sent % 256 == 255) run_block();
    }
    for (int block = 0; block < 20; ++block) {
        for (std::uint32_t sent = 0; sent < default_budget; ++sent) opened_[0].cancel_all();
        EXPECT_EQ(run_block().sweeps, 1U);
    }
    EXPECT_EQ(pending(), Schedule::line_capacity);
    opened_[0].cancel_all(true);
    run_block();
    EXPECT_EQ(pending(), 0U);
}

TEST_F(Bounds, hold_for_single_cancels) {
    fill(1'000'000);
    for (const std::uint32_t first : {1U, 1'000'001U}) {  // of cues that wait, and of none
        const std::uint64_t cancelled = report_.cues_cancelled.get();
        for (std::uint32_t sent = 0; sent < default_budget; ++sent) control_.cancel(first + sent);
        EXPECT_EQ(run_block().sweeps, first == 1 ? 1U : 0U);
        EXPECT_GE(report_.cues_cancelled.get() - cancelled, first == 1 ? 1U : 0U);
    }
}

TEST_F(Bounds, hold_for_cancels_and_cues_in_turn_when_the_schedule_is_full) {
    fill(1'000'000);
    for (int block = 0; block < 20; ++block) {
        for (std::uint32_t sent = 0; sent < 128; ++sent) {
            control_.cancel(1 + sent);
            Message next = cue(1'000'000);
            control_.try_send(next);
        }
        run_block();
    }
}

TEST_F(Bounds, hold_when_all_cues_of_beats_are_due_at_one_frame) {
    while (pending() < Schedule::capacity) {
        for (Line* const line : lines_) {
            for (Message next = beat_cue(0.5); line->room() > 960;) line->try_send(next);
        }
        run_block();
    }
    while (unread() > 0) run_block();
    std::size_t most = 0;
    while (pending() > 0) most = std::max(most, run_block().handled);
    EXPECT_EQ(most, Schedule::capacity);
}

TEST_F(Bounds, hold_for_a_cue_at_the_beat_of_each_frame) {
    std::size_t most = 0;
    for (int block = 0; block < 50; ++block) {
        for (std::uint64_t ahead = 1; ahead < 200; ++ahead) {
            Message next = beat_cue(static_cast<double>(now() + ahead) / 24'000);
            lines_[ahead % max_lines]->try_send(next);
        }
        most = std::max(most, run_block().segments);
    }
    EXPECT_EQ(most, format.blocksize);
}

TEST_F(Bounds, hold_for_floods_of_commands_that_move_the_timeline) {
    for (int block = 0; block < 100; ++block) {
        for (std::size_t number = 0; number < lines_.size(); ++number) {
            const auto beat = static_cast<double>((number * 7 + static_cast<std::size_t>(block)) % 16);
            const std::array<Message, 5> moves{Message::of(Locate{beat}), Message::of(SetLoop{beat, beat + 0.0625}),
                                               Message::of(SetTempo{1000}), Message::of(SetLoop{0, 0}),
                                               Message::of(kind::set_level, 1.0F)};
            for (int sent = 0; sent < 20; ++sent) {
                Message next = moves.at(static_cast<std::size_t>(sent) % moves.size());
                next.flags = sent % 3 == 0 ? 0 : delivery::beat;
                next.frame = sent % 3 == 0 ? now() + number : std::bit_cast<std::uint64_t>(beat + sent * 0.001);
                lines_[number]->try_send(next);
            }
        }
        run_block();
    }
    EXPECT_GT(pending(), 0U);
}

TEST_F(Bounds, hold_for_the_shortest_loop_at_the_highest_tempo) {
    control_.send(cueline::kind::set_tempo, SetTempo{highest_tempo});
    control_.send(cueline::kind::set_loop, SetLoop{0, shortest_loop});
    std::size_t most = 0;
    for (int block = 0; block < 50; ++block) most = std::max(most, run_block().segments);
    EXPECT_EQ(most, 2U) << "a round takes 180 frames";
}

TEST_F(Bounds, hold_for_cancels_that_are_cues) {
    const std::uint64_t frame = 6'400;
    Message cancel = Message::of(Cancel{1});
    Message cancel_all = Message::of(CancelAll{.first_line = 0, .up_to = {1, 1, 1, 1, 1, 1, 1, 1, 1}});
    while (pending() < Schedule::capacity) {
        for (Line* const line : lines_) {
            for (int sent = 0; sent < 20; ++sent) {
                Message& next = sent % 2 == 0 ? cancel : cancel_all;
                next.frame = frame + static_cast<std::uint64_t>(sent);
                line->try_send(next);
            }
        }
        run_block();
    }
    while (unread() > 0) run_block();
    while (pending() > 0) run_block();
    EXPECT_LE(run_block().sweeps, 1U) << "the marks of the last block";
    EXPECT_EQ(run_block().sweeps, 0U);
}

}  // namespace
}  // namespace cueline::test
