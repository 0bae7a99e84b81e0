// counter.hpp: a count that one thread raises and any thread may read.
#pragma once

#include <atomic>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// A plain load and store, no read-modify-write.
class Counter {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  public:
    /// Thread: the counter's one writer. Real-time: wait-free.
    void add(std::uint64_t amount) noexcept CUELINE_NONBLOCKING { set(get() + amount); }
    void raise_to(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        if (value > get()) set(value);
    }
    void set(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        value_.store(value, std::memory_order_relaxed);  // relaxed: it publishes nothing but itself
    }

    /// Thread: any. Real-time: wait-free. A snapshot.
    [[nodiscard]] std::uint64_t get() const noexcept CUELINE_NONBLOCKING {
        return value_.load(std::memory_order_relaxed);  // relaxed: nothing else is read on its strength
    }

  private:
    std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace cueline
