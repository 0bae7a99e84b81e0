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
#include <cstring>
#include <memory>
#include <span>
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

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // bytes that were never written are copied like the rest
#endif
/// Copies so many bytes, a multiple of 8, word by word where the compiler would take wider steps. Who pushes a message
/// has mostly just written it, in words; a wide load of them would wait until they have left the store buffer.
/// Thread: any. Real-time: wait-free.
template <std::size_t Bytes>
void copy_bytes_by_words(std::byte* to, const std::byte* from) noexcept CUELINE_NONBLOCKING {
    static_assert(Bytes % sizeof(std::uint64_t) == 0);
    for (std::size_t at = 0; at < Bytes; at += sizeof(std::uint64_t)) {
        std::uint64_t word;
        std::memcpy(&word, from + at, sizeof word);
        asm("" : "+r"(word));  // in a register of its own: words are not joined
        std::memcpy(to + at, &word, sizeof word);
    }
}

/// Makes a copy of `from` at `to`, by words where it consists of such. Likewise.
template <class T>
void copy_by_words(T& to, const T& from) noexcept CUELINE_NONBLOCKING {
    if constexpr (sizeof(T) % sizeof(std::uint64_t) != 0) {
        std::construct_at(std::addressof(to), from);
    } else {
        copy_bytes_by_words<sizeof(T)>(reinterpret_cast<std::byte*>(std::addressof(to)),
                                       reinterpret_cast<const std::byte*>(std::addressof(from)));
    }
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The memory primitives that a ring is made of. A model checker puts its own in their place, so that
/// what it explores is this very file, with the orders that stand in it.
struct StdMemory {
    /// Whether the primitives never throw. A checker's may: that is how it reports.
    static constexpr bool never_throws = true;

    /// A word that two threads share: what of std::atomic's interface is used is load, store, exchange
    /// and compare_exchange_strong, with their orders.
    template <class Value>
    using Atomic = std::atomic<Value>;

    /// A slot's message: plain memory, ordered by the atomics around it.
    template <class T>
    class Cell {
      public:
        Cell() noexcept {}  // left as it is: a slot is read only after it was written

        void write(const T& value) noexcept CUELINE_NONBLOCKING { copy_by_words(value_, value); }
        /// Calls `reader` with the message where it lies.
        template <class Reader>
        void read(Reader& reader) const noexcept(std::is_nothrow_invocable_v<Reader&, const T&>) {
            reader(value_);
        }

      private:
        union {  // so that T needs no default constructor
            T value_;
        };
    };
};

/// Asks for the cache line at `address`, to write to it soon. No program can see a difference but in time.
/// Thread: any. Real-time: wait-free.
inline void prefetch_for_writing(const void* address) noexcept CUELINE_NONBLOCKING {
#if defined(__x86_64__)
    // The builtin would fetch it for reading only, unless the compiler may use newer instructions. Older processors
    // take this one for no operation.
    asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
    __builtin_prefetch(address, 1);
#endif
}

/// A bounded first-in first-out queue of `Capacity` messages, all slots usable, from the one thread that
/// holds its Producer to the one thread that holds its Consumer. It holds no pointer and never allocates.
///
/// Indices run freely from `first_index` and wrap at 2^64; a slot is an index modulo the capacity, a lap what is left.
/// Beside each message stands a stamp: the lap it was written in. The consumer finds a message by its stamp, so that a
/// lone one takes one cache line from core to core, no index with it. The producer finds room by the consumer's index,
/// which it looks at only when it has used up the room it saw.
///
/// After Giacomoni, Moseley and Vachharajani, "FastForward for efficient pipeline parallelism" (2008), for what tells a
/// full slot from an empty one standing in the slot; Vyukov's bounded queue (2010), for a number that grows with the
/// laps there; and Lee, Bu and Chandranmenon, "MCRingBuffer" (2010), for an end that keeps what it last saw of the
/// other.
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
        : tail_{first_index}, head_{first_index} {
        // The lap before: no message yet to come has it. Relaxed: nobody else has the ring.
        for (Slot& slot : slots_) slot.stamp.store(lap(first_index) - 1, std::memory_order_relaxed);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() = default;

    /// The index of the next message to be popped: how many ever were, from `first_index` on.
    /// Thread: any. Real-time: wait-free. A snapshot: the consumer may have gone on meanwhile, never back.
    [[nodiscard]] std::uint64_t head() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Consumer::give_back(): slots before it have been read and may be written;
        // and a tail that is read after it is behind it by no more than one try_push().
        return head_.index.load(std::memory_order_acquire);
    }

    /// The index of the next message to be pushed: how many ever were accepted, from `first_index` on.
    /// Thread: any. Real-time: wait-free. A snapshot: the producer may have gone on meanwhile, never back.
    [[nodiscard]] std::uint64_t tail() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        const std::uint64_t popped = head();
        return popped + pushed_since(popped);
    }

    /// How many messages wait, from 0 to the capacity.
    /// Thread: any. Real-time: wait-free. A snapshot, with one certainty for each end: to the producer's
    /// thread it never says less than there is (so if it says there is room, nobody else can fill it);
    /// to the consumer's it never says more than will be found. A third thread may be held up between looking at the
    /// one index and the other, and is told what it saw.
    [[nodiscard]] std::size_t size() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        return static_cast<std::size_t>(std::min<std::uint64_t>(pushed_since(head()), Capacity));
    }

  private:
    template <class>
    friend class RingEnd;
    template <class>
    friend class Producer;
    template <class>
    friend class Consumer;

    using Index = typename Memory::template Atomic<std::uint64_t>;

    /// One end's index, and whether somebody holds that end, on a cache line of its own.
    struct alignas(cache_line_bytes) Side {
        explicit Side(std::uint64_t first_index) noexcept(Memory::never_throws) : index{first_index} {}
        Index index;                                          // stored by this end
        typename Memory::template Atomic<bool> taken{false};  // while such an end lives: not on a message's way
    };

    /// Whole cache lines, so that who writes to one slot disturbs nobody at the next; a message of 56 bytes fills one.
    struct alignas(std::max(cache_line_bytes, alignof(T))) Slot {
        typename Memory::template Cell<T> message;
        Index stamp{0};  // stored by the producer, after the message
    };
    static_assert(sizeof(Slot) % cache_line_bytes == 0);

    // A stamp is a lap rather than the index itself, lest a compiler that has found the two equal go on with the loaded
    // one: the address of the next slot would then wait for this one's load (g++ 12 did: a fifth of the throughput).
    static constexpr std::uint64_t lap(std::uint64_t index) noexcept CUELINE_NONBLOCKING { return index / Capacity; }
    Slot& slot(std::uint64_t index) noexcept CUELINE_NONBLOCKING { return slots_[index % Capacity]; }

    [[nodiscard]] std::uint64_t pushed_since(std::uint64_t popped) const noexcept(Memory::never_throws)
        CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Producer::count_up_to(): what is counted is there to be popped.
        const std::uint64_t pushed = tail_.index.load(std::memory_order_acquire) - popped;
        // Negative: a message was popped between its stamp and the producer's count, and the consumer's count is newer.
        return static_cast<std::int64_t>(pushed) < 0 ? 0 : pushed;
    }

    Side tail_;
    Side head_;
    std::array<Slot, Capacity> slots_;
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

    RingEnd(RingType& ring, Side& side, const char* refusal) : ring_{&ring}, side_{&side} {
        // Acquire pairs with the release in release(): what the previous holder did is done. Relaxed if refused: then
        // nothing is read.
        bool taken = false;
        if (!side.taken.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed)) {
            throw EndTakenError{refusal};
        }
        index_ = side.index.load(std::memory_order_relaxed);  // relaxed: only holders of this end ever stored it
    }
    ~RingEnd() noexcept(never_throws) { release(); }

    // Each end keeps its own index in plain memory and never reads it back from the atomic: nobody else
    // changes it, and a model checker would otherwise see no choice to explore.
    RingType* ring_ = nullptr;
    std::uint64_t index_ = 0;

  private:
    void take(RingEnd& other) noexcept {
        ring_ = std::exchange(other.ring_, nullptr);
        side_ = std::exchange(other.side_, nullptr);
        index_ = other.index_;
    }
    void release() noexcept(never_throws) {
        if (side_ != nullptr) side_->taken.store(false, std::memory_order_release);  // pairs with the constructor
    }

    Side* side_ = nullptr;
};

