// link.hpp: all that one control side and one audio side share: a ring each way, and their counters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <type_traits>

#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/parameter.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// A count that one thread raises and any thread may read: a plain load and store, no read-modify-write.
class Counter {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  public:
    /// Thread: the counter's one writer. Real-time: wait-free.
    void add(std::uint64_t amount) noexcept CUELINE_NONBLOCKING { set(get() + amount); }
    void raise_to(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        if (value > get()) set(value);
    }

    /// Thread: any. Real-time: wait-free. A snapshot.
    [[nodiscard]] std::uint64_t get() const noexcept CUELINE_NONBLOCKING {
        return value_.load(std::memory_order_relaxed);  // relaxed: nothing else is read on its strength
    }

  private:
    void set(std::uint64_t value) noexcept CUELINE_NONBLOCKING {
        value_.store(value, std::memory_order_relaxed);  // relaxed: it publishes nothing but itself
    }
    std::atomic<std::uint64_t> value_ = 0;
};

/// What one ring of a link has seen so far.
struct RingCounts {
    std::uint64_t sent = 0;        ///< messages the ring accepted
    std::uint64_t dropped = 0;     ///< messages it refused, being full
    std::uint64_t high_water = 0;  ///< most that waited at a block's boundary; the capacity once one was refused
};

/// The number of the command after the one numbered `sequence`: 0 stands for none and is left out.
/// Thread: any. Real-time: wait-free.
constexpr std::uint32_t sequence_after(std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
    return sequence == ~std::uint32_t{0} ? 1 : sequence + 1;
}

using CommandRing = Ring<Message>;
using EventRing = Ring<Message>;

/// The shared part: plain memory without pointers, so that it could lie in memory shared by two processes.
/// Use it through one ControlSide and one AudioSide; it must outlive them.
class Link {
  public:
    /// How the command ring fared. Thread: any. Real-time: wait-free. Each number is a snapshot of its own.
    [[nodiscard]] RingCounts command_counts() const noexcept CUELINE_NONBLOCKING {
        return counts(commands_, commands_dropped_, commands_high_water_);
    }
    /// How the event ring fared. Likewise.
    [[nodiscard]] RingCounts event_counts() const noexcept CUELINE_NONBLOCKING {
        return counts(events_, events_dropped_, events_high_water_);
    }

    /// The parameters and meters of the processor at the audio end, by their numbers: for who holds the ends of them.
    [[nodiscard]] std::span<SharedParameter<>> parameters() noexcept { return parameters_; }
    [[nodiscard]] std::span<SharedMeter> meters() noexcept { return meters_; }

  private:
    friend class ControlSide;
    friend class AudioSide;
    friend class EventSender;

    static RingCounts counts(const Ring<Message>& ring, const Counter& dropped, const Counter& high_water) noexcept
        CUELINE_NONBLOCKING {
        const std::uint64_t refused = dropped.get();
        // The audio side notes the level once a block. A refusal between two looks means that it was full.
        return {ring.tail(), refused, refused > 0 ? Ring<Message>::capacity : high_water.get()};
    }

    CommandRing commands_;
    EventRing events_;
    alignas(cache_line_bytes) Counter commands_dropped_;     // the control side's to write
    alignas(cache_line_bytes) Counter commands_high_water_;  // the audio side's to write, and those below
    Counter events_dropped_;
    Counter events_high_water_;
    std::array<SharedParameter<>, most_parameters> parameters_;
    std::array<SharedMeter, most_meters> meters_;
};
static_assert(std::is_standard_layout_v<Link> && std::is_trivially_destructible_v<Link>);

/// The control thread's end of a link: sends commands, receives events. One thread at a time uses it.
class ControlSide {
  public:
    /// Takes the control end. Throws EndTakenError when the link has a living control side.
    explicit ControlSide(Link& link)
        : link_{&link},
          commands_{link.commands_},
          events_{link.events_},
          sequence_{static_cast<std::uint32_t>(link.commands_.tail())} {}

