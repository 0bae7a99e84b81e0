// paced.hpp: the pattern of an audio engine: single messages, and one drain per block.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "two_threads.hpp"

namespace cueline::bench {

/// The processor's time counter, read so that the code between two readings is what they time.
class Ticks {
  public:
    static std::uint64_t begin() noexcept {
#if defined(__x86_64__)
        __builtin_ia32_lfence();
        const std::uint64_t now = __builtin_ia32_rdtsc();
        __builtin_ia32_lfence();
        return now;
#else
        return static_cast<std::uint64_t>(now_ns());
#endif
    }
    static std::uint64_t end() noexcept {
#if defined(__x86_64__)
        unsigned core = 0;
        const std::uint64_t now = __builtin_ia32_rdtscp(&core);
        __builtin_ia32_lfence();
        return now;
#else
        return static_cast<std::uint64_t>(now_ns());
#endif
    }

    /// Ticks per nanosecond, measured over a few milliseconds.
    static double per_ns() {
        const Nanoseconds began_ns = now_ns();
        const std::uint64_t began = begin();
        while (now_ns() - began_ns < 2e7) relax();
        return static_cast<double>(end() - began) / (now_ns() - began_ns);
    }
};

/// The cost of the pushes and drains of one contender: sorted nanoseconds per message, without the clock's own cost.
struct PacedCosts {
    std::vector<double> push;
    std::vector<double> drain;  // the time of a whole drain, divided by its number of messages
    std::uint64_t wrong = 0;
    std::uint64_t refused = 0;
};

/// Runs all contenders at once, each with its own ring, so that they meet the same conditions. At each tick, the sender
/// pushes one message into each ring, in changing order, with a pause between two pushes so that stores settle. At each
/// block, the receiver drains each ring, in changing order too.
class Paced {
  public:
    static constexpr double block_ns = 128 / 48'000.0 * 1e9;

    explicit Paced(std::vector<Contender> contenders) : contenders_{std::move(contenders)} {
        for (const Contender& contender : contenders_) lines_.push_back({contender.make()});
    }
    Paced(const Paced&) = delete;
    Paced& operator=(const Paced&) = delete;
    ~Paced() {
        for (std::size_t index = 0; index < lines_.size(); ++index) contenders_[index].free(lines_[index].ring);
    }

    [[nodiscard]] const std::vector<Contender>& contenders() const { return contenders_; }
    /// The cost of the clock and an empty call together: the median, which is subtracted from every figure.
    [[nodiscard]] Nanoseconds nothing_ns() const { return nothing_ns_; }

    /// Sends `rate` messages per second for this long, and adds the times to `costs`, one entry for each contender.
    void run(TwoThreads& threads, double rate, Nanoseconds lasting, std::span<PacedCosts> costs) {
        std::atomic<bool> over = false;
        threads.run(
            [&] {
                send(rate, lasting);
                over = true;
            },
            [&] { drain(over); });
        for (std::size_t index = 0; index < lines_.size(); ++index) {
            Line& line = lines_[index];
            std::ranges::copy(line.push, std::back_inserter(costs[index].push));
            std::ranges::copy(line.drain, std::back_inserter(costs[index].drain));
            costs[index].wrong += std::exchange(line.wrong, 0);
            costs[index].refused += std::exchange(line.refused, 0);
            line.push.clear();
            line.drain.clear();
        }
    }

  private:
    static constexpr double settle_ns = 250;

    /// One contender's ring, with the separate records of its sender and its receiver.
    struct Line {
        void* ring = nullptr;
        alignas(2 * cache_line_bytes) std::uint64_t sent = 0;
        std::uint64_t refused = 0;
        std::vector<double> push{};
        alignas(2 * cache_line_bytes) std::uint64_t received = 0;
        std::uint64_t wrong = 0;
        std::vector<double> drain{};
    };

    static Nanoseconds measured_nothing_ns(double ticks_per_ns) {
        static bool (*volatile nothing)(void*, std::uint64_t) = [](void*, std::uint64_t) { return true; };
        std::vector<double> readings(10'001);
        for (double& reading : readings) {
            const auto call = nothing;
            const std::uint64_t before = Ticks::begin();
            call(nullptr, 0);
            reading = static_cast<double>(Ticks::end() - before) / ticks_per_ns;
        }
        std::ranges::nth_element(readings, readings.begin() + 5'000);
        return readings[5'000];
    }

    [[nodiscard]] std::uint64_t ticks(Nanoseconds time) const {
        return static_cast<std::uint64_t>(time * ticks_per_ns_);
    }
    [[nodiscard]] Nanoseconds between(std::uint64_t before, std::uint64_t after) const {
        return static_cast<double>(after - before) / ticks_per_ns_ - nothing_ns_;
    }
    static void wait_until(std::uint64_t moment) {
        while (Ticks::begin() < moment) relax();
    }

    void send(double rate, Nanoseconds lasting) {
        const auto count = static_cast<std::uint64_t>(lasting * 1e-9 * rate);
        for (Line& line : lines_) line.push.reserve(count);
        const std::uint64_t began = Ticks::begin();
        for (std::uint64_t tick = 0; tick < count; ++tick) {
            wait_until(began + ticks(static_cast<double>(tick) / rate * 1e9));
            for (std::size_t turn = 0; turn < lines_.size(); ++turn) {
                const std::size_t index = (tick + turn) % lines_.size();
                const auto push_one = contenders_[index].push_one;
                Line& line = lines_[index];
                wait_until(Ticks::begin() + ticks(settle_ns));
                const std::uint64_t before = Ticks::begin();
                const bool pushed = push_one(line.ring, line.sent);
                const std::uint64_t after = Ticks::end();
                if (pushed) {
                    ++line.sent;
                    line.push.push_back(between(before, after));
                } else {
                    ++line.refused;
                }
            }
        }
    }

    void drain(const std::atomic<bool>& over) {
        const std::uint64_t began = Ticks::begin();
        for (std::uint64_t block = 1;; ++block) {
            const bool last = over;
            if (!last) wait_until(began + ticks(static_cast<double>(block) * block_ns));
            for (std::size_t turn = 0; turn < lines_.size(); ++turn) {
                const std::size_t index = (block + turn) % lines_.size();
                const auto pop_all = contenders_[index].pop_all;
                Line& line = lines_[index];
                const std::uint64_t before = Ticks::begin();
                const std::uint64_t popped = pop_all(line.ring, line.received, &line.wrong);
                const std::uint64_t after = Ticks::end();
                line.received += popped;
                if (popped > 0 && !last) line.drain.push_back(between(before, after) / static_cast<double>(popped));
            }
            if (last) return;
        }
    }

    std::vector<Contender> contenders_;
    std::vector<Line> lines_;
    double ticks_per_ns_ = Ticks::per_ns();
    Nanoseconds nothing_ns_ = measured_nothing_ns(ticks_per_ns_);
};

}  // namespace cueline::bench
