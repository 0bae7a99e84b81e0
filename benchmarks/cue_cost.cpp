// cue_cost.cpp: the cost of a block with cues, transactions, lines or parameters.
//
// Each block, or call of the schedule, is timed by itself, and contains one reading of the clock (see clock_each). The
// same thread sends the messages, so they are in the caches of the core that reads them. Shares are of a block of 64
// frames at 48 kHz.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/schedule.hpp>
#include <cueline/timeline.hpp>

#include "processors/tone_processor.hpp"
#include "spread.hpp"
#include "stage.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};
template <class Before>
void time_blocks(benchmark::State& state, Stage& stage, Before before) {
    report_share(state, time_each(state, blocks, before, [&] { stage.run_block(); }));
}

/// `count` cues wait, and none is due.
void block_with_pending_cues_each(benchmark::State& state) {
    Stage stage;
    stage.fill(state.range(0));
    time_blocks(state, stage, [] {});
}

/// `count` waiting cues are due at one frame, in the middle of the block.
void block_with_due_cues_each(benchmark::State& state) {
    Stage stage;
    time_blocks(state, stage, [&] {
        stage.take_events();
        stage.send_pings(state.range(0), stage.engine.now() + block_format.blocksize + 32);
        stage.run_block();
    });
}

/// 1000 cues wait, and `due` of them come in this block, spread over its frames. Their times are frames, or beats while
/// the tempo ramps for ever.
void block_with_thousand_cues_each(benchmark::State& state) {
    Stage stage;
    Line& control = stage.engine.control();
    const bool beats = state.range(0) != 0;
    const std::int64_t due = state.range(1);
    Timeline timeline;
    const auto send_at = [&](std::uint64_t frame) {
        const double beat = beats ? timeline.beat_at(static_cast<double>(frame)) : 0;
        control.send(kind::ping, Ping{1}, beats ? at_beat(beat) : Delivery{.frame = frame});
    };
    control.send(RampTempo::kind, RampTempo{.tempo = 999, .length = 1e6, .over = RampOver::beats});
    stage.run_block();
    timeline = stage.engine.timeline();  // the ramp's, which goes on
    for (std::int64_t number = due; number < 1000; ++number) send_at(far_away + static_cast<std::uint64_t>(number));
    time_blocks(state, stage, [&] {
        stage.take_events();
        const std::uint64_t first = stage.engine.now() + block_format.blocksize;  // of the block that is timed
        for (std::int64_t number = 0; number < due; ++number) {
            send_at(first + static_cast<std::uint64_t>(number * 37 % block_format.blocksize));  // not in their order
        }
        stage.run_block();
    });
    const CueStats cues = stage.engine.stats().cues;
    state.counters["late"] = static_cast<double>(cues.late + cues.refused);  // 0, if it measures what it says
}

/// `count` waiting cues are cancelled at once.
void block_with_cancel_all_each(benchmark::State& state) {
    Stage stage;
    time_blocks(state, stage, [&] {
        stage.fill(state.range(0));
        stage.engine.control().cancel_all();
    });
}

/// `count` cues wait. 256 of them are cancelled one by one, the last due first: the longest search.
void block_with_256_cancels_each(benchmark::State& state) {
    Stage stage;
    Line& control = stage.engine.control();
    time_blocks(state, stage, [&] {
        control.cancel_all();
        stage.run_block();
        stage.fill(state.range(0));
        const std::uint32_t last = control.sequence();
        for (std::uint32_t back = 0; back < 256; ++back) control.cancel(last - back);
    });
}

/// One transaction of `count` members.
void block_with_transaction_each(benchmark::State& state) {
    Stage stage;
    const std::vector<Message> members(static_cast<std::size_t>(state.range(0)), Message::of(Ping{1}));
    time_blocks(state, stage, [&] {
        stage.take_events();
        stage.engine.control().try_send_whole(members);
    });
}

/// 252 pings, in equal parts from `count` lines.
void block_from_lines_each(benchmark::State& state) {
    Stage stage;
    std::vector<Line> opened;
    const auto lines = static_cast<std::size_t>(state.range(0));
    while (opened.size() + 1 < lines) opened.push_back(stage.engine.open_line());
    const std::size_t each = 252 / lines;
    time_blocks(state, stage, [&] {
        stage.take_events();
        for (std::size_t number = 0; number < each; ++number) {
            stage.engine.control().ping();
            for (Line& line : opened) line.ping();
        }
    });
}

/// The test tone. One of its parameters was written `count` times since the last block.
void block_after_parameter_writes_each(benchmark::State& state) {
    Stage stage{std::make_unique<ToneProcessor>()};
    ProcessorControls& panel = stage.engine.controls();
    const ParameterSpec& spec = panel.parameter_specs()[0];
    bool up = false;
    time_blocks(state, stage, [&] {
        for (std::int64_t left = state.range(0); left > 0; --left) {
            up = !up;
            panel.set(0, up ? spec.highest / 2 : spec.highest / 4);
        }
    });
}

/// 256 cues are added to a schedule of `count`, each after all others: the longest insertion.
void insert_256_each(benchmark::State& state) {
    const auto schedule = std::make_unique<Schedule>();
    Message cue = Message::of(Ping{1});
    const auto insert = [&](std::int64_t count) {
        for (std::int64_t number = 0; number < count; ++number) {
            ++cue.frame;
            schedule->add({&cue, 1});
        }
    };
    const double median_ns = time_each(
        state, blocks,
        [&] {
            schedule->take_out([](const Schedule::Cue&) noexcept { return true; },
                               [](const Schedule::Cue&) noexcept {});
            cue.frame = 1;
            insert(state.range(0));
        },
        [&] { insert(256); });
    report_share(state, median_ns);
}

// One iteration runs all blocks of a row.
void of_cues(benchmark::internal::Benchmark* row) {
    row->ArgName("cues")->Arg(0)->Arg(256)->Arg(1024)->Iterations(1)->Unit(benchmark::kMillisecond);
}
BENCHMARK(block_with_pending_cues_each)->Apply(of_cues);
BENCHMARK(block_with_due_cues_each)->Apply(of_cues);
BENCHMARK(block_with_thousand_cues_each)
    ->ArgNames({"beats", "due"})
    ->ArgsProduct({{0, 1}, {0, 16, 64, 1000}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(block_with_cancel_all_each)->Apply(of_cues);
BENCHMARK(block_with_256_cancels_each)
    ->ArgName("cues")
    ->Arg(0)
    ->Arg(1024)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(insert_256_each)->ArgName("cues")->Arg(0)->Arg(768)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(block_with_transaction_each)
    ->ArgName("members")
    ->Arg(1)
    ->Arg(256)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(block_from_lines_each)
    ->ArgName("lines")
    ->Arg(1)
    ->Arg(3)
    ->Arg(9)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(block_after_parameter_writes_each)
    ->ArgName("writes")
    ->Arg(0)
    ->Arg(1)
    ->Arg(1000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cueline::bench
