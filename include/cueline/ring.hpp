// ring.hpp: a wait-free queue from one thread to another.
//
// This header needs no other header of cueline. All others build on it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

/// Marks a function that the audio thread may call: it does not allocate, lock, block or call the system.
/// clang 20 and later check this (-Wfunction-effects, -fsanitize=realtime). Other compilers ignore the mark.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::nonblocking)
#define CUELINE_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef CUELINE_NONBLOCKING
#define CUELINE_NONBLOCKING
#endif

namespace cueline {

/// The result of an attempt. The numbers are part of the interface: Python uses the same ones.
enum class Status : std::uint8_t {
    ok = 0,
    full = 1,       ///< refused, nothing changed: there is no room
    empty = 2,      ///< there was nothing to take
    no_buffer = 3,  ///< refused, nothing changed: as many buffers as there can be are in use (only Engine::publish())
};

/// The ring, or the link, already has an end of this kind.
struct EndTakenError : std::logic_error {
    using std::logic_error::logic_error;
};

/// Throws `error`. A program that is compiled without exceptions ends here.
template <class Error>
[[noreturn]] void throw_or_end([[maybe_unused]] const Error& error) {
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)  // GCC and clang; MSVC
    throw error;
#else
    std::abort();
#endif
}

/// For an end whose maker has claimed the whole side of a link by other means: see Producer and Consumer.
struct AlreadyClaimed {};
inline constexpr AlreadyClaimed already_claimed{};

inline constexpr std::size_t max_ring_capacity = 1024;  // messages
inline constexpr std::size_t cache_line_bytes = 64;     // of most processors: what a message and its stamp fill

/// The distance in bytes between data that different threads write, so that they share no cache line (false sharing).
/// Some ARM processors, such as Apple's, have cache lines of 128 bytes. Messages are not that far apart: two of them
/// share such a line, which then moves once for both if the consumer is behind.
#if defined(__aarch64__) || defined(_M_ARM64)
inline constexpr std::size_t false_sharing_bytes = 128;
#else
inline constexpr std::size_t false_sharing_bytes = cache_line_bytes;
#endif

/// The memory primitives of a ring. A model checker replaces them, so that it explores this very file with its memory
/// orders.
struct StdMemory {
    /// Whether the primitives never throw. Those of a checker may throw: that is how it reports.
    static constexpr bool never_throws = true;

    /// A word that two threads share. The ring uses load, store, exchange and compare_exchange_strong of
    /// std::atomic's interface, with their memory orders.
    template <class Value>
    using Atomic = std::atomic<Value>;

    /// The message in a slot: plain memory, ordered by the atomics around it.
    template <class T>
    class Cell {
      public:
        Cell() noexcept {}  // uninitialized: a slot is written before it is read

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // bytes that were never written are copied too
#endif
        /// Copies word by word if T's size is a multiple of 8; the compiler would take wider steps. The producer has
        /// usually just written its message, in words. A wide load would have to wait until those words have left the
        /// store buffer.
        void write(const T& value) noexcept CUELINE_NONBLOCKING {
            if constexpr (sizeof(T) % sizeof(std::uint64_t) != 0) {
                std::construct_at(std::addressof(value_), value);
            } else {
                auto* const to = reinterpret_cast<std::byte*>(std::addressof(value_));
                const auto* const from = reinterpret_cast<const std::byte*>(std::addressof(value));
                for (std::size_t at = 0; at < sizeof(T); at += sizeof(std::uint64_t)) {
                    std::uint64_t word;
                    std::memcpy(&word, from + at, sizeof word);
#if defined(__GNUC__) || defined(__clang__)
                    asm("" : "+r"(word));  // keeps each word in its own register: only another compiler may join them
#endif
                    std::memcpy(to + at, &word, sizeof word);
                }
            }
        }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
        /// Calls `fill` with the memory of the message. Returns what it returns.
        template <class Fill>
        bool write_in_place(Fill& fill) noexcept(std::is_nothrow_invocable_v<Fill&, T&>) {
            return fill(value_);
        }
        /// Calls `reader` with the message in place.
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

/// Fetches the cache line at `address`, which will soon be written. It affects speed only. Standard C++ cannot express
/// it: with a compiler other than GCC and clang it does nothing. [any thread, wait-free]
inline void prefetch_for_writing([[maybe_unused]] const void* address) noexcept CUELINE_NONBLOCKING {
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    // Unless newer instructions are enabled, the builtin fetches for reading only. Older processors ignore this
    // instruction.
    asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#elif defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 1);
#endif
}

/// A bounded first-in first-out queue of `Capacity` messages. All slots are usable. One thread holds the Producer and
/// one thread holds the Consumer. The ring holds no pointer and never allocates. Every call is wait-free.
///
/// Indices count up from `first_index` and wrap at 2^64. The slot is the index modulo the capacity; the lap is the
/// index divided by the capacity, plus one. Each slot has a stamp beside its message: the lap in which the message was
/// written. Laps begin at one, so zeroed memory is an empty ring: it needs no constructor.
///
/// The consumer finds a message by its stamp, so a single message moves one cache line between cores, and no index.
/// The producer finds room by the consumer's index. It reads that index only when it has used up the room it last saw.
///
/// The ideas come from three sources. Giacomoni, Moseley and Vachharajani, "FastForward for efficient pipeline
/// parallelism" (2008): the slot itself says whether it is full. Vyukov's bounded queue (2010): a number in the slot
/// grows with each lap. Lee, Bu and Chandranmenon, "MCRingBuffer" (2010): each end caches the other end's index.
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

