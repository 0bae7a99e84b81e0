// ring.hpp: a wait-free queue from one thread to one other.
//
// Taken alone it is complete: it includes nothing of ours, and every other header of ours builds on it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

/// Marks a function that the audio thread may call: it does not allocate, lock, block or call the system.
/// clang 20 and later hold the function to it (-Wfunction-effects, -fsanitize=realtime); others read past it.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::nonblocking)
#define CUELINE_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef CUELINE_NONBLOCKING
#define CUELINE_NONBLOCKING
#endif

namespace cueline {

/// What became of an attempt. The numbers are part of the interface: Python sees the same ones.
enum class Status : std::uint8_t {
    ok = 0,
    full = 1,   ///< refused, nothing changed: the ring holds all it can
    empty = 2,  ///< nothing to take
};

/// A second end of the same kind was asked of a ring, or of a link.
struct EndTakenError : std::logic_error {
    using std::logic_error::logic_error;
};

inline constexpr std::size_t max_ring_capacity = 1024;  // messages
inline constexpr std::size_t cache_line_bytes = 64;

/// The memory primitives that a ring is made of. A model checker puts its own in their place, so that
/// what it explores is this very file, with the orders that stand in it.
struct StdMemory {
    /// Whether the primitives never throw. A checker's may: that is how it reports.
    static constexpr bool never_throws = true;

    /// A word that two threads share: what of std::atomic's interface a ring uses is load, store and
    /// compare_exchange_strong, with their orders.
    template <class Value>
    using Atomic = std::atomic<Value>;

    /// A slot's contents: plain memory, ordered by the atomics around it.
    template <class T>
    class Cell {
      public:
        Cell() noexcept {}  // left as it is: a slot is read only after it was written

        void write(const T& value) noexcept CUELINE_NONBLOCKING { std::construct_at(&value_, value); }
        void read(T& value) const noexcept CUELINE_NONBLOCKING { value = value_; }

      private:
        union {  // so that T needs no default constructor
            T value_;
        };
    };
};

/// A bounded first-in first-out queue of `Capacity` messages, all slots usable, from the one thread that
/// holds its Producer to the one thread that holds its Consumer. It holds no pointer and never allocates.
///
/// Indices run freely from `first_index` and wrap at 2^64; a slot is an index modulo the capacity.
/// After Lamport, "Specifying Concurrent Program Modules" (1983), with each end caching what it last saw
/// of the other, as in Lee, Bu and Chandranmenon's "MCRingBuffer" (2010).
template <class T, std::size_t Capacity = max_ring_capacity, class Memory = StdMemory>
class Ring {
    static_assert(std::is_trivially_copyable_v<T>,
                  "a ring copies its messages as bytes between threads: T must be trivially copyable");
    static_assert(std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T>,
                  "a ring copies messages in and out: T must have a copy constructor and a copy assignment");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a ring's indices must be lock-free");
    static_assert(std::has_single_bit(Capacity) && Capacity <= max_ring_capacity,
                  "a ring's capacity must be a power of two from 1 to 1024");

  public:
    using value_type = T;
    using memory_type = Memory;
    static constexpr std::size_t capacity = Capacity;

    /// An empty ring. `first_index` is where both indices begin; tests start them just below the wrap.
    explicit Ring(std::uint64_t first_index = 0) noexcept(Memory::never_throws)
        : write_{first_index}, read_{first_index} {}
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() = default;

    /// The index of the next message to be popped: how many ever were, from `first_index` on.
    /// Thread: any. Real-time: wait-free. A snapshot: the consumer may have gone on meanwhile, never back.
    [[nodiscard]] std::uint64_t head() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire, for size(): with the release in try_pop, a tail() read after it is not behind it.
        return read_.index.load(std::memory_order_acquire);
    }

    /// The index of the next message to be pushed: how many ever were accepted, from `first_index` on.
    /// Thread: any. Real-time: wait-free. A snapshot: the producer may have gone on meanwhile, never back.
    [[nodiscard]] std::uint64_t tail() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        return write_.index.load(std::memory_order_relaxed);  // relaxed: nothing else is read on its strength
    }

    /// How many messages wait, from 0 to the capacity.
    /// Thread: any. Real-time: wait-free. A snapshot, with one certainty for each end: to the producer's
    /// thread it never says less than there is (so if it says there is room, nobody else can fill it);
    /// to the consumer's it never says more than will be found.
    [[nodiscard]] std::size_t size() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        const std::uint64_t oldest = head();  // before tail(), so that the difference is not negative
        return static_cast<std::size_t>(std::min<std::uint64_t>(tail() - oldest, Capacity));
    }

  private:
    template <class>
    friend class RingEnd;
    template <class>
    friend class Producer;
    template <class>
    friend class Consumer;

    /// What one end shares with the other, on a cache line of its own.
    struct alignas(cache_line_bytes) Side {
        explicit Side(std::uint64_t first_index) noexcept(Memory::never_throws) : index{first_index} {}
        typename Memory::template Atomic<std::uint64_t> index;  // stored by this end, loaded by the other
        typename Memory::template Atomic<bool> taken{false};    // while such an end lives: not on a message's way
    };

    static constexpr std::uint64_t slot_mask = Capacity - 1;

    Side write_;
    Side read_;
    alignas(cache_line_bytes) std::array<typename Memory::template Cell<T>, Capacity> slots_;
};

