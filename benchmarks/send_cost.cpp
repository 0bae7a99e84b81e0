// send_cost.cpp: what it costs one thread to push, to be refused, and to send a ping: on average, and call by call.
//
// The *_each rows time every single call, so each figure of theirs contains one reading of the clock: compare them with
// clock_each, which contains nothing else.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <cueline/link.hpp>

namespace {

using cueline::Message;
using Ring = cueline::Ring<Message>;

/// Calls `call` a million times, 256 in a row and then `between`, and reports the spread of single calls.
template <class Call, class Between>
void time_each(benchmark::State& state, Call call, Between between) {
    constexpr std::size_t calls = 1'000'000;
    std::vector<double> took_ns(calls);
    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): Google Benchmark's idiom
        for (std::size_t number = 0; number < calls; ++number) {
            const auto began = std::chrono::steady_clock::now();
            call();
            const auto ended = std::chrono::steady_clock::now();
            took_ns[number] = std::chrono::duration<double, std::nano>{ended - began}.count();
            if (number % 256 == 255) between();
        }
    }
    std::ranges::sort(took_ns);
    state.counters["median_ns"] = took_ns[calls / 2];
    state.counters["p99_ns"] = took_ns[calls / 100 * 99];
    state.counters["p99.9_ns"] = took_ns[calls / 1000 * 999];
    state.counters["max_ns"] = took_ns.back();
}

void clock_each(benchmark::State& state) {
    time_each(state, [] {}, [] {});
}

void try_push_each(benchmark::State& state) {
    const auto ring = std::make_unique<Ring>();
    cueline::Producer producer{*ring};
    cueline::Consumer consumer{*ring};
    Message message;
    time_each(
        state, [&] { benchmark::DoNotOptimize(producer.try_push(message)); },
        [&] {
            while (consumer.try_pop(message) == cueline::Status::ok) {
            }
        });
}

void try_push_refused_each(benchmark::State& state) {
    const auto ring = std::make_unique<Ring>();
    cueline::Producer producer{*ring};
    Message message;
    while (producer.try_push(message) == cueline::Status::ok) {
    }
    time_each(state, [&] { benchmark::DoNotOptimize(producer.try_push(message)); }, [] {});
}

void ping_each(benchmark::State& state) {
    const auto link = std::make_unique<cueline::Link>();
    cueline::ControlSide control{*link};
    cueline::AudioSide audio{*link, 1024};
    Message message;
    time_each(
        state, [&] { benchmark::DoNotOptimize(control.ping()); },
        [&] {
            audio.begin_block(0);
            while (audio.receive(message) == cueline::Status::ok) {
            }
        });
}

void push_and_pop(benchmark::State& state) {
    const auto ring = std::make_unique<Ring>();
    cueline::Producer producer{*ring};
    cueline::Consumer consumer{*ring};
    Message message;
    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores)
        benchmark::DoNotOptimize(producer.try_push(message));
        benchmark::DoNotOptimize(consumer.try_pop(message));
    }
}

// One iteration is a million calls.
BENCHMARK(clock_each)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(try_push_each)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(try_push_refused_each)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(ping_each)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(push_and_pop);

}  // namespace
