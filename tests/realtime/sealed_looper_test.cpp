// sealed_looper_test.cpp: the looper example on a thread that dies at any system call. Pads are loaded and reloaded
// while they play, triggered on a grid, stopped, their loops moved and their knobs turned; invalid commands are
// refused.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "freeing.hpp"
#include "looper_processor.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {
namespace {

using looper::LoadPad;
using looper::LooperProcessor;

BufferHandle loaded(Engine& engine, std::vector<float>& samples, std::size_t frames) {
    samples.resize(2 * frames, 0.1F);
    while (true) {
        const std::optional<BufferHandle> handle = engine.load_buffer(samples, 2);
        if (handle) return *handle;
    }
}

/// The control side: loads pads `loads` times, and uses everything else meanwhile.
void go_on(Engine& engine, std::uint32_t loads) {
    std::vector<float> samples;
    const auto send = [&engine](const auto& command, std::uint64_t at = 0) {
        using Command = std::remove_cvref_t<decltype(command)>;
        while (engine.control().send(Command::kind, command, {.frame = at}) != Status::ok) {
        }
    };
    for (std::uint32_t number = 0; number < loads; ++number) {
        const std::uint32_t pad = number % LooperProcessor::pads;
        const std::size_t frames = 4 + number * 997 % 4'096;
        send(LoadPad{.pad = pad, .stems = {loaded(engine, samples, frames), loaded(engine, samples, frames)}},
             number % 5 == 0 ? engine.now() + 100 : 0);
        send(looper::Trigger{.pad = pad, .grid = number % 3 * 500}, engine.now() + number % 200);
        send(looper::SetLoop{.pad = pad, .start = number % 50, .end = 0});
        send(looper::SetStems{.pad = (pad + 9) % LooperProcessor::pads, .mask = number % 4});
        if (number % 4 == 0) send(looper::StopPads{.pad = (pad + 3) % LooperProcessor::pads, .count = 1, .grid = 0});
        if (number % 97 == 0) send(looper::StopPads{.pad = 0, .count = LooperProcessor::pads, .grid = 1'000});
        if (number % 11 == 0) send(looper::UnloadPad{(pad + 5) % LooperProcessor::pads});
        if (number % 13 == 0) engine.control().cancel_all();
        send(looper::Trigger{.pad = LooperProcessor::pads, .grid = 0});  // refused
        const double part = static_cast<double>(number % 100) / 100;
        for (std::size_t knob = 0; knob < LooperProcessor::knobs; ++knob) {
            engine.controls().set(LooperProcessor::address_of(knob, pad), part);
        }
        engine.controls().set(LooperProcessor::address_of(LooperProcessor::knobs, 0), number % 200 < 20 ? 1 : 0);
    }
    while (engine.stats().buffers.in_use > std::size_t{2} * LooperProcessor::pads) {
    }
}

/// Ends the process: with 0 if the thread had no page fault, wait or allocation.
template <class ProcessorType>
[[noreturn]] void be_sealed(std::uint32_t loads) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<ProcessorType>()};
    engine.start();
    const Toll toll =
        run_blocks_sealed([&] { device.run_block(); }, [&] { go_on(engine, 500); }, [&] { go_on(engine, loads); });
    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr,
        "%llu refused, %llu cancelled, %llu events dropped: page faults %llu, switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(stats.refused), static_cast<unsigned long long>(stats.cues.cancelled),
        static_cast<unsigned long long>(stats.events.dropped), static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool complete = stats.refused >= loads && stats.cues.cancelled > 0 && stats.events.dropped > 0;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, ten_thousand_loads_of_the_loopers_pads_are_real_time_safe) {
    EXPECT_EXIT(be_sealed<LooperProcessor>(10'000), testing::ExitedWithCode(0),
                "page faults 0, switches 0, allocations 0");
}

TEST_F(SealedEngine, the_counter_catches_a_looper_that_frees) {
    EXPECT_EXIT(be_sealed<Freeing<LooperProcessor>>(1'000), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