    /// Sends a command of this kind, numbered in the order of acceptance.
    /// Thread: control, one at a time. Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when the ring is full: the command is dropped and counted.
    template <class Payload>
    Status send(Kind kind, const Payload& payload) noexcept CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.sequence = sequence_after(sequence_);
        const Status status = commands_.try_push(message);
        if (status == Status::ok) {
            sequence_ = message.sequence;
        } else {
            link_->commands_dropped_.add(1);
        }
        return status;
    }

    /// Sends a ping, stamped with std::chrono::steady_clock. The audio side answers with a pong.
    /// Thread: control, one at a time. It never blocks; it reads the clock, which on Linux is no system call
    /// where the kernel offers it in user space (vDSO). Returns Status::full when dropped, and counts it.
    Status ping() noexcept { return send(kind::ping, Ping{monotonic_ns()}); }

    /// Takes the oldest event into `event`, or returns Status::empty and leaves it as it is.
    /// Thread: control, one at a time. Real-time: wait-free; no allocation, lock or system call.
    Status receive(Message& event) noexcept CUELINE_NONBLOCKING { return events_.try_pop(event); }

  private:
    Link* link_;
    Producer<CommandRing> commands_;
    Consumer<EventRing> events_;
    std::uint32_t sequence_;  // of the last command accepted: a new control side goes on where the last one stopped
};

/// Sends events from the audio thread: what a processor gets to answer with.
class EventSender {
  public:
    /// Sends an event of this kind, stamped with the first frame of the block under way. `sequence` is that
    /// of the command it answers, 0 when it answers none.
    /// Thread: audio. Real-time: wait-free; no allocation, lock or system call.
    /// Returns Status::full when the ring is full: the event is dropped and counted.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, std::uint32_t sequence = 0) noexcept CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.sequence = sequence;
        message.frame = frame_;
        const Status status = events_.try_push(message);
        if (status == Status::full) link_->events_dropped_.add(1);
        return status;
    }

  private:
    friend class AudioSide;
    explicit EventSender(Link& link) : link_{&link}, events_{link.events_} {}

    Link* link_;
    Producer<EventRing> events_;
    std::uint64_t frame_ = 0;
};

inline constexpr std::uint32_t default_budget = 256;  // messages a block

/// The audio thread's end of a link: receives commands, sends events. One thread at a time uses it.
class AudioSide {
  public:
    /// Takes the audio end, to read at most `budget` commands a block; the rest waits for the next one.
    /// Throws EndTakenError when the link has a living audio side.
    explicit AudioSide(Link& link, std::uint32_t budget = default_budget)
        : link_{&link}, commands_{link.commands_}, events_{link}, budget_{budget} {}

    /// Begins the block whose first frame is `frame`: a fresh budget.
    /// Thread: audio. Real-time: wait-free.
    void begin_block(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        events_.frame_ = frame;
        left_in_block_ = budget_;
        link_->commands_high_water_.raise_to(link_->commands_.size());  // before we drain it
    }

    /// Takes the oldest command into `command`. Returns Status::empty when none waits or the budget is spent.
    /// Thread: audio, inside a block. Real-time: wait-free; no allocation, lock or system call.
    Status receive(Message& command) noexcept CUELINE_NONBLOCKING {
        if (left_in_block_ == 0) return Status::empty;
        const Status status = commands_.try_pop(command);
        if (status == Status::ok) --left_in_block_;
        return status;
    }

    /// Where events are sent. Thread: audio. Real-time: wait-free.
    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return events_; }

    /// Ends the block. Thread: audio. Real-time: wait-free.
    void end_block() noexcept CUELINE_NONBLOCKING {
        link_->events_high_water_.raise_to(link_->events_.size());  // after all were sent
    }

  private:
    Link* link_;
    Consumer<CommandRing> commands_;
    EventSender events_;
    std::uint32_t budget_;
    std::uint32_t left_in_block_ = 0;
};

}  // namespace cueline
