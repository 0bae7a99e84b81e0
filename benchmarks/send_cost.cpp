// send_cost.cpp: the cost of a push, a refused push and a ping on one thread: on average, and call by call.
//
// The *_each rows time every single call, so each of their figures contains one reading of the clock. Compare them with
// clock_each, which contains nothing else.
#include <benchmark/benchmark.h>

#include <memory>

#include <cueline/audio_side.hpp>
#include <cueline/line.hpp>

#include "spread.hpp"

namespace cueline::bench {
namespace {

using MessageRing = Ring<Message>;

void clock_each(benchmark::State& state) {
    time_each(state, Calls{}, [] {}, [] {});
}

void try_push_each(benchmark::State& state) {
    const auto ring = std::make_unique<MessageRing>();
    Producer producer{*ring};
    Consumer consumer{*ring};
    Message message;
    const auto drain = [&] {
        while (consumer.try_pop(message) == Status::ok) {
        }
    };
    time_each(state, Calls{}, drain, [&] { benchmark::DoNotOptimize(producer.try_push(message)); });
}

void try_push_refused_each(benchmark::State& state) {
    const auto ring = std::make_unique<MessageRing>();
    Producer producer{*ring};
    Message message;
    while (producer.try_push(message) == Status::ok) {
    }
    time_each(state, Calls{}, [] {}, [&] { benchmark::DoNotOptimize(producer.try_push(message)); });
}

void ping_each(benchmark::State& state) {
    const auto link = std::make_unique<OwnedLink>();
    Line control{*link};
    AudioSide audio{*link, MessageRing::capacity};
    const auto drain = [&] {
        audio.begin_block(0);
        audio.read([](std::span<const Message>) noexcept {});
    };
    time_each(state, Calls{}, drain, [&] { benchmark::DoNotOptimize(control.ping()); });
}

void push_and_pop(benchmark::State& state) {
    const auto ring = std::make_unique<MessageRing>();
    Producer producer{*ring};
    Consumer consumer{*ring};
    Message message;
    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): Google Benchmark's idiom
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
}  // namespace cueline::bench