/// The end that pushes. One lives at a time, and one thread uses it; it moves and does not copy.
/// The ring must outlive it. It is fastest on its own thread's stack.
template <class RingType>
class alignas(cache_line_bytes) Producer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;
    static constexpr std::uint64_t capacity = RingType::capacity;

  public:
    /// Takes the ring's writing end. Thread: control. Throws EndTakenError when a producer lives already.
    explicit Producer(RingType& ring)
        : RingEnd<RingType>{ring, ring.tail_, "this ring has a living producer already: destroy it first, or move it"},
          seen_head_{ring.head()} {}

    /// Appends `message`, or refuses it when the ring is full.
    /// Thread: the producer's only.
    /// Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when refused; the ring is unchanged.
    Status try_push(const T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (index_ - seen_head_ == capacity) {
            seen_head_ = ring_->head();
            if (index_ - seen_head_ == capacity) return Status::full;
        }
        write(message, index_);
        // Release publishes the message; it pairs with the acquire in Consumer::finds_message().
        ring_->slot(index_).stamp.store(RingType::lap(index_), std::memory_order_release);
        count_up_to(index_ + 1);
        return Status::ok;
    }

    /// Appends as many of `messages`, from the first on, as there is room for, and refuses the rest. The consumer sees
    /// none of them or all.
    /// Thread: the producer's only.
    /// Real-time: wait-free, in steps proportional to the number; no allocation, lock or system call.
    /// Returns how many were accepted.
    std::size_t try_push(std::span<const T> messages) noexcept(never_throws) CUELINE_NONBLOCKING {
        return produce([messages](std::size_t place) noexcept { return &messages[place]; }, messages.size());
    }

    /// Appends the messages that `make` makes one by one, as many as there is room for, at most `most`. It is called
    /// with 0, 1, 2 and so on, and returns a pointer to the message, which is copied before the next call; or a null
    /// pointer, and then none of them is appended. It must not throw, nor use this end. The consumer sees none of them
    /// or all.
    /// Thread: the producer's only.
    /// Real-time: as `make` is: it adds no wait, allocation, lock or system call of its own (and bears no mark, so that
    /// clang judges each use by its `make`). Returns how many were appended.
    template <class Make>
    std::size_t produce(Make&& make, std::size_t most) noexcept(never_throws) {
        static_assert(std::is_nothrow_invocable_r_v<const T*, Make&, std::size_t> || !never_throws,
                      "what makes messages must not throw");
        if (capacity - (index_ - seen_head_) < most) seen_head_ = ring_->head();
        const std::uint64_t count = std::min<std::uint64_t>(capacity - (index_ - seen_head_), most);
        if (count == 0) return 0;
        for (std::uint64_t place = 0; place < count; ++place) {
            const T* const message = make(static_cast<std::size_t>(place));
            if (message == nullptr) return 0;  // those before have no stamps: nobody will find them
            write(*message, index_ + place);
        }
        // The first one's stamp comes last: it is the one that the consumer waits for. Relaxed: whoever looks at the
        // others found the first one's before, whose release publishes all.
        for (std::uint64_t index = index_ + count - 1; index != index_; --index) {
            ring_->slot(index).stamp.store(RingType::lap(index), std::memory_order_relaxed);
        }
        // Release publishes the messages; it pairs with the acquire in Consumer::finds_message().
        ring_->slot(index_).stamp.store(RingType::lap(index_), std::memory_order_release);
        count_up_to(index_ + count);
        return count;
    }

  private:
    /// How far ahead a slot is fetched for writing, while there is room: of 16 to 128, 32 did best in `make bench`.
    static constexpr std::uint64_t slots_ahead = 32;

    void write(const T& message, std::uint64_t index) noexcept(never_throws) CUELINE_NONBLOCKING {
        // Never beyond the free slots: that would take a message away from a consumer about to read it.
        if (index + slots_ahead - seen_head_ < capacity) prefetch_for_writing(&ring_->slot(index + slots_ahead));
        ring_->slot(index).message.write(message);
    }

    void count_up_to(std::uint64_t index) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ = index;
        // Release: who reads this index finds the stamps before it. Pairs with the acquire in Ring::pushed_since().
        ring_->tail_.index.store(index, std::memory_order_release);
    }

    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
    std::uint64_t seen_head_;  // the consumer's index as last seen: never ahead of it, so at worst we look again
};

