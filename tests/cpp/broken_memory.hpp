// broken_memory.hpp: memory policies that break a ring in ways that rings have been broken: mutants for the checks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Sees the other end's index a little too high, or too low: off by one in "full" and in "empty".
template <int Skew>
struct SkewedMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        [[nodiscard]] Value load(std::memory_order order) const noexcept {
            return std::atomic<Value>::load(order) + static_cast<Value>(Skew);
        }
    };
};

/// Keeps 32 bits of an index: right for the first four thousand million messages.
struct NarrowMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        [[nodiscard]] Value load(std::memory_order order) const noexcept {
            return static_cast<std::uint32_t>(std::atomic<Value>::load(order));
        }
    };
};

/// Copies all of a message but its last word.
struct TornMemory : StdMemory {
    template <class T>
    class Cell {
      public:
        void write(const T& value) noexcept { std::memcpy(&value_, &value, sizeof value - sizeof(std::uint64_t)); }
        template <class Reader>
        void read(Reader& reader) const noexcept {
            reader(value_);
        }

      private:
        T value_{};
    };
};

/// Never stores what it is told to: the other end sees nothing happen.
struct MuteMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        void store(Value, std::memory_order) noexcept {}
        Value exchange(Value, std::memory_order) noexcept { return this->load(std::memory_order_relaxed); }
    };
};

/// Gives back what an exchange put there, so that who exchanged a slot for another goes on with the first one.
struct StayingMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        Value exchange(Value value, std::memory_order order) noexcept {
            std::atomic<Value>::exchange(value, order);
            return value;
        }
    };
};

/// Publishes without an order. x86 keeps the order all the same, so that only a checker of races can tell.
struct UnorderedMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        void store(Value value, std::memory_order) noexcept {
            std::atomic<Value>::store(value, std::memory_order_relaxed);
        }
        Value exchange(Value value, std::memory_order) noexcept {
            return std::atomic<Value>::exchange(value, std::memory_order_relaxed);
        }
    };
};

}  // namespace cueline::test
