// parameter_cost.cpp: the cost of a block with parameters: over those declared, those written, and those that move.
//
// Each block is timed by itself, and contains one reading of the clock (see clock_each in engine_cost.cpp). The same
// thread writes the parameters, so they are in the caches of the core that reads them.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/monotonic.hpp>

#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};
constexpr double hour_s = 3600;

/// Declares one array, and renders silence.
class Arrayed final : public Processor {
  public:
    Arrayed(std::uint32_t count, double ramp_s) : specs_{{{.name = "gain", .ramp_s = ramp_s, .count = count}}} {}

    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override {
        return std::span{specs_}.first(specs_[0].count > 0 ? 1 : 0);
    }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }

  private:
    SilenceProcessor quiet_;
    std::array<ParameterSpec, 1> specs_;
};

/// An engine with this array. The benchmark runs each block.
struct Stage {
    Stage(std::int64_t declared, double ramp_s)
        : Stage{std::make_unique<StepDevice>(block_format),
                std::make_unique<Arrayed>(static_cast<std::uint32_t>(declared), ramp_s)} {}
    Stage(std::unique_ptr<StepDevice> made, std::unique_ptr<Processor> processor)
        : device{made.get()}, engine{std::move(made), std::move(processor), default_budget} {
        engine.start();
        run_block();
    }

    void run_block() const { device->run_block(block_ns); }
    /// Writes the first ones, as many as `values` has, each time with other values.
    void write(std::span<double> values) {
        up = !up;
        for (double& value : values) value = up ? 1 : 0;
        engine.controls().set(0, values);
    }

    StepDevice* device;
    Engine engine;
    bool up = false;
    std::uint64_t block_ns = monotonic_ns();  // read once: a device reads the clock, not the block
};

/// None is written, and none moves.
void block_with_parameters_each(benchmark::State& state) {
    Stage stage{state.range(0), hour_s};
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

/// 4096 are declared. Some of them, side by side, are written before each block, and jump.
void block_after_writes_that_jump_each(benchmark::State& state) {
    Stage stage{max_parameters, 0};
    std::vector<double> values(static_cast<std::size_t>(state.range(0)));
    report_share(state, time_each(state, blocks, [&] { stage.write(values); }, [&] { stage.run_block(); }));
}

/// The same, and they begin to move.
void block_after_writes_that_ramp_each(benchmark::State& state) {
    Stage stage{max_parameters, hour_s};
    std::vector<double> values(static_cast<std::size_t>(state.range(0)));
    report_share(state, time_each(state, blocks, [&] { stage.write(values); }, [&] { stage.run_block(); }));
}

/// 4096 are declared, and some of them move. None is written.
void block_with_moving_parameters_each(benchmark::State& state) {
    Stage stage{max_parameters, hour_s};
    std::vector<double> values(static_cast<std::size_t>(state.range(0)));
    stage.write(values);
    stage.run_block();
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

// One iteration runs all blocks of a row.
void of_parameters(benchmark::internal::Benchmark* row, const char* what) {
    row->ArgName(what)->Arg(0)->Arg(64)->Arg(1000)->Arg(4096)->Iterations(1)->Unit(benchmark::kMillisecond);
}
BENCHMARK(block_with_parameters_each)->Apply([](auto* row) { of_parameters(row, "declared"); });
BENCHMARK(block_after_writes_that_jump_each)->Apply([](auto* row) { of_parameters(row, "changed"); });
BENCHMARK(block_after_writes_that_ramp_each)->Apply([](auto* row) { of_parameters(row, "changed"); });
BENCHMARK(block_with_moving_parameters_each)->Apply([](auto* row) { of_parameters(row, "changed"); });

}  // namespace
}  // namespace cueline::bench
