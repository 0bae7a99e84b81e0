// spread.hpp: times single calls, and reports their median and tail.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace cueline::bench {

struct Calls {
    std::size_t all = 1'000'000;
    std::size_t in_a_row = 256;
};

/// Times each call of `call`. Runs `before`, which is not timed, ahead of each row of calls. All of it is one iteration
/// of the benchmark. Every figure contains one reading of the clock. Returns the median in nanoseconds.
template <class Before, class Call>
double time_each(benchmark::State& state, Calls calls, Before before, Call call) {
    std::vector<double> took_ns(calls.all);
    for (const auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): Google Benchmark's idiom
        for (std::size_t number = 0; number < calls.all; ++number) {
            if (number % calls.in_a_row == 0) before();
            const auto began = std::chrono::steady_clock::now();
            call();
            const auto ended = std::chrono::steady_clock::now();
            took_ns[number] = std::chrono::duration<double, std::nano>{ended - began}.count();
        }
    }
    std::ranges::sort(took_ns);
    const double median_ns = took_ns[calls.all / 2];
    state.counters["median_ns"] = median_ns;
    state.counters["p99_ns"] = took_ns[calls.all / 100 * 99];
    state.counters["p99.9_ns"] = took_ns[calls.all / 1000 * 999];
    state.counters["max_ns"] = took_ns.back();
    return median_ns;
}

}  // namespace cueline::bench
