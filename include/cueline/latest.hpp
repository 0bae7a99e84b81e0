// latest.hpp: the latest value from one thread to one other, of any width, never torn.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <cueline/ring.hpp>

namespace cueline {

/// A value that one thread writes as often as it likes, and one other reads: it gets the newest whole one, and those
/// that it never asked for are gone. It holds no pointer and never allocates.
///
/// There are three slots: the writer fills one, the reader has one, and the one in the middle holds the newest value,
/// or what the reader gave back. Either end changes its own for the middle one in one exchange, so that neither waits
/// for the other, and no slot is anybody's but one end's while it is written or read.
///
/// That is the triple buffer of computer graphics; without a wait, and with a mark of what is new, as in Simpson,
/// "Four-slot fully asynchronous communication mechanism" (1990), and in the three-slot mechanism of Chen and Burns,
/// "A three-slot asynchronous reader/writer mechanism for multiprocessor real-time systems" (1997).
template <class T, class Memory = StdMemory>
class Latest {
    static_assert(std::is_trivially_copyable_v<T>,
                  "the latest value is copied as bytes between threads: T must be trivially copyable");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the middle's index must be lock-free");

  public:
    using value_type = T;

    /// What is read until something was written is `first`.
    explicit Latest(const T& first = T{}) noexcept(Memory::never_throws) { slots_[reading_].value.write(first); }
    Latest(const Latest&) = delete;
    Latest& operator=(const Latest&) = delete;
    ~Latest() = default;

    /// Makes `value` the latest.
    /// Thread: the writer's only. Real-time: wait-free; no allocation, lock or system call.
    void write(const T& value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        slots_[writing_].value.write(value);
        // Release publishes the value; it pairs with the acquire in read(). Acquire pairs with the release there: the
        // reader has done with the slot that it gave back, and it may be written.
        writing_ = middle_.exchange(writing_ | is_new, std::memory_order_acq_rel) & slot_bits;
    }

    /// Copies the latest value into `value`.
    /// Thread: the reader's only. Real-time: wait-free; no allocation, lock or system call.
    /// Returns whether it was written since the last read().
    bool read(T& value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: nothing is read on its strength. Only this thread takes the mark away.
        const bool news = (middle_.load(std::memory_order_relaxed) & is_new) != 0;
        if (news) {
            // Acquire pairs with the release in write(): the value is there to be read. Release pairs with the acquire
            // there: what was read of the slot that is given back has been read.
            reading_ = middle_.exchange(reading_, std::memory_order_acq_rel) & slot_bits;
        }
        const auto copy = [&value](const T& found) noexcept { value = found; };
        slots_[reading_].value.read(copy);
        return news;
    }

  private:
    static constexpr std::uint64_t slot_bits = 3;
    static constexpr std::uint64_t is_new = 4;  // beside the slot in the middle: the reader has not had it

    /// Whole cache lines, so that who writes to one slot does not disturb who reads another.
    struct alignas(cache_line_bytes) Slot {
        typename Memory::template Cell<T> value;
    };

    std::array<Slot, 3> slots_;
    alignas(cache_line_bytes) typename Memory::template Atomic<std::uint64_t> middle_{1};
    // Each end's own slot is plain memory: nobody else looks at it.
    alignas(cache_line_bytes) std::uint64_t writing_ = 2;  // the writer's
    alignas(cache_line_bytes) std::uint64_t reading_ = 0;  // the reader's
};

}  // namespace cueline
