// sealed_sampler_test.cpp: the sampler example on a thread that dies at any system call. Pads are triggered, looped,
// stopped and reloaded while they play, knobs turned, meters read, invalid commands refused, events overflow.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "freeing.hpp"
#include "sampler_processor.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {
namespace {

using sampler::LoopPad;
using sampler::SamplerProcessor;
using sampler::StopPad;
using sampler::Trigger;

/// The control side: reloads pads `reloads` times, and uses everything else meanwhile.
void go_on(Engine& engine, std::uint64_t reloads) {
    std::vector<float> samples;
    const auto send = [&engine](const auto& command, std::uint64_t at = 0) {
        using Command = std::remove_cvref_t<decltype(command)>;
        while (engine.control().send(Command::kind, command, {.frame = at}) != Status::ok) {
        }
    };
    for (std::uint64_t number = 0; number < reloads;) {
        const auto pad = static_cast<std::uint32_t>(number % SamplerProcessor::pads);
        const std::uint32_t channels = 1 + pad % 2;
        samples.resize(channels * (1 + number * 997 % 4096), 0.1F);
        if (engine.publish(pad, samples, channels) != Status::ok) continue;
        ++number;
        send(LoopPad{.pad = pad, .loops = pad % 3});
        send(Trigger{.pad = pad, .velocity = 0.5F}, engine.now() + number % 200);
        send(Trigger{.pad = pad, .velocity = 2});
        if (number % 4 == 0) send(StopPad{(pad + 3) % SamplerProcessor::pads});
        if (number % 97 == 0) engine.publish_nothing(pad);
        const double part = static_cast<double>(number % 100) / 100;
        for (std::size_t knob = 0; const ParameterSpec& spec : engine.controls().parameter_specs()) {
            engine.controls().set(knob++, spec.lowest + (spec.highest - spec.lowest) * part);
        }
    }
    while (engine.stats().buffers.in_use > SamplerProcessor::pads) {
    }
}

/// Ends the process: with 0 if the thread had no page fault, wait or allocation.
template <class ProcessorType>
[[noreturn]] void be_sealed(std::uint64_t reloads) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<ProcessorType>()};
    engine.start();
    const Toll toll =
        run_blocks_sealed([&] { device.run_block(); }, [&] { go_on(engine, 500); }, [&] { go_on(engine, reloads); });
    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr, "%llu reloads, %llu refused, %llu events dropped: page faults %llu, switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(stats.buffers.published), static_cast<unsigned long long>(stats.unhandled),
        static_cast<unsigned long long>(stats.events.dropped), static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool complete = stats.buffers.published >= reloads && stats.unhandled >= reloads &&
                          stats.events.dropped > 0 && engine.controls().read(SamplerProcessor::master_meter).frame > 0;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, twenty_thousand_reloads_of_the_samplers_pads_are_real_time_safe) {
    EXPECT_EXIT(be_sealed<SamplerProcessor>(20'000), testing::ExitedWithCode(0),
                "page faults 0, switches 0, allocations 0");
}

TEST_F(SealedEngine, the_counter_catches_a_sampler_that_frees) {
    EXPECT_EXIT(be_sealed<Freeing<SamplerProcessor>>(1'000), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
