// looper_cost.cpp: what a block of the example looper costs with all of its voices sounding.
//
// Each block is timed by itself, and contains one reading of the clock.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/monotonic.hpp>

#include "looper_processor.hpp"
#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

using looper::LooperProcessor;

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};
constexpr std::size_t loop_frames = 24'000;
constexpr std::size_t all_knobs = LooperProcessor::address_of(LooperProcessor::knobs, 0);

/// A tone that lasts for so many frames of the loop. The rest is silent.
std::vector<float> tone(std::size_t frames) {
    std::vector<float> samples(2 * loop_frames);
    for (std::size_t place = 0; place < 2 * frames; ++place) {
        samples[place] = 0.05F * std::sin(static_cast<float>(place));
    }
    return samples;
}

/// An engine in which `playing` voices play a pad each, of five stems of two channels. The benchmark runs each
/// block.
struct Stage {
    Stage(std::int64_t playing, std::size_t sounding_frames) : Stage{std::make_unique<StepDevice>(block_format)} {
        const std::vector<float> samples = tone(sounding_frames);
        for (std::uint32_t pad = 0; std::cmp_less(pad, playing); ++pad) {
            looper::LoadPad load{.pad = pad, .stems = {}};
            for (BufferHandle& stem : load.stems) stem = engine.load_buffer(samples, 2).value_or(no_buffer);
            engine.control().send(looper::LoadPad::kind, load);
            engine.control().send(looper::Trigger::kind, looper::Trigger{.pad = pad, .grid = 0});
        }
        write(0.75);
        for (int block = 0; block < 100; ++block) run_block();  // the triggers are read, and nothing moves any more
    }
    explicit Stage(std::unique_ptr<StepDevice> made)
        : device{made.get()}, engine{std::move(made), std::make_unique<LooperProcessor>(), default_budget} {
        engine.start();
    }

    void run_block() const { device->run_block(block_ns); }
    void write(double value) {
        values.fill(value);
        engine.controls().set(0, values);
    }

    StepDevice* device;
    Engine engine;
    std::array<double, all_knobs> values{};
    std::uint64_t block_ns = monotonic_ns();  // read once: a device reads the clock, not the block
};

/// Nothing moves.
void looper_block_each(benchmark::State& state) {
    Stage stage{state.range(0), loop_frames};
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

/// All 1080 parameters are written before each block, which is not timed, and all move in it.
void looper_block_with_moving_parameters_each(benchmark::State& state) {
    Stage stage{state.range(0), loop_frames};
    double value = 0.5;
    const auto write = [&] { stage.write(value = 1.5 - value); };
    report_share(state, time_each(state, blocks, write, [&] { stage.run_block(); }));
}

/// The stems have fallen silent for so long that the isolators' states would be denormal numbers.
void looper_block_after_decay_each(benchmark::State& state) {
    Stage stage{state.range(0), 100};
    constexpr Calls silent_blocks{.all = 200, .in_a_row = 1};  // of the loop's 500: the first 100 have run
    report_share(state, time_each(state, silent_blocks, [] {}, [&] { stage.run_block(); }));
}

// One iteration runs all blocks of a row.
void of_voices(benchmark::internal::Benchmark* row) {
    row->ArgName("voices")->Arg(0)->Arg(1)->Arg(32)->Iterations(1)->Unit(benchmark::kMillisecond);
}
BENCHMARK(looper_block_each)->Apply(of_voices);
BENCHMARK(looper_block_with_moving_parameters_each)->Apply(of_voices);
BENCHMARK(looper_block_after_decay_each)->Apply(of_voices);

}  // namespace
}  // namespace cueline::bench
