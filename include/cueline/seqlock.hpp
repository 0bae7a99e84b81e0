// seqlock.hpp: the latest value from one thread to any number of others, of any width, never torn.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <cueline/ring.hpp>

namespace cueline {

/// One thread writes as often as it likes, and any number of threads read the newest whole value. It holds no pointer
/// and never allocates. In zeroed memory, its value is a T of zeros. write() is wait-free, and has no
/// read-modify-write. read() tries a bounded number of times.
///
/// It is a seqlock with two copies, as Linux's seqcount_latch: the writer fills the copy that no reader looks at, and
/// then counts the write. A reader looks at the copy that the count names. If the count is still the same afterwards,
/// the writer had not begun to fill that copy again. So a writer that is interrupted, or that dies, stops no reader.
/// The copies consist of atomic words with acquire and release, as in Boehm, "Can seqlocks get along with programming
/// language memory models?" (2012), without fences: the thread sanitizer does not support those.
template <class T, class Memory = StdMemory>
class Seqlock {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0,
                  "the value is copied in words of 64 bits: T must be trivially copyable, and consist of whole words");
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the words must be lock-free");

  public:
    using value_type = T;

    /// How often read() tries. It tries again only if the writer published a value meanwhile.
    static constexpr int max_tries = 1000;

    Seqlock() noexcept(Memory::never_throws) = default;

    /// Makes `value` the latest. [one thread at a time]
    void write(const T& value) noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        const std::uint64_t next = count_.bits.load(std::memory_order_relaxed) + 1;  // relaxed: only the writer stores
        const auto words = std::bit_cast<Words>(value);
        Copy& copy = copies_[next % 2];
        for (std::size_t index = 0; index < words.size(); ++index) {
            // Release publishes the last count with the first word that follows it. It pairs with the acquire of the
            // words in read(): a reader that finds a word of this write sees that the count has changed.
            copy[index].bits.store(words[index], std::memory_order_release);
        }
        // Release publishes the words; it pairs with the acquire of the count in read().
        count_.bits.store(next, std::memory_order_release);
    }

    /// Copies the latest value into `value` and returns true. Returns false, and leaves `value` as it is, if the writer
    /// published a value during each of the `tries`. [any thread]
    bool read(T& value, int tries = max_tries) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        Words words;
        if (!read_words(words, tries)) return false;
        value = std::bit_cast<T>(words);
        return true;
    }

    /// Does the same with the first words of the value only, at most all of them. If it returns false, the content of
    /// `words` is no value. [any thread]
    [[nodiscard]] bool read_words(std::span<std::uint64_t> words, int tries = max_tries) const
        noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        for (; tries > 0; --tries) {
            // Acquire pairs with the release of the count in write(): the words are at least as new as this count.
            const std::uint64_t count = count_.bits.load(std::memory_order_acquire);
            const Copy& copy = copies_[count % 2];
            for (std::size_t index = 0; index < words.size(); ++index) {
                // Acquire pairs with the release of the words in write(): see there.
                words[index] = copy[index].bits.load(std::memory_order_acquire);
            }
            // Relaxed: the acquire of the words keeps this load behind them.
            if (count_.bits.load(std::memory_order_relaxed) == count) return true;
        }
        return false;
    }

  private:
    struct Word {
        typename Memory::template Atomic<std::uint64_t> bits{0};
    };
    using Words = std::array<std::uint64_t, sizeof(T) / sizeof(std::uint64_t)>;
    using Copy = std::array<Word, sizeof(T) / sizeof(std::uint64_t)>;

    Word count_;  // of the writes. The latest value is in the copy with this number, modulo 2
    std::array<Copy, 2> copies_;
};

}  // namespace cueline
