// broken_memory.hpp: memory policies with typical faults of rings and seqlocks: mutants for the checks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <cueline/ring.hpp>

#include "rule_breaking.hpp"

namespace cueline::test {

/// Reads the other end's index a little too high or too low: an error of one in "full" and "empty".
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

/// Keeps 32 bits of an index. It works for the first 4 thousand million messages.
struct NarrowMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        [[nodiscard]] Value load(std::memory_order order) const noexcept {
            return static_cast<std::uint32_t>(std::atomic<Value>::load(order));
        }
    };
};

/// Copies a message without its last word.
struct TornMemory : StdMemory {
    template <class T>
    class Cell {
      public:
        void write(const T& value) noexcept { std::memcpy(&value_, &value, sizeof value - sizeof(std::uint64_t)); }
        template <class Fill>
        bool write_in_place(Fill& fill) noexcept {
            T value{};
            const bool filled = fill(value);
            write(value);
            return filled;
        }
        template <class Reader>
        void read(Reader& reader) const noexcept {
            reader(value_);
        }

      private:
        T value_{};
    };
};

/// Never stores anything: the other end sees no change.
struct MuteMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        void store(Value, std::memory_order) noexcept {}
        Value exchange(Value, std::memory_order) noexcept { return this->load(std::memory_order_relaxed); }
    };
};

/// A relaxed load returns what this thread found when it loaded the word with acquire: a seqlock's reader never notices
/// that its value has changed meanwhile.
struct TrustingMemory : StdMemory {
    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        // The effect analysis refuses a thread_local variable. This one exists from the thread's start, so it does not
        // block.
        CUELINE_RULES_OFF
        [[nodiscard]] Value load(std::memory_order order) const noexcept CUELINE_NONBLOCKING {
            // A seqlock's words have places of their own. Not a std::unordered_map: mingw-w64 frees the memory of a
            // thread_local object before it calls the destructor.
            static thread_local std::array<Found, 256> found;
            Found& here = found[reinterpret_cast<std::uintptr_t>(this) / sizeof *this % found.size()];
            if (order == std::memory_order_relaxed) {
                return here.word == this ? here.value : std::atomic<Value>::load(order);
            }
            here = {.word = this, .value = std::atomic<Value>::load(order)};
            return here.value;
        }
        CUELINE_RULES_ON

      private:
        struct Found {
            const void* word = nullptr;
            Value value{};
        };
    };
};

/// Publishes with relaxed order. x86 keeps the order anyway, so only a race detector can notice.
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
