// worst_case.cpp: the most that traffic can cost a block, at the default budget.
//
// All 64 lines are open. Each block is timed by itself, and contains one reading of the clock. Shares are of a block of
// 64 frames at 48 kHz: the aim is at most a tenth.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/player_messages.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/schedule.hpp>

#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"
#include "spread.hpp"
#include "stage.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 1'000, .in_a_row = 1};

/// An engine at the default budget, with all lines open.
class Crowd {
  public:
    explicit Crowd(std::unique_ptr<Processor> processor = std::make_unique<SilenceProcessor>())
        : stage_{std::move(processor), default_budget, max_lines} {
        opened_.reserve(max_lines - 1);
        lines_.push_back(&stage_.engine.control());
        while (opened_.size() + 1 < max_lines) {
            opened_.push_back(stage_.engine.open_line());
            lines_.push_back(&opened_.back());
        }
    }

    [[nodiscard]] Line& line(std::size_t number) { return *lines_[number]; }
    void run_block() { stage_.run_block(); }
    void publish(std::span<const float> sound) { stage_.engine.publish(0, sound, 1); }
    [[nodiscard]] std::uint64_t now() const { return stage_.engine.now(); }

    /// Fills the schedule: two lines with what they may have, the others with what is reserved for them. The cues are
    /// spread over the frames of the block that begins at `frame`.
    void fill(Message cue, std::uint64_t frame) {
        constexpr std::size_t of_two = Schedule::capacity - (max_lines - 2) * Schedule::reserved;
        for (std::size_t number = 0; number < Schedule::capacity; ++number) {
            std::size_t line = number < Schedule::line_capacity ? 0 : 1;
            if (number >= of_two) line = 2 + (number - of_two) / Schedule::reserved;
            cue.frame = frame + number * 37 % block_format.blocksize;  // not in their order
            lines_[line]->try_send(cue);
            if (number % 128 == 127) run_block();
        }
        run_block();
    }
    /// Fills the schedule with cues of the block that is run next.
    void fill_next(const Message& cue) {
        const std::uint64_t frame = now() + std::uint64_t{20} * block_format.blocksize;
        fill(cue, frame);
        while (now() < frame) run_block();
    }

    /// Cancels all cues.
    void clear() {
        stage_.engine.control().cancel_all(true);
        for (int block = 0; block < 8; ++block) run_block();
        take_all();
    }
    void take_all() {
        Message message;
        for (Line* const line : lines_) {
            while (line->receive(message) == Status::ok) {
            }
            while (line->receive_confirmation(message) == Status::ok) {
            }
        }
    }

  private:
    Stage stage_;
    std::vector<Line> opened_;
    std::vector<Line*> lines_;
};

template <class Before>
void time_blocks(benchmark::State& state, Crowd& crowd, Before before) {
    report_share(state, time_each(state, blocks, before, [&] { crowd.run_block(); }));
}

/// Each line sends transactions of 256 messages, more than a block can read.
void worst_transactions_on_all_lines(benchmark::State& state) {
    Crowd crowd;
    const std::vector<Message> members(max_members, Message::of(Ping{1}));
    time_blocks(state, crowd, [&] {
        crowd.take_all();
        for (std::size_t line = 0; line < max_lines; ++line) {
            crowd.line(line).ping();
            crowd.line(line).try_send_whole(members);
        }
    });
}

/// 1024 cues of one line wait. Another line sends 256 cancel_all, which cancel none of them.
void worst_cancel_all_beside_foreign_cues(benchmark::State& state) {
    Crowd crowd;
    const Ping ping{1};
    for (std::size_t number = 0; number < Schedule::line_capacity; ++number) {
        crowd.line(1).send(kind::ping, ping, {.frame = far_away});
        if (number % 256 == 255) crowd.run_block();
    }
    time_blocks(state, crowd, [&] {
        for (std::uint32_t sent = 0; sent < default_budget; ++sent) crowd.line(0).cancel_all();
    });
}

/// The schedule is full. A line cancels 256 of its cues one by one, the last first.
void worst_single_cancels(benchmark::State& state) {
    Crowd crowd;
    time_blocks(state, crowd, [&] {
        crowd.clear();
        const std::uint32_t last = crowd.line(0).sequence() + Schedule::line_capacity;
        crowd.fill(Message::of(Ping{1}), far_away);
        for (std::uint32_t sent = 0; sent < default_budget; ++sent) crowd.line(0).cancel(last - sent);
    });
}