/// The end that pops. One lives at a time, and one thread uses it; it moves and does not copy.
/// The ring must outlive it. It is fastest on its own thread's stack.
template <class RingType>
class alignas(cache_line_bytes) Consumer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Takes the ring's reading end. Thread: control. Throws EndTakenError when a consumer lives already.
    explicit Consumer(RingType& ring)
        : RingEnd<RingType>{ring, ring.head_, "this ring has a living consumer already: destroy it first, or move it"} {
    }

    /// Takes the oldest message into `message`, or leaves it as it is when there is none.
    /// Thread: the consumer's only.
    /// Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::empty when there was nothing.
    Status try_pop(T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (!finds_message(index_)) return Status::empty;
        const auto copy = [&message](const T& found) noexcept { message = found; };
        ring_->slot(index_).message.read(copy);
        give_back(1);
        return Status::ok;
    }

    /// Takes the oldest messages, as many as wait and as `messages` has room for.
    /// Thread: the consumer's only.
    /// Real-time: wait-free, in steps proportional to the number; no allocation, lock or system call.
    /// Returns how many were taken; the rest of `messages` is as it was.
    std::size_t try_pop(std::span<T> messages) noexcept(never_throws) CUELINE_NONBLOCKING {
        auto place = messages.begin();
        return consume([&place](const T& found) noexcept { *place++ = found; }, messages.size());
    }

    /// Calls `read` with each waiting message where it lies, the oldest first, at most `most` of them, and takes them
    /// when it has seen them all: until then they take up room. It must not throw, nor use this end.
    /// Thread: the consumer's only.
    /// Real-time: as `read` is: it adds no wait, allocation, lock or system call of its own (and bears no mark, so that
    /// clang judges each use by its `read`). Returns how many were taken.
    template <class Read>
    std::size_t consume(Read&& read, std::size_t most = RingType::capacity) noexcept(never_throws) {
        static_assert(std::is_nothrow_invocable_v<Read&, const T&> || !never_throws, "what reads must not throw");
        if (most == 0 || !finds_message(index_)) return 0;
        // The first is here. How many follow it is the producer's to say: to go by their stamps instead would have the
        // processor run ahead, and fetch lines that are being written. Only while it has not counted the first one do
        // the stamps say which others it pushed together with it.
        std::uint64_t waiting = ring_->pushed_since(index_);
        if (waiting == 0) {
            do ++waiting;
            while (waiting < most && finds_message(index_ + waiting));
        }
        const std::uint64_t end = index_ + std::min<std::uint64_t>(waiting, most);
        for (std::uint64_t index = index_; index != end; ++index) ring_->slot(index).message.read(read);
        const std::uint64_t count = end - index_;
        give_back(count);
        return count;
    }

  private:
    [[nodiscard]] bool finds_message(std::uint64_t index) const noexcept(never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Producer::try_push(): the message has been written and may be read.
        return ring_->slot(index).stamp.load(std::memory_order_acquire) == RingType::lap(index);
    }

    void give_back(std::uint64_t count) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ += count;
        // Release gives the slots back; it pairs with the acquire in Ring::head().
        ring_->head_.index.store(index_, std::memory_order_release);
    }

    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
};

}  // namespace cueline
