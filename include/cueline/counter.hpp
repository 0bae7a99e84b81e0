// counter.hpp: a count that one thread raises and any thread may read.
#pragma once

#include <atomic>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// One thread calls add(), raise_to() and set(); any thread calls get(). With a single writer, an update is a plain
/// load and store, not a read-modify-write. Every call is wait-free.
class Counter {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  public:
    void add(std::uint64_t amount) noexcept CUELINE_NONBLOCKING { set(get() + amount); }
    void raise_to(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        if (value > get()) set(value);
    }
    void set(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        value_.store(value, std::memory_order_relaxed);  // relaxed: it publishes nothing but itself
    }

    [[nodiscard]] std::uint64_t get() const noexcept CUELINE_NONBLOCKING {
        return value_.load(std::memory_order_relaxed);  // relaxed: no other data is read because of it
    }

  private:
    std::atomic<std::uint64_t> value_ = 0;
};

}  // namespace cueline