/// What both ends are: the holder of one side of a ring, alone, until it dies or is moved from.
template <class RingType>
class RingEnd {
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Takes over what `other` held, which then holds nothing and may only be destroyed or assigned to. What this one
    /// held before is free to be taken. Thread: control; neither end is in use meanwhile.
    RingEnd(RingEnd&& other) noexcept { take(other); }
    RingEnd& operator=(RingEnd&& other) noexcept(never_throws) {
        if (this != &other) {
            release();
            take(other);
        }
        return *this;
    }

  protected:
    using Side = typename RingType::Side;

    RingEnd(RingType& ring, Side& side, const Side& other_side, const char* refusal) : ring_{&ring}, side_{&side} {
        // Acquire pairs with the release in release(): what the previous holder did is done. Relaxed if refused: then
        // nothing is read.
        bool taken = false;
        if (!side.taken.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed)) {
            throw EndTakenError{refusal};
        }
        index_ = side.index.load(std::memory_order_relaxed);  // relaxed: only holders of this end ever stored it
        // Acquire pairs with the release in the other end's try_push or try_pop, as it would there.
        seen_index_ = other_side.index.load(std::memory_order_acquire);
    }
    ~RingEnd() noexcept(never_throws) { release(); }

    // Each end keeps its own index in plain memory and never reads it back from the atomic: nobody else
    // changes it, and a model checker would otherwise see no choice to explore.
    RingType* ring_ = nullptr;
    std::uint64_t index_ = 0;
    std::uint64_t seen_index_ = 0;  // the other end's, as last seen: never ahead of it, so at worst we look again

  private:
    void take(RingEnd& other) noexcept {
        ring_ = std::exchange(other.ring_, nullptr);
        side_ = std::exchange(other.side_, nullptr);
        index_ = other.index_;
        seen_index_ = other.seen_index_;
    }
    void release() noexcept(never_throws) {
        if (side_ != nullptr) side_->taken.store(false, std::memory_order_release);  // pairs with the constructor
    }

    Side* side_ = nullptr;
};

/// The end that pushes. One lives at a time, and one thread uses it; it moves and does not copy.
/// The ring must outlive it.
template <class RingType>
class alignas(cache_line_bytes) Producer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Takes the ring's writing end. Thread: control. Throws EndTakenError when a producer lives already.
    explicit Producer(RingType& ring)
        : RingEnd<RingType>{ring, ring.write_, ring.read_,
                            "this ring has a living producer already: destroy it first, or move it"} {}

    /// Appends `message`, or refuses it when the ring is full.
    /// Thread: the producer's only.
    /// Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when refused; the ring is unchanged.
    Status try_push(const T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (index_ - seen_index_ == RingType::capacity) {
            // Acquire pairs with the release in try_pop: those slots have been read and may be written.
            seen_index_ = ring_->read_.index.load(std::memory_order_acquire);
            if (index_ - seen_index_ == RingType::capacity) return Status::full;
        }
        ring_->slots_[index_ & RingType::slot_mask].write(message);
        ++index_;
        // Release publishes the slot; it pairs with the acquire in try_pop.
        ring_->write_.index.store(index_, std::memory_order_release);
        return Status::ok;
    }

  private:
    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
    using RingEnd<RingType>::seen_index_;
};

/// The end that pops. One lives at a time, and one thread uses it; it moves and does not copy.
/// The ring must outlive it.
template <class RingType>
class alignas(cache_line_bytes) Consumer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Takes the ring's reading end. Thread: control. Throws EndTakenError when a consumer lives already.
    explicit Consumer(RingType& ring)
        : RingEnd<RingType>{ring, ring.read_, ring.write_,
                            "this ring has a living consumer already: destroy it first, or move it"} {}

    /// Takes the oldest message into `message`, or leaves it as it is when there is none.
    /// Thread: the consumer's only.
    /// Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::empty when there was nothing.
    Status try_pop(T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (index_ == seen_index_) {
            // Acquire pairs with the release in try_push: those slots have been written and may be read.
            seen_index_ = ring_->write_.index.load(std::memory_order_acquire);
            if (index_ == seen_index_) return Status::empty;
        }
        ring_->slots_[index_ & RingType::slot_mask].read(message);
        ++index_;
        // Release gives the slot back; it pairs with the acquire in try_push.
        ring_->read_.index.store(index_, std::memory_order_release);
        return Status::ok;
    }

  private:
    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
    using RingEnd<RingType>::seen_index_;
};

}  // namespace cueline