    /// Makes an empty ring. Both indices begin at `first_index`; tests start them just below the wrap.
    explicit Ring(std::uint64_t first_index = 0) noexcept(Memory::never_throws)
        : tail_{first_index}, head_{first_index} {
        // The lap before the first: no message will have it. It is 0 if indices begin at 0. Relaxed: no other thread
        // has the ring yet.
        for (Slot& slot : slots_) slot.stamp.store(lap(first_index) - 1, std::memory_order_relaxed);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() = default;

    /// The index of the next message to pop: `first_index` plus the number of messages popped so far.
    /// [any thread] The value may be out of date, but it never goes back.
    [[nodiscard]] std::uint64_t head() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Consumer::give_back(): the slots before this index have been read and may
        // be written. A tail that is read after this head is at most one try_push() behind it.
        return head_.index.load(std::memory_order_acquire);
    }

    /// The index of the next message to push: `first_index` plus the number of messages accepted so far.
    /// [any thread] The value may be out of date, but it never goes back.
    [[nodiscard]] std::uint64_t tail() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        const std::uint64_t popped = head();
        return popped + pushed_since(popped);
    }

    /// How many messages wait, from 0 to the capacity. [any thread] The value may be out of date. On the producer's
    /// thread it is never too low: if it shows room, no other thread can fill that room. On the consumer's thread it is
    /// never too high: that many messages are there. A third thread may be interrupted between reading the two indices,
    /// so its value may be true of no moment.
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

    /// One end's index, and whether that end is taken. Each has its own cache line.
    struct alignas(false_sharing_bytes) Side {
        explicit Side(std::uint64_t first_index) noexcept(Memory::never_throws) : index{first_index} {}
        Index index;                                          // stored by this end
        typename Memory::template Atomic<bool> taken{false};  // whether an end lives; not on the hot path
    };

    /// Whole cache lines of 64 bytes, so that a write to one slot does not disturb the next. A message of 56 bytes
    /// fills one.
    struct alignas(std::max(cache_line_bytes, alignof(T))) Slot {
        typename Memory::template Cell<T> message;
        Index stamp{0};  // the producer stores it after the message
    };
    static_assert(sizeof(Slot) % cache_line_bytes == 0);

    // The stamp is the lap, not the index. If the compiler found stamp and index equal, it could go on with the loaded
    // value; the address of the next slot would then wait for this load (g++ 12 did that: a fifth of the throughput).
    static constexpr std::uint64_t lap(std::uint64_t index) noexcept CUELINE_NONBLOCKING {
        return index / Capacity + 1;
    }
    Slot& slot(std::uint64_t index) noexcept CUELINE_NONBLOCKING { return slots_[index % Capacity]; }

    [[nodiscard]] std::uint64_t pushed_since(std::uint64_t popped) const noexcept(Memory::never_throws)
        CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Producer::count_up_to(): each message it counts can be popped.
        const std::uint64_t pushed = tail_.index.load(std::memory_order_acquire) - popped;
        // Negative if a message was popped after its stamp, but before the producer counted it.
        return static_cast<std::int64_t>(pushed) < 0 ? 0 : pushed;
    }

    Side tail_;
    Side head_;
    std::array<Slot, Capacity> slots_;
};

/// What both ends have in common: each is the only holder of one side of a ring, until it is destroyed or moved from.
template <class RingType>
class RingEnd {
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Takes over the side that `other` holds. After that, `other` may only be destroyed or assigned to. Assignment
    /// first gives up the side that this end held. [control thread] No other thread may use either end meanwhile.
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

