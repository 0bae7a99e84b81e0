// limits.hpp: what the machine itself can do: cache lines streamed from one core to the other, with nothing on top.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "two_threads.hpp"

namespace cueline::bench {

/// Memory as large as a ring's that one core fills and the other reads, a quarter at a time: two indices are all that
/// is shared besides, and each is stored once in 256 messages. It is what two plain loops reach with no queue between
/// them. A ring that hands over every message by itself keeps both cores busier, and has been seen a few percent above
/// it.
template <std::size_t Bytes>
class Streaming {
    static constexpr std::uint64_t quarter = ring_capacity / 4;
    static constexpr std::uint64_t ahead = 32;  // lines asked for before they are written to

  public:
    /// Returns the messages a second, in millions. `count` is a multiple of 256.
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
