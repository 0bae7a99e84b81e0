// message_cost.cpp: what a message costs a block, beside what it costs to pop it from a ring. All of it takes turns in
// one run, so that the ratios do not depend on the moment.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/ring.hpp>

#include "stage.hpp"

namespace cueline::bench {
namespace {

constexpr Kind counted = kind::first_user;

/// Handles a message by counting it, and renders silence.
class Counting final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        sum_ += command.as<std::uint64_t>();
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }

  private:
    SilenceProcessor quiet_;
    std::uint64_t sum_ = 0;
};

/// Median nanoseconds of what was timed, one reading of the clock included.
class Timed {
  public:
    template <class Call>
    void time(Call call) {
        const auto began = std::chrono::steady_clock::now();
        call();
        const auto ended = std::chrono::steady_clock::now();
        took_ns_.push_back(std::chrono::duration<double, std::nano>{ended - began}.count());
    }
    [[nodiscard]] double median_ns() {
        const auto middle = took_ns_.begin() + static_cast<std::ptrdiff_t>(took_ns_.size() / 2);
        std::ranges::nth_element(took_ns_, middle);
        return *middle;
    }

  private:
    std::vector<double> took_ns_;
};

/// A block with messages, less an empty one; and the pops of as many messages, less a look that finds none. The same
/// thread sends the messages, so they are in the caches of the core that reads them.
void message_beside_pop(benchmark::State& state) {
    const std::int64_t messages = state.range(0);
    Stage stage{std::make_unique<Counting>(), default_budget};
    const auto ring = std::make_unique<Ring<Message>>();
    Producer producer{*ring};
    Consumer consumer{*ring};
    Message popped;
    Timed empty_block;
    Timed with_messages;
    Timed with_pings;
    Timed empty_pop;
    Timed pops;
    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): Google Benchmark's idiom
        for (int round = 0; round < 20'000; ++round) {
            stage.run_block();
            empty_block.time([&] { stage.run_block(); });
            for (std::int64_t number = 0; number < messages; ++number) stage.engine.control().send(counted, number);
            with_messages.time([&] { stage.run_block(); });
            stage.send_pings(messages, 0);
            with_pings.time([&] { stage.run_block(); });
            stage.take_events();
            empty_pop.time([&] { benchmark::DoNotOptimize(consumer.try_pop(popped)); });
            for (std::int64_t number = 0; number < messages; ++number) {
                benchmark::DoNotOptimize(producer.try_push(Message::of(counted, number)));
            }
            pops.time([&] {
                for (std::int64_t number = 0; number < messages; ++number) {
                    benchmark::DoNotOptimize(consumer.try_pop(popped));
                    benchmark::DoNotOptimize(popped);
                }
            });
        }
    }
    const auto each = [messages](Timed& full, Timed& empty) {
        return (full.median_ns() - empty.median_ns()) / static_cast<double>(messages);
    };
    const double pop_ns = each(pops, empty_pop);
    const double message_ns = each(with_messages, empty_block);
    const double ping_ns = each(with_pings, empty_block);
    state.counters["pop_ns"] = pop_ns;
    state.counters["message_ns"] = message_ns;
    state.counters["ping_ns"] = ping_ns;
    state.counters["message_pops"] = message_ns / pop_ns;
    state.counters["ping_pops"] = ping_ns / pop_ns;
}

BENCHMARK(message_beside_pop)
    ->ArgName("count")
    ->Arg(16)
    ->Arg(64)
    ->Arg(256)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cueline::bench
