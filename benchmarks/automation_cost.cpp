// automation_cost.cpp: what a block takes in which automations move 64 parameters, of which the processor reads each
// frame of all, or none.
//
// Each block is timed by itself, and contains one reading of the clock.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/monotonic.hpp>

#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr Calls blocks{.all = 20'000, .in_a_row = 1};
constexpr std::uint32_t automated = 64;

/// Reads its parameters frame by frame, if it should.
class Reading final : public Processor {
  public:
    explicit Reading(bool reads) : reads_{reads} {}
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (!reads_) return;
        for (const Parameter& parameter : context.parameters(0, automated)) {
            parameter.fill(std::span{values_}.first(block.frames));
            benchmark::DoNotOptimize(values_.data());
        }
    }

  private:
    static constexpr std::array<ParameterSpec, 1> specs{{{.name = "x", .count = automated}}};
    bool reads_;
    std::array<float, block_format.blocksize> values_{};
};

/// An engine whose parameters all follow a part of this shape for hours. In beats, the tempo ramps.
class Stage {
  public:
    Stage(Shape shape, bool in_beats, bool reads)
        : Stage{std::make_unique<StepDevice>(block_format), std::make_unique<Reading>(reads)} {
        if (in_beats) engine_.control().send(kind::ramp_tempo, RampTempo{200, 100'000, RampOver::beats});
        const std::vector<float> curve(1'000, 0.5F);
        for (std::uint16_t parameter = 0; parameter < automated; ++parameter) {
            Automate part{.value = 1,
                          .end = in_beats ? 1e6 : 1e9,
                          .constant = longest_time_constant_s,
                          .parameter = parameter,
                          .shape = shape,
                          .in_beats = in_beats ? std::uint8_t{1} : std::uint8_t{0}};
            engine_.controls().set(parameter, 0.1);
            if (shape == Shape::curve) part.buffer = engine_.load_curve(engine_.make_curve(curve));
            if (shape != Shape::step) engine_.control().send(kind::automate, part);
        }
        for (int block = 0; block < 100; ++block) run_block();
    }

    void run_block() const { device_->run_block(block_ns_); }

  private:
    Stage(std::unique_ptr<StepDevice> made, std::unique_ptr<Reading> processor)
        : device_{made.get()}, engine_{std::move(made), std::move(processor), default_budget} {
        engine_.start();
        run_block();
    }

    StepDevice* device_;
    Engine engine_;
    std::uint64_t block_ns_ = monotonic_ns();  // read once: a device reads the clock, not the block
};

void automation_block_each(benchmark::State& state) {
    const Stage stage{static_cast<Shape>(state.range(0)), state.range(1) != 0, state.range(2) != 0};
    report_share(state, time_each(state, blocks, [] {}, [&] { stage.run_block(); }));
}

// One iteration runs all blocks of a row. `shape`: see Shape; 0 is a parameter that nothing moves.
void of_automations(benchmark::internal::Benchmark* row) {
    row->ArgNames({"shape", "beats", "read"})->Iterations(1)->Unit(benchmark::kMillisecond);
    for (const std::int64_t read : {0, 1}) {
        row->Args({0, 0, read});
        for (const std::int64_t beats : {0, 1}) {
            for (const std::int64_t shape : {1, 2, 3, 4}) row->Args({shape, beats, read});
        }
    }
}
BENCHMARK(automation_block_each)->Apply(of_automations);

}  // namespace
}  // namespace cueline::bench
