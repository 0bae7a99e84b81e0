// limits.hpp: the limit of the machine: cache lines that stream from one core to the other, and nothing else.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "two_threads.hpp"

namespace cueline::bench {

/// One core fills memory of a ring's size and the other reads it, a quarter at a time. They share only two indices, and
/// store each once in 256 messages. Two plain loops reach this speed without a queue between them. A ring that hands
/// over every message by itself keeps both cores busier; some were a few percent faster than this.
template <std::size_t Bytes>
class Streaming {
    static constexpr std::uint64_t quarter = ring_capacity / 4;
    static constexpr std::uint64_t ahead = 32;  // cache lines fetched before they are written

  public:
    /// Returns millions of messages per second. `count` is a multiple of 256.
    double run(TwoThreads& threads, std::uint64_t count, std::uint64_t& wrong) {
        Shared& shared = *shared_;
        shared.written = 0;
        shared.read = 0;
        const Nanoseconds took = threads.run([&] { fill(shared, count); }, [&] { wrong += look(shared, count); });
        return static_cast<double>(count) / took * 1e3;
    }

  private:
    struct Shared {
        alignas(2 * cache_line_bytes) std::array<Load<Bytes>, ring_capacity> memory;
        alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> written;
        alignas(2 * cache_line_bytes) std::atomic<std::uint64_t> read;
    };

    static void fill(Shared& shared, std::uint64_t count) {
        for (std::uint64_t done = 0; done < count; done += quarter) {
            while (done + quarter - shared.read.load(std::memory_order_acquire) > ring_capacity) relax();
            const auto part = shared.memory.begin() + static_cast<std::ptrdiff_t>(done % ring_capacity);
            for (std::uint64_t place = 0; place < quarter; ++place) {
                if (place + ahead < quarter) prefetch_for_writing(&part[static_cast<std::ptrdiff_t>(place + ahead)]);
                for (auto& word : part[static_cast<std::ptrdiff_t>(place)].words) word = 0;
                part[static_cast<std::ptrdiff_t>(place)].set(done + place);
            }
            shared.written.store(done + quarter, std::memory_order_release);
        }
    }

    static std::uint64_t look(Shared& shared, std::uint64_t count) {
        std::uint64_t wrong = 0;
        for (std::uint64_t done = 0; done < count; done += quarter) {
            while (shared.written.load(std::memory_order_acquire) < done + quarter) relax();
            const auto part = shared.memory.begin() + static_cast<std::ptrdiff_t>(done % ring_capacity);
            for (std::uint64_t place = 0; place < quarter; ++place) {
                wrong += part[static_cast<std::ptrdiff_t>(place)].is(done + place) ? 0 : 1;
            }
            shared.read.store(done + quarter, std::memory_order_release);
        }
        return wrong;
    }

    std::unique_ptr<Shared> shared_ = std::make_unique<Shared>();
};

}  // namespace cueline::bench
