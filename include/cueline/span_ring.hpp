// span_ring.hpp: the indices of a wait-free queue from one thread to another, whose elements lie in a storage of yours.
//
// ring.hpp is for messages: at most 1024, each with a stamp by which it is found. This header is for samples, frames
// and handles: the storage may have any type and any power of two of places, and is read and written in contiguous
// pieces.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include <cueline/error.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// Places in a ring's storage, in the order of the queue. After the last place they go on at place 0, so they are one
/// or two contiguous pieces.
struct RingPlaces {
    std::size_t first = 0;    ///< where the first piece begins
    std::size_t count = 0;    ///< how many places it has
    std::size_t wrapped = 0;  ///< how many places the second piece has, from place 0 on

    [[nodiscard]] constexpr std::size_t size() const noexcept CUELINE_NONBLOCKING { return count + wrapped; }

    /// The same places, if each one is `elements` elements of the storage.
    [[nodiscard]] constexpr RingPlaces of_each(std::size_t elements) const noexcept CUELINE_NONBLOCKING {
        return {first * elements, count * elements, wrapped * elements};
    }

    /// The two pieces of `storage`, which must have as many elements as the ring has places.
    template <class T, std::size_t Extent>
    [[nodiscard]] constexpr std::array<std::span<T>, 2> of(std::span<T, Extent> storage) const noexcept
        CUELINE_NONBLOCKING {
        return {storage.subspan(first, count), storage.first(wrapped)};
    }
};

/// What the two ends of a bounded first-in first-out queue share: how many elements were pushed, and how many were
/// popped. Both indices count up and wrap at 2^64. A place is an index modulo the capacity, and all places are usable.
///
/// The ring has no pointer and no capacity: each end keeps those itself. So a damaged index makes an end lose elements,
/// and never access memory outside the storage. Zeroed memory is an empty ring.
template <class Memory = StdMemory>
class SpanRing {
  public:
    using memory_type = Memory;

    /// Makes an empty ring. Both indices begin at `first_index`; tests start them just below the wrap.
    explicit SpanRing(std::uint64_t first_index = 0) noexcept(Memory::never_throws)
        : tail_{first_index}, head_{first_index} {}
    SpanRing(const SpanRing&) = delete;
    SpanRing& operator=(const SpanRing&) = delete;
    ~SpanRing() = default;

    /// The index of the next element to pop. [any thread] The value may be out of date, but it never goes back.
    [[nodiscard]] std::uint64_t head() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in SpanConsumer::pop(): the places before this index have been read.
        return head_.index.load(std::memory_order_acquire);
    }

    /// The index of the next element to push. [any thread] The value may be out of date, but it never goes back.
    [[nodiscard]] std::uint64_t tail() const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Acquire pairs with the release in SpanProducer::push(): the places before this index have been written.
        return tail_.index.load(std::memory_order_acquire);
    }

  private:
    template <class>
    friend class RingEnd;
    template <class>
    friend class SpanProducer;
    template <class>
    friend class SpanConsumer;

    /// One end's index, and whether that end is taken. Each has its own cache line.
    struct alignas(false_sharing_bytes) Side {
        explicit Side(std::uint64_t first_index) noexcept(Memory::never_throws) : index{first_index} {}
        typename Memory::template Atomic<std::uint64_t> index;  // stored by this end
        typename Memory::template Atomic<bool> taken{false};    // whether an end lives; not on the hot path
    };

    Side tail_;
    Side head_;
};

/// What both ends of a SpanRing have in common.
template <class RingType>
class SpanRingEnd : protected RingEnd<RingType> {
  protected:
    SpanRingEnd() = default;
    SpanRingEnd(RingType& ring, typename RingEnd<RingType>::Side& side, const char* refusal, std::size_t capacity)
        : RingEnd<RingType>{ring, side, refusal}, capacity_{capacity} {
        if (!std::has_single_bit(capacity)) {
            throw_or_end(ArgumentError{"a ring's capacity must be a power of two, got " + std::to_string(capacity)});
        }
    }

    /// The next `count` places of this end, at most the capacity.
    [[nodiscard]] RingPlaces next(std::size_t count) const noexcept CUELINE_NONBLOCKING {
        const auto first = static_cast<std::size_t>(index_ & (capacity_ - 1));
        const std::size_t unwrapped = std::min(count, capacity_ - first);
        return {first, unwrapped, count - unwrapped};
    }

