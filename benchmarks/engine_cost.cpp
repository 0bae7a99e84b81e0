// engine_cost.cpp: the cost of the engine's block, by the number of messages and by the number of engines in the
// process.
//
// Each block is timed by itself, and contains one reading of the clock (see clock_each). Unless a row says otherwise,
// the same thread sends the pings, so they are in the caches of the core that reads them.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/monotonic.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

constexpr std::int64_t max_messages = 256;

/// A started engine and its device.
template <class SomeDevice>
struct Running {
    Running() : Running{std::make_unique<SomeDevice>(block_format)} {}
    explicit Running(std::unique_ptr<SomeDevice> opened)
        : device{opened.get()}, engine{std::move(opened), std::make_unique<SilenceProcessor>(), max_messages} {
        engine.start();
    }

    /// Receives the answers, and sends `count` pings.
    void ask(std::int64_t pings) {
        Line& control = engine.control();
        Message event;
        while (control.receive(event) == Status::ok) {
        }
        for (std::int64_t number = 0; number < pings; ++number) control.ping();
    }

    SomeDevice* device;
    Engine engine;
};

void block_each(benchmark::State& state) {
    Running<StepDevice> running;
    const std::int64_t pings = state.range(0);
    const double median_ns = time_each(
        state, {.all = 50'000, .in_a_row = 1}, [&] { running.ask(pings); },
        [&, block_ns = monotonic_ns()] { running.device->run_block(block_ns); });
    report_share(state, median_ns);
}

/// The same with a control thread of its own: messages and answers move between two cores, which may be near or far
/// apart.
void block_from_other_thread_each(benchmark::State& state) {
    Running<StepDevice> running;
    const std::int64_t pings = state.range(0);
    std::atomic<std::uint64_t> wanted{0};
    std::atomic<std::uint64_t> asked{0};
    const std::jthread control{[&](const std::stop_token& stopping) {
        for (std::uint64_t number = 0; !stopping.stop_requested();) {
            if (wanted.load(std::memory_order_acquire) == number) continue;  // acquire: the block has finished reading
            running.ask(pings);
            asked.store(++number, std::memory_order_release);  // release: the pings are in the ring
        }
    }};
    const double median_ns = time_each(
        state, {.all = 50'000, .in_a_row = 1},
        [&] {
            // relaxed: only this thread writes it
            const std::uint64_t number = wanted.load(std::memory_order_relaxed) + 1;
            wanted.store(number, std::memory_order_release);
            while (asked.load(std::memory_order_acquire) != number) {
            }
        },
        [&, block_ns = monotonic_ns()] { running.device->run_block(block_ns); });
    report_share(state, median_ns);
}

/// Several engines in one process, on offline devices that render in turn, with 16 pings per block each. Times one such
/// block.
void offline_engines_each(benchmark::State& state) {
    std::vector<std::unique_ptr<Running<OfflineDevice>>> engines;
    while (engines.size() < static_cast<std::size_t>(state.range(0))) {
        engines.push_back(std::make_unique<Running<OfflineDevice>>());
    }
    std::vector<float> audio(std::size_t{block_format.outputs} * block_format.blocksize);
    std::size_t next = 0;
    const auto ask_all = [&] {
        for (const auto& running : engines) running->ask(16);
        next = 0;
    };
    const double median_ns = time_each(state, {.all = 64'000, .in_a_row = engines.size()}, ask_all,
                                       [&] { engines[next++]->device->render(audio); });
    report_share(state, median_ns);
}

/// Several engines with audio threads of their own, for half a second. Each gets one ping per block.
void running_engines(benchmark::State& state) {
    std::vector<std::unique_ptr<Running<NullDevice>>> engines;
    while (engines.size() < static_cast<std::size_t>(state.range(0)))
        engines.push_back(std::make_unique<Running<NullDevice>>());

    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): Google Benchmark's idiom
        const auto began = std::chrono::steady_clock::now();
        for (auto beat = began; beat < began + std::chrono::milliseconds{500}; beat += block_duration) {
            std::this_thread::sleep_until(beat);
            for (const auto& running : engines) running->ask(1);
        }
    }

    EngineStats all;
    std::uint64_t pings = 0;
    for (const auto& running : engines) {
        running->engine.stop();
        const EngineStats one = running->engine.stats();
        all.device_stats.load_mean += one.device_stats.load_mean / static_cast<double>(engines.size());
        all.device_stats.xruns += one.device_stats.xruns;
        all.blocks += one.blocks;
        pings += one.commands.sent;
        all.events.sent += one.events.sent;
    }
    state.counters["load_mean"] = all.device_stats.load_mean;
    state.counters["xruns"] = static_cast<double>(all.device_stats.xruns);
    state.counters["blocks"] = static_cast<double>(all.blocks);
    state.counters["pings"] = static_cast<double>(pings);
    state.counters["pongs"] = static_cast<double>(all.events.sent);
}

// One iteration runs all blocks of a row.
BENCHMARK(block_each)
    ->ArgName("messages")
    ->Arg(0)
    ->RangeMultiplier(2)
    ->Range(1, max_messages)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(block_from_other_thread_each)
    ->ArgName("messages")
    ->Arg(0)
    ->RangeMultiplier(4)
    ->Range(1, max_messages)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(offline_engines_each)
    ->ArgName("engines")
    ->RangeMultiplier(2)
    ->Range(1, 64)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(running_engines)
    ->ArgName("engines")
    ->RangeMultiplier(2)
    ->Range(1, 64)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace cueline::bench
