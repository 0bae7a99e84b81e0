// counted_ring.hpp: a ring of messages with its counters, and the producer that counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include <cueline/counter.hpp>
#include <cueline/message.hpp>
#include <cueline/ring.hpp>

namespace cueline {

using MessageRing = Ring<Message>;

/// Counts of one ring since it was made.
struct RingStats {
    std::uint64_t sent = 0;        ///< messages that the ring accepted
    std::uint64_t dropped = 0;     ///< messages that their sender gave up because it was full
    std::uint64_t high_water = 0;  ///< the most that waited at a block's boundary; the capacity if any was dropped
};

/// Plain memory without pointers. The ends are a CountedProducer and a Consumer<MessageRing>.
struct CountedRing {
    MessageRing messages;
    alignas(cache_line_bytes) Counter dropped;     ///< the producer writes it
    alignas(cache_line_bytes) Counter high_water;  ///< the audio thread writes it

    /// [any thread] Each number is a snapshot of its own.
    [[nodiscard]] RingStats stats() const noexcept CUELINE_NONBLOCKING {
        const std::uint64_t refused = dropped.get();
        // The audio thread notes the level once a block. If a message was dropped in between, the ring was full then.
        return {messages.tail(), refused, refused > 0 ? MessageRing::capacity : high_water.get()};
    }

    /// [audio thread] Raises the high-water mark to what waits now, and returns that.
    std::size_t note_level() noexcept CUELINE_NONBLOCKING {
        const std::size_t waiting = messages.size();
        high_water.raise_to(waiting);
        return waiting;
    }
};

/// The producer's end of a CountedRing: a Producer that can count dropped messages. All calls are wait-free.
class CountedProducer : public Producer<MessageRing> {
  public:
    /// Throws EndTakenError if the ring has a living producer. The ring must outlive this one.
    explicit CountedProducer(CountedRing& ring) : Producer{ring.messages}, counted_ring_{&ring} {}
    /// For the holder of a whole side: see Producer.
    CountedProducer(CountedRing& ring, AlreadyClaimed claim) noexcept CUELINE_NONBLOCKING
        : Producer{ring.messages, claim},
          counted_ring_{&ring} {}

    /// Appends `message`. Returns Status::full, and counts a dropped message, if the ring is full.
    Status push(const Message& message) noexcept CUELINE_NONBLOCKING {
        const Status status = try_push(message);
        if (status == Status::full) count_dropped(1);
        return status;
    }

    void count_dropped(std::uint64_t messages) noexcept CUELINE_NONBLOCKING { counted_ring_->dropped.add(messages); }

    /// Returns how many messages fit, at least: the consumer may have made more room meanwhile.
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING {
        // On the producer's thread, size() is never too low.
        return MessageRing::capacity - counted_ring_->messages.size();
    }

  private:
    CountedRing* counted_ring_;
};

}  // namespace cueline