    RingEnd() noexcept = default;  // of no ring
    RingEnd(RingType& ring, Side& side, const char* refusal) : ring_{&ring}, side_{&side} {
        // Acquire pairs with the release in release(): all that the previous holder did is visible. Relaxed on failure:
        // nothing is read then.
        bool taken = false;
        if (!side.taken.compare_exchange_strong(taken, true, std::memory_order_acquire, std::memory_order_relaxed)) {
            throw_or_end(EndTakenError{refusal});
        }
        index_ = side.index.load(std::memory_order_relaxed);  // relaxed: only holders of this end store it
    }

    struct OwnerDied {};
    // Relaxed: the proof of its death orders all that the last holder did before this.
    RingEnd(RingType& ring, Side& side, OwnerDied /*unused*/) noexcept(never_throws)
        : ring_{&ring}, index_{side.index.load(std::memory_order_relaxed)}, side_{&side} {
        side.taken.store(true, std::memory_order_relaxed);
    }

    // Relaxed: what claimed the whole side orders its holders.
    RingEnd(RingType& ring, Side& side, AlreadyClaimed /*unused*/) noexcept(never_throws) CUELINE_NONBLOCKING
        : ring_{&ring},
          index_{side.index.load(std::memory_order_relaxed)} {}
    ~RingEnd() noexcept(never_throws) { release(); }

    // Each end keeps its own index in plain memory and never reads it back from the atomic. No other thread changes it,
    // and with such reads a model checker (loom) would miss executions.
    RingType* ring_ = nullptr;
    std::uint64_t index_ = 0;

  private:
    void take(RingEnd& other) noexcept {
        ring_ = std::exchange(other.ring_, nullptr);
        side_ = std::exchange(other.side_, nullptr);
        index_ = other.index_;
    }
    void release() noexcept(never_throws) {
        // Release publishes all that this holder did; it pairs with the acquire in the constructor.
        if (side_ != nullptr) side_->taken.store(false, std::memory_order_release);
    }

    Side* side_ = nullptr;  // what release() gives up: null if another claim covers this end
};

