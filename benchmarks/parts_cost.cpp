// parts_cost.cpp: what eight parts add to a block of two channels: their calls, and the mixing.
//
// Each block is timed by itself, and contains one reading of the clock.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/monotonic.hpp>

#include "processors/player_processor.hpp"
#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};

/// Renders a constant.
class Constant final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t output = 0; output < block.outputs.size(); ++output) {
            std::ranges::fill(block.output(output), 0.1F);
        }
    }
};

template <class ProcessorType>
OwnedProcessor parts(std::int64_t count) {
    if (count == 0) return std::make_shared<ProcessorType>();
    std::vector<OwnedProcessor> all;
    all.reserve(static_cast<std::size_t>(count));
    for (std::int64_t part = 0; part < count; ++part) {
        all.emplace_back(std::make_shared<ProcessorType>(), "part" + std::to_string(part));
    }
    return open_parts(std::move(all));
}

/// An engine with so many parts, or with a single processor for 0.
struct Stage {
    explicit Stage(OwnedProcessor processor)
        : Stage{std::make_unique<StepDevice>(block_format), std::move(processor)} {}

    void run_block() const { device->run_block(block_ns); }

    /// Sets each parameter whose name ends in `name`.
    void set_all(std::string_view name, double value) {
        std::size_t address = 0;
        for (const ParameterSpec& spec : engine.controls().parameter_specs()) {
            if (spec.name.ends_with(name)) engine.controls().set(address, value);
            address += spec.count;
        }
    }

    StepDevice* device;
    Engine engine;
    std::uint64_t block_ns = monotonic_ns();  // read once: a device reads the clock, not the block

  private:
    Stage(std::unique_ptr<StepDevice> made, OwnedProcessor processor)
        : device{made.get()}, engine{std::move(made), std::move(processor), default_budget} {
        engine.start();
        run_block();
    }
};

void parts_block_each(benchmark::State& state) {
    Stage stage{parts<Constant>(state.range(0))};
    if (state.range(1) == 1) {
        stage.set_all(".gain", 0.5);
        for (int block = 0; block < 100; ++block) stage.run_block();
    }
    double value = 0;
    const auto move = [&] {
        if (state.range(1) < 2) return;
        value = value > 0.9 ? 0.1 : value + 0.1;
        for (const std::string_view name : {".gain", ".pan", ".mute"}) stage.set_all(name, value);
    };
    report_share(state, time_each(state, blocks, move, [&] { stage.run_block(); }));
}

void parts_block_of_players_each(benchmark::State& state) {
    const Stage stage{parts<PlayerProcessor>(state.range(0))};
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

// One iteration runs all blocks of a row. `strip`: 0 as at first, 1 a gain, 2 gain, pan and mute that move.
void of_parts(benchmark::internal::Benchmark* row) {
    row->ArgNames({"parts", "strip"})->Iterations(1)->Unit(benchmark::kMillisecond);
    row->Args({0, 0})->Args({1, 0});
    for (const std::int64_t strip : {0, 1, 2}) row->Args({8, strip});
}
BENCHMARK(parts_block_each)->Apply(of_parts);
BENCHMARK(parts_block_of_players_each)->ArgName("parts")->Iterations(1)->Unit(benchmark::kMillisecond)->Arg(0)->Arg(8);

}  // namespace
}  // namespace cueline::bench
