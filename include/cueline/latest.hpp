// latest.hpp: the latest value from one thread to another, of any width, never torn.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <cueline/ring.hpp>

namespace cueline {

/// A triple buffer. One thread writes as often as it likes; another reads the newest whole value. A newer value
/// replaces one that was not read. It holds no pointer and never allocates. Every call is wait-free.
///
/// There are three slots. The writer owns one, the reader owns one, and the middle one holds the newest value or the
/// slot that the reader gave back. Each end swaps its own slot for the middle one in one exchange. So neither end waits
/// for the other, and only one end uses a slot at a time.
///
/// The triple buffer comes from computer graphics. The design without a wait, with a mark for a new value, follows
/// Simpson, "Four-slot fully asynchronous communication mechanism" (1990), and Chen and Burns, "A three-slot
/// asynchronous reader/writer mechanism for multiprocessor real-time systems" (1997).
template <class T, class Memory = StdMemory>
class Latest {
    static_assert(std::is_trivially_copyable_v<T>,
                  "the latest value is copied as bytes between threads: T must be trivially copyable");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the middle's index must be lock-free");

  public:
    using value_type = T;

    /// Until the first write, read() gives `first`.
    explicit Latest(const T& first = T{}) noexcept(Memory::never_throws) { slots_[reading_].value.write(first); }
    Latest(const Latest&) = delete;
    Latest& operator=(const Latest&) = delete;
    ~Latest() = default;

    /// Makes `value` the latest. [writer's thread]
    void write(const T& value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        slots_[writing_].value.write(value);
        // Release publishes the value; it pairs with the acquire in read(). Acquire pairs with the release there: the
        // reader has finished with the slot that it gave back, so this end may write to it.
        writing_ = middle_.exchange(writing_ | is_new, std::memory_order_acq_rel) & slot_bits;
    }

    /// Copies the latest value into `value`. Returns whether it was written since the last read(). [reader's thread]
    bool read(T& value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: no value is read because of this load. Only this thread clears the mark.
        const bool news = (middle_.load(std::memory_order_relaxed) & is_new) != 0;
        if (news) {
            // Acquire pairs with the release in write(): the value has been written. Release pairs with the acquire
            // there: this end has finished reading the slot that it gives back.
            reading_ = middle_.exchange(reading_, std::memory_order_acq_rel) & slot_bits;
        }
        const auto copy = [&value](const T& found) noexcept { value = found; };
        slots_[reading_].value.read(copy);
        return news;
    }

  private:
    static constexpr std::uint64_t slot_bits = 3;
    static constexpr std::uint64_t is_new = 4;  // beside the middle slot's number: the reader has not taken it yet

    /// Whole cache lines, so that a write to one slot does not disturb a read of another.
    struct alignas(cache_line_bytes) Slot {
        typename Memory::template Cell<T> value;
    };

    std::array<Slot, 3> slots_;
    alignas(cache_line_bytes) typename Memory::template Atomic<std::uint64_t> middle_{1};
    // Each end's own slot number is plain memory: no other thread reads it.
    alignas(cache_line_bytes) std::uint64_t writing_ = 2;  // the writer's
    alignas(cache_line_bytes) std::uint64_t reading_ = 0;  // the reader's
};

}  // namespace cueline