/// The end that pushes. A ring has one producer at a time, and one thread uses it. It is movable and not copyable.
/// The ring must outlive it. It is fastest if it lies on the stack of its own thread. Pushes are wait-free.
template <class RingType>
class alignas(false_sharing_bytes) Producer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;
    static constexpr std::uint64_t capacity = RingType::capacity;

  public:
    /// Throws EndTakenError if the ring already has a producer. [control thread]
    explicit Producer(RingType& ring)
        : RingEnd<RingType>{ring, ring.tail_, "this ring has a living producer already: destroy it first, or move it"},
          seen_head_{ring.head()} {}

    /// Neither looks at the ring's own claim nor makes one: the caller's claim covers this end, and keeps others away.
    Producer(RingType& ring, AlreadyClaimed claim) noexcept(never_throws) CUELINE_NONBLOCKING
        : RingEnd<RingType>{ring, ring.tail_, claim},
          seen_head_{ring.head()} {}

    /// Takes the place of a producer that died at any instruction. What it had published stays in the ring; of a batch,
    /// that is all or nothing. The time is proportional to the capacity. [control thread]
    ///
    /// The caller must have proof of the death, and see all that the dead one did: its thread was joined, or the system
    /// has reaped its process. If it merely sends nothing, that proves nothing.
    [[nodiscard]] static Producer take_over(RingType& ring) noexcept(never_throws) { return {ring, OwnerDied{}}; }

    /// Appends `message`. Returns Status::full, and changes nothing, if the ring is full.
    Status try_push(const T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (index_ - seen_head_ == capacity) {
            seen_head_ = ring_->head();
            if (index_ - seen_head_ == capacity) return Status::full;
        }
        fetch_ahead(*ring_, index_, seen_head_ + capacity);
        ring_->slot(index_).message.write(message);
        // Release publishes the message; it pairs with the acquire in Consumer::finds_message().
        ring_->slot(index_).stamp.store(RingType::lap(index_), std::memory_order_release);
        count_up_to(index_ + 1);
        return Status::ok;
    }

    /// Appends as many of `messages` as there is room for, from the first on, and returns how many. The consumer sees
    /// all of these at once. The time is proportional to their number.
    std::size_t try_push(std::span<const T> messages) noexcept(never_throws) CUELINE_NONBLOCKING {
        const auto copy = [messages](std::size_t place, T& message) noexcept {
            message = messages[place];
            return true;
        };
        return produce(copy, messages.size());
    }

    /// Appends messages that `fill` writes in place: as many as there is room for, `most` at most. Returns how many.
    ///
    /// Calls `fill(place, message)` once for each place below the number that is returned. Place 0 comes last, because
    /// the consumer waits for it: while it waits, it touches no other place, so each cache line moves only once. `fill`
    /// must write all of `message`, which holds an old one. If it returns false, nothing is appended. It must not throw
    /// or use this end. The consumer sees all of these messages at once.
    ///
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `fill`. It adds no wait,
    /// allocation, lock or system call of its own.
    template <class Fill>
    std::size_t produce(Fill fill, std::size_t most) noexcept(never_throws) {
        static_assert(std::is_nothrow_invocable_r_v<bool, Fill&, std::size_t, T&> || !never_throws,
                      "what fills messages must not throw");
        if (capacity - (index_ - seen_head_) < most) seen_head_ = ring_->head();
        const std::uint64_t count = std::min<std::uint64_t>(capacity - (index_ - seen_head_), most);
        if (count == 0) return 0;
        // In variables, because the compiler must suppose that what `fill` writes could change members.
        RingType& ring = *ring_;
        const std::uint64_t first = index_;
        const std::uint64_t full = seen_head_ + capacity;
        for (std::uint64_t place = 1;; ++place) {  // one loop, so that `fill` is inlined
            const bool is_last = place == count;
            if (is_last) place = 0;
            fetch_ahead(ring, first + place, full);
            if (!fill_slot(ring, first, fill, place)) return give_up(is_last ? count : place);
            if (is_last) break;
            // Relaxed: a thread that reads this stamp has found the first one before, and its release publishes all.
            ring.slot(first + place).stamp.store(RingType::lap(first + place), std::memory_order_relaxed);
        }
        // Release publishes the messages; it pairs with the acquire in Consumer::finds_message().
        ring_->slot(index_).stamp.store(RingType::lap(index_), std::memory_order_release);
        count_up_to(index_ + count);
        return count;
    }

  private:
    using OwnerDied = typename RingEnd<RingType>::OwnerDied;
    Producer(RingType& ring, OwnerDied died) noexcept(never_throws)
        : RingEnd<RingType>{ring, ring.tail_, died}, seen_head_{ring.head()} {
        // The tail is too low if the old producer died before it counted. So the stamps say what was published: all
        // messages from the head to the first slot without its stamp. Relaxed: the proof of the death orders them.
        const std::uint64_t end = seen_head_ + capacity;
        index_ = seen_head_;
        while (index_ != end && ring.slot(index_).stamp.load(std::memory_order_relaxed) == RingType::lap(index_)) {
            ++index_;
        }
        // A batch that died before its first stamp leaves later stamps behind. The consumer must not find them after
        // the next message. Relaxed: the release of that message's stamp publishes them.
        for (std::uint64_t index = index_; index != end; ++index) clear_stamp(index);
        count_up_to(index_);
    }

    /// How many slots ahead to fetch for writing. Of 16 to 128, 32 was fastest in `make bench`.
    static constexpr std::uint64_t slots_ahead = 32;

    /// Fetches a slot that will be written soon. Does nothing for slots from `full` on, which may hold messages: to
    /// fetch such a slot would take its message away from the consumer's cache.
    static void fetch_ahead(RingType& ring, std::uint64_t index, std::uint64_t full) noexcept CUELINE_NONBLOCKING {
        if (full - index > slots_ahead) prefetch_for_writing(&ring.slot(index + slots_ahead));
    }

    template <class Fill>
    static bool fill_slot(RingType& ring, std::uint64_t first, Fill& fill, std::uint64_t place) noexcept(never_throws) {
        const auto here = [&fill, place](T& message) noexcept(never_throws) -> bool {
            return fill(static_cast<std::size_t>(place), message);
        };
        return ring.slot(first + place).message.write_in_place(here);
    }

    /// Takes back the stamps of the places from 1 to below `end`. Relaxed: the consumer looks at them only after the
    /// next message, whose release publishes this. Returns 0.
    std::size_t give_up(std::uint64_t end) noexcept(never_throws) CUELINE_NONBLOCKING {
        for (std::uint64_t place = 1; place < end; ++place) clear_stamp(index_ + place);
        return 0;
    }

    /// Sets the stamp of the previous lap, which no message has.
    void clear_stamp(std::uint64_t index) noexcept(never_throws) CUELINE_NONBLOCKING {
        ring_->slot(index).stamp.store(RingType::lap(index) - 1, std::memory_order_relaxed);
    }

    void count_up_to(std::uint64_t index) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ = index;
        // Release publishes the stamps before this index; it pairs with the acquire in Ring::pushed_since().
        ring_->tail_.index.store(index, std::memory_order_release);
    }

    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
    std::uint64_t seen_head_;  // the consumer's index as last seen; it can be too low, and then we look again
};