/// The schedule is full. A line cancels one of its cues and sends another, 128 times.
void worst_cancels_and_cues_in_turn(benchmark::State& state) {
    Crowd crowd;
    time_blocks(state, crowd, [&] {
        crowd.clear();
        const std::uint32_t last = crowd.line(0).sequence() + Schedule::line_capacity;
        crowd.fill(Message::of(Ping{1}), far_away);
        for (std::uint32_t sent = 0; sent < default_budget / 2; ++sent) {
            crowd.line(0).cancel(last - sent);
            crowd.line(0).send(kind::ping, Ping{1}, {.frame = far_away, .flags = delivery::confirm});
        }
    });
}

/// All cues of a full schedule are cancelled, and each is confirmed.
void worst_all_cancelled(benchmark::State& state) {
    Crowd crowd;
    Message cue = Message::of(Ping{1});
    cue.flags = delivery::confirm;
    time_blocks(state, crowd, [&] {
        crowd.take_all();
        crowd.fill(cue, far_away);
        crowd.line(0).cancel_all(true);
    });
}

/// All cues of a full schedule are due, 32 at each frame of the block, and each is confirmed. Besides, a line's
/// commands use up the budget, and its transaction exceeds it.
void time_all_due(benchmark::State& state, std::unique_ptr<Processor> processor, Message cue,
                  std::span<const float> sound = {}) {
    Crowd crowd{std::move(processor)};
    if (!sound.empty()) crowd.publish(sound);
    const Message command = cue;
    const std::vector<Message> members(max_members, command);
    cue.flags = delivery::confirm;
    time_blocks(state, crowd, [&] {
        crowd.fill_next(cue);
        crowd.take_all();
        for (std::uint32_t sent = 1; sent < default_budget; ++sent) {
            Message next = command;
            crowd.line(0).try_send(next);
        }
        crowd.line(0).try_send_whole(members);
    });
}
void worst_all_due_pings(benchmark::State& state) {
    time_all_due(state, std::make_unique<SilenceProcessor>(), Message::of(Ping{1}));
}
void worst_all_due_tone(benchmark::State& state) {
    time_all_due(state, std::make_unique<ToneProcessor>(), Message::of(SetTone{.frequency_hz = 440, .gain = 0.1F}));
}
void worst_all_due_clicks(benchmark::State& state) {
    time_all_due(state, std::make_unique<ToneProcessor>(), Message::of(Click{.frequency_hz = 1000, .gain = 0.1F}));
}
void worst_all_due_player(benchmark::State& state) {
    time_all_due(state, std::make_unique<PlayerProcessor>(), Message::of(PlayBuffer{.slot = 0}));
}
/// The slot holds a long sound, so each start takes the place of a voice that plays, which fades out.
void worst_all_due_player_steals(benchmark::State& state) {
    time_all_due(state, std::make_unique<PlayerProcessor>(), Message::of(PlayBuffer{.slot = 0}),
                 std::vector<float>(48'000, 0.1F));
}
void worst_all_due_cancels(benchmark::State& state) {
    time_all_due(state, std::make_unique<SilenceProcessor>(), Message::of(Cancel{12'345}));
}
void worst_all_due_cancel_all(benchmark::State& state) {
    CancelAll cancel{};
    cancel.up_to.fill(1);
    time_all_due(state, std::make_unique<SilenceProcessor>(), Message::of(cancel));
}

// One iteration runs all blocks of a row.
void once(benchmark::internal::Benchmark* row) {
    row->Iterations(1)->Unit(benchmark::kMillisecond);
}
BENCHMARK(worst_transactions_on_all_lines)->Apply(once);
BENCHMARK(worst_cancel_all_beside_foreign_cues)->Apply(once);
BENCHMARK(worst_single_cancels)->Apply(once);
BENCHMARK(worst_cancels_and_cues_in_turn)->Apply(once);
BENCHMARK(worst_all_cancelled)->Apply(once);
BENCHMARK(worst_all_due_pings)->Apply(once);
BENCHMARK(worst_all_due_tone)->Apply(once);
BENCHMARK(worst_all_due_clicks)->Apply(once);
BENCHMARK(worst_all_due_player)->Apply(once);
BENCHMARK(worst_all_due_player_steals)->Apply(once);
BENCHMARK(worst_all_due_cancels)->Apply(once);
BENCHMARK(worst_all_due_cancel_all)->Apply(once);

}  // namespace
}  // namespace cueline::bench
