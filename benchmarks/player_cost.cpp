// player_cost.cpp: what a block of the player costs with all of its voices sounding.
//
// Each block is timed by itself, and contains one reading of the clock. The buffers have two channels.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/monotonic.hpp>

#include "processors/player_processor.hpp"
#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};
constexpr std::size_t sound_frames = 48'000;

/// An engine whose player has 32 slots and as many voices. The benchmark runs each block.
struct Stage {
    Stage() : Stage{std::make_unique<StepDevice>(block_format)} {}
    explicit Stage(std::unique_ptr<StepDevice> made)
        : device{made.get()}, engine{std::move(made), std::make_unique<PlayerProcessor>(32, 32), default_budget} {
        engine.start();
        std::vector<float> samples(2 * sound_frames);
        for (std::size_t place = 0; place < samples.size(); ++place) {
            samples[place] = 0.01F * std::sin(static_cast<float>(place));
        }
        for (std::int64_t slot = 0; slot < 32; ++slot) engine.publish(slot, samples, 2, {});
        run_block();
    }

    void run_block() const { device->run_block(block_ns); }

    /// Starts a voice on each of the first `voices` slots: each begins elsewhere, as in a piece of music.
    void play(std::int64_t voices, double rate, std::uint32_t loop_frames = 0) {
        for (std::uint16_t slot = 0; std::cmp_less(slot, voices); ++slot) {
            const std::uint32_t start = 1'000U * slot;
            engine.control().send(PlayBuffer::kind, PlayBuffer{.slot = slot,
                                                               .loop = 1,
                                                               .rate = static_cast<float>(rate),
                                                               .start = start,
                                                               .loop_start = start,
                                                               .loop_end = loop_frames == 0 ? 0 : start + loop_frames});
        }
        for (int block = 0; block < 10; ++block) run_block();
    }

    StepDevice* device;
    Engine engine;
    std::uint64_t block_ns = monotonic_ns();  // read once: a device reads the clock, not the block
};

/// `rate` is in hundredths: 100 copies samples, 73 interpolates with 32 taps, 150 with 64. In loops of 10 frames, each
/// window of a kernel is put together from pieces of the loop.
void player_block_each(benchmark::State& state) {
    Stage stage;
    stage.play(state.range(0), static_cast<double>(state.range(1)) / 100, static_cast<std::uint32_t>(state.range(2)));
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

/// The loops of all voices move in each block, so that each voice reads two frames for one. The commands are sent
/// before the block, which reads them.
void player_block_with_moving_loops_each(benchmark::State& state) {
    Stage stage;
    const auto loop_frames = static_cast<std::uint32_t>(state.range(2));
    stage.play(state.range(0), static_cast<double>(state.range(1)) / 100, loop_frames);
    const auto move = [&] {
        for (std::uint32_t voice = 33; std::cmp_less(voice, 33 + state.range(0)); ++voice) {  // the slots came first
            stage.engine.control().send(
                SetVoice::kind,
                SetVoice{.voice = voice, .gain = 0.5F, .pan = 0, .loop_end = loop_frames, .loop = looping::on});
        }
    };
    report_share(state, time_each(state, blocks, move, [&] { stage.run_block(); }));
    state.counters["refused"] = static_cast<double>(stage.engine.stats().refused);  // 0, if it measures what it says
}

// One iteration runs all blocks of a row.
void of_voices(benchmark::internal::Benchmark* row) {
    row->ArgNames({"voices", "rate", "loop"})->Iterations(1)->Unit(benchmark::kMillisecond);
    row->Args({0, 100, 0})->Args({1, 73, 0});
    for (const std::int64_t rate : {100, 73, 150}) row->Args({32, rate, 0});
    for (const std::int64_t rate : {73, 150}) row->Args({32, rate, 10});
}
void of_the_worst(benchmark::internal::Benchmark* row) {
    row->ArgNames({"voices", "rate", "loop"})->Iterations(1)->Unit(benchmark::kMillisecond);
    for (const std::int64_t loop : {24'000, 10}) row->Args({32, 73, loop})->Args({32, 150, loop});
}
BENCHMARK(player_block_each)->Apply(of_voices);
BENCHMARK(player_block_with_moving_loops_each)->Apply(of_the_worst);

}  // namespace
}  // namespace cueline::bench