/// The end that pops. A ring has one consumer at a time, and one thread uses it. It is movable and not copyable.
/// The ring must outlive it. It is fastest if it lies on the stack of its own thread. Pops are wait-free.
template <class RingType>
class alignas(false_sharing_bytes) Consumer : RingEnd<RingType> {
    using T = typename RingType::value_type;
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// Throws EndTakenError if the ring already has a consumer. [control thread]
    explicit Consumer(RingType& ring)
        : RingEnd<RingType>{ring, ring.head_, "this ring has a living consumer already: destroy it first, or move it"} {
    }

    /// Neither looks at the ring's own claim nor makes one: the caller's claim covers this end, and keeps others away.
    Consumer(RingType& ring, AlreadyClaimed claim) noexcept(never_throws) CUELINE_NONBLOCKING
        : RingEnd<RingType>{ring, ring.head_, claim} {}

    /// Takes the place of a consumer that died at any instruction. Messages that it took in its last call may come
    /// again, all of that call or none. [control thread] The caller must have proof of the death, as for a producer.
    [[nodiscard]] static Consumer take_over(RingType& ring) noexcept(never_throws) { return {ring, OwnerDied{}}; }

    /// Takes the oldest message into `message`. Returns Status::empty, and changes nothing, if there is none.
    Status try_pop(T& message) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (!finds_message(index_)) return Status::empty;
        const auto copy = [&message](const T& found) noexcept { message = found; };
        ring_->slot(index_).message.read(copy);
        give_back(1);
        return Status::ok;
    }

    /// Takes the oldest messages, as many as wait and fit into `messages`. Returns how many; the rest of `messages` is
    /// unchanged. The time is proportional to their number.
    std::size_t try_pop(std::span<T> messages) noexcept(never_throws) CUELINE_NONBLOCKING {
        const auto copy = [messages](const T& found, std::size_t place) noexcept { messages[place] = found; };
        return take(copy, messages.size());
    }

    /// Calls `read` with each waiting message in place, the oldest first, `most` at most. Returns how many. The slots
    /// are free only after the last call. `read` must not throw or use this end.
    ///
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `read`. It adds no wait,
    /// allocation, lock or system call of its own.
    template <class Read>
    std::size_t consume(Read&& read, std::size_t most = RingType::capacity) noexcept(never_throws) {
        static_assert(std::is_nothrow_invocable_v<Read&, const T&> || !never_throws, "what reads must not throw");
        return take([&read](const T& message, std::size_t /*place*/) noexcept(never_throws) { read(message); }, most);
    }

  private:
    using OwnerDied = typename RingEnd<RingType>::OwnerDied;
    Consumer(RingType& ring, OwnerDied died) noexcept(never_throws) : RingEnd<RingType>{ring, ring.head_, died} {}

    /// Calls `read(message, place)` for each waiting message, `most` at most. Returns how many.
    template <class Read>
    std::size_t take(const Read& read, std::size_t most) noexcept(never_throws) {
        if (most == 0 || !finds_message(index_)) return 0;
        // The first message is here. The producer's count says how many follow. To test their stamps instead would
        // make the processor run ahead and fetch cache lines that are being written. If the producer has not yet
        // counted the first message, the stamps say which others it pushed with it.
        std::uint64_t waiting = ring_->pushed_since(index_);
        if (waiting == 0) {
            do ++waiting;
            while (waiting < most && finds_message(index_ + waiting));
        }
        const std::uint64_t count = std::min<std::uint64_t>(waiting, most);
        // In variables, because the compiler must suppose that what `read` writes could change members.
        RingType& ring = *ring_;
        const std::uint64_t first = index_;
        for (std::uint64_t place = 0; place != count; ++place) {
            const auto here = [&read, place](const T& message) noexcept(never_throws) {
                read(message, static_cast<std::size_t>(place));
            };
            ring.slot(first + place).message.read(here);
        }
        give_back(count);
        return count;
    }

    [[nodiscard]] bool finds_message(std::uint64_t index) const noexcept(never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in Producer::try_push() and produce(): the message has been written.
        return ring_->slot(index).stamp.load(std::memory_order_acquire) == RingType::lap(index);
    }

    void give_back(std::uint64_t count) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ += count;
        // Release gives the slots back to the producer; it pairs with the acquire in Ring::head().
        ring_->head_.index.store(index_, std::memory_order_release);
    }

    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
};

}  // namespace cueline