    using RingEnd<RingType>::ring_;
    using RingEnd<RingType>::index_;
    std::size_t capacity_ = 1;
    std::uint64_t seen_ = 0;  // the other end's index as last seen; it can be too low, and then we look again
};

/// The end that pushes. A ring has one producer at a time, and one thread uses it. It is movable and not copyable. Ring
/// and storage must outlive it. Every call is wait-free.
template <class RingType = SpanRing<>>
class alignas(false_sharing_bytes) SpanProducer : SpanRingEnd<RingType> {
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// An end of no ring. It may only be destroyed or assigned to.
    SpanProducer() = default;

    /// For a storage of `capacity` places; the consumer must have the same. Throws ArgumentError if `capacity` is no
    /// power of two, and EndTakenError if the ring already has a producer. [control thread]
    SpanProducer(RingType& ring, std::size_t capacity)
        : SpanRingEnd<RingType>{ring, ring.tail_,
                                "this ring has a living producer already: destroy it first, or move it", capacity} {
        seen_ = ring.head();
    }

    /// Returns the free places, `most` at most. Write to them, and then push().
    [[nodiscard]] RingPlaces room(std::size_t most = std::numeric_limits<std::size_t>::max()) noexcept(never_throws)
        CUELINE_NONBLOCKING {
        if (free_places() < most) seen_ = ring_->head();
        return this->next(std::min(free_places(), most));
    }

    /// Hands the first `count` places of room() to the consumer, which finds all of them at once.
    void push(std::size_t count) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ += count;
        // Release publishes what was written to the places; it pairs with the acquire in SpanRing::tail().
        ring_->tail_.index.store(index_, std::memory_order_release);
    }

  private:
    /// At least 0 and at most the capacity, whatever the other end's index is.
    [[nodiscard]] std::size_t free_places() const noexcept CUELINE_NONBLOCKING {
        const std::uint64_t waiting = index_ - seen_;
        return waiting < capacity_ ? capacity_ - static_cast<std::size_t>(waiting) : 0;
    }

    using SpanRingEnd<RingType>::ring_;
    using SpanRingEnd<RingType>::index_;
    using SpanRingEnd<RingType>::capacity_;
    using SpanRingEnd<RingType>::seen_;
};

/// The end that pops. A ring has one consumer at a time, and one thread uses it. It is movable and not copyable. Ring
/// and storage must outlive it. Every call is wait-free.
template <class RingType = SpanRing<>>
class alignas(false_sharing_bytes) SpanConsumer : SpanRingEnd<RingType> {
    static constexpr bool never_throws = RingType::memory_type::never_throws;

  public:
    /// An end of no ring. It may only be destroyed or assigned to.
    SpanConsumer() = default;

    /// For a storage of `capacity` places; the producer must have the same. Throws ArgumentError if `capacity` is no
    /// power of two, and EndTakenError if the ring already has a consumer. [control thread]
    SpanConsumer(RingType& ring, std::size_t capacity)
        : SpanRingEnd<RingType>{ring, ring.head_,
                                "this ring has a living consumer already: destroy it first, or move it", capacity} {
        seen_ = ring.tail();
    }

    /// Returns the places that wait, the oldest first, `most` at most. Read them, and then pop().
    [[nodiscard]] RingPlaces waiting(std::size_t most = std::numeric_limits<std::size_t>::max()) noexcept(never_throws)
        CUELINE_NONBLOCKING {
        if (seen_ - index_ < most) seen_ = ring_->tail();
        // At most the capacity, whatever the other end's index is.
        return this->next(static_cast<std::size_t>(std::min<std::uint64_t>({seen_ - index_, capacity_, most})));
    }

    /// Gives the first `count` places of waiting() back to the producer.
    void pop(std::size_t count) noexcept(never_throws) CUELINE_NONBLOCKING {
        index_ += count;
        // Release gives the places back: it comes after the reads. It pairs with the acquire in SpanRing::head().
        ring_->head_.index.store(index_, std::memory_order_release);
    }

  private:
    using SpanRingEnd<RingType>::ring_;
    using SpanRingEnd<RingType>::index_;
    using SpanRingEnd<RingType>::capacity_;
    using SpanRingEnd<RingType>::seen_;
};

}  // namespace cueline
