// two_threads.hpp: two pinned threads that work together in short slices, and measure how far apart their cores are.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <cueline/ring.hpp>

#include "works.hpp"

namespace cueline::bench {

using Nanoseconds = double;

/// The steady clock in nanoseconds.
inline Nanoseconds now_ns() {
    return std::chrono::duration<double, std::nano>{std::chrono::steady_clock::now().time_since_epoch()}.count();
}

/// The calling thread and a partner, each pinned to a core. Slices are so short that the partner spins between them.
class TwoThreads {
  public:
    /// Throws std::runtime_error if this process may use only one core.
    TwoThreads() : cores_{allowed_cores()}, partner_{[this] { serve(); }} { pin(cores_.front()); }
    TwoThreads(const TwoThreads&) = delete;
    TwoThreads& operator=(const TwoThreads&) = delete;
    ~TwoThreads() {
        over_ = true;
        partner_.join();
    }

    /// Runs `here` on this thread and `there` on the partner, starting together. Returns the time until both have
    /// ended.
    Nanoseconds run(const std::function<void()>& here, const std::function<void()>& there) {
        there_ = &there;
        asked_.fetch_add(1, std::memory_order_release);
        while (ready_.load(std::memory_order_acquire) != asked_) relax();
        const Nanoseconds begun = now_ns();
        go_.store(asked_, std::memory_order_release);
        here();
        while (done_.load(std::memory_order_acquire) != asked_) relax();
        return now_ns() - begun;
    }

    /// The time for one cache line to the partner and back.
    Nanoseconds bounce() {
        Line line;
        return bounce(line, line);
    }
    /// The same with one cache line for each direction, as two rings have it. So no thread can return the line that it
    /// has just read.
    Nanoseconds bounce_of_two() {
        Line there;
        Line back;
        return bounce(there, back);
    }

  private:
    struct alignas(4 * cache_line_bytes) Line {
        std::atomic<std::uint64_t> word = 0;
    };

    Nanoseconds bounce(Line& there, Line& back) {
        constexpr std::uint64_t trips = 500;
        const auto wait_for = [](const Line& line, std::uint64_t value) {
            while (line.word.load(std::memory_order_acquire) != value) relax();
        };
        const Nanoseconds took = run(
            [&] {
                for (std::uint64_t trip = 0; trip < trips; ++trip) {
                    there.word.store(2 * trip + 1, std::memory_order_release);
                    wait_for(back, 2 * trip + 2);
                }
            },
            [&] {
                for (std::uint64_t trip = 0; trip < trips; ++trip) {
                    wait_for(there, 2 * trip + 1);
                    back.word.store(2 * trip + 2, std::memory_order_release);
                }
            });
        return took / trips;
    }

    static std::vector<std::size_t> allowed_cores() {
        cpu_set_t allowed;
        CPU_ZERO(&allowed);
        sched_getaffinity(0, sizeof allowed, &allowed);
        std::vector<std::size_t> cores;
        for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &allowed)) cores.push_back(core);
        }
        if (cores.size() < 2) throw std::runtime_error{"two threads need two cores, and this process may use one"};
        return cores;
    }

    static void pin(std::size_t core) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET(core, &cores);
        pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
    }

    void serve() {
        pin(cores_.back());
        for (std::uint64_t turn = 1;; ++turn) {
            while (asked_.load(std::memory_order_acquire) != turn) {
                if (over_.load(std::memory_order_relaxed)) return;
                relax();
            }
            ready_.store(turn, std::memory_order_release);
            while (go_.load(std::memory_order_acquire) != turn) relax();
            (*there_)();
            done_.store(turn, std::memory_order_release);
        }
    }

    std::vector<std::size_t> cores_;
    const std::function<void()>* there_ = nullptr;
    alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> asked_ = 0;
    alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> ready_ = 0;
    alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> go_ = 0;
    alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> done_ = 0;
    std::atomic<bool> over_ = false;
    std::thread partner_;
};

}  // namespace cueline::bench
