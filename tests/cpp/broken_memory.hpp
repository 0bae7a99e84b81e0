// broken_memory.hpp: memory policies that break a ring in ways that rings have been broken: mutants for the checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Sees the other end's index a little too high, or too low: off by one in "full" and in "empty".
template <int Skew>
struct SkewedMemory : StdMemory {
    template <class Value>
    class Atomic : public StdMemory::Atomic<Value> {
      public:
        using StdMemory::Atomic<Value>::Atomic;
        [[nodiscard]] Value load_acquire() const noexcept {
            return StdMemory::Atomic<Value>::load_acquire() + static_cast<Value>(Skew);
        }
    };
};

/// Keeps 32 bits of an index: right for the first four thousand million messages.
struct NarrowMemory : StdMemory {
    template <class Value>
    class Atomic : public StdMemory::Atomic<Value> {
      public:
        using StdMemory::Atomic<Value>::Atomic;
        [[nodiscard]] Value load_acquire() const noexcept {
            return static_cast<std::uint32_t>(StdMemory::Atomic<Value>::load_acquire());
        }
    };
};

/// Copies all of a message but its last word.
struct TornMemory : StdMemory {
    template <class T>
    class Cell {
      public:
        void write(const T& value) noexcept { std::memcpy(&value_, &value, sizeof value - sizeof(std::uint64_t)); }
        void read(T& value) const noexcept { value = value_; }

      private:
        T value_{};
    };
};

/// Never stores what it is told to: the other end sees nothing happen.
struct MuteMemory : StdMemory {
    template <class Value>
    class Atomic : public StdMemory::Atomic<Value> {
      public:
        using StdMemory::Atomic<Value>::Atomic;
        void store_release(Value) noexcept {}
    };
};

}  // namespace cueline::test
