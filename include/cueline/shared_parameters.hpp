// shared_parameters.hpp: numbers that control threads write and the audio thread reads, with marks of those that
// changed.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/ring.hpp>

namespace cueline {

/// A word in memory that control side and audio side share. In zeroed memory, it is 0.
template <class Memory = StdMemory>
struct SharedWord {
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a parameter must be lock-free");

    typename Memory::template Atomic<std::uint64_t> bits{0};
};

/// A view of the numbers. Any number of threads write and read them; one thread, the audio thread, takes what was
/// written. The time for that grows with what was written: other numbers cost nothing.
///
/// A writer stores its number, then sets that number's bit in a dirty word, then that word's bit in the summary. The
/// audio thread takes the words whose bit in the summary is set, and one further word at each call, in turn: a writer
/// in another process may die between the two bits. Indices and counts are the view's own: whatever a damaged writer
/// leaves in shared memory, no access leaves the spans.
template <class Memory = StdMemory>
class SharedParameters {
  public:
    using Word = SharedWord<Memory>;

    static constexpr std::size_t word_bits = 64;
    static constexpr std::size_t max_size = word_bits * word_bits;  ///< one summary has no more bits

    /// How many dirty words `size` numbers need.
    static constexpr std::size_t dirty_words(std::size_t size) noexcept { return (size + word_bits - 1) / word_bits; }

    /// A view of nothing.
    SharedParameters() noexcept = default;

    /// `dirty` has dirty_words() words for the `values`, at most max_size. What the spans refer to must outlive the
    /// view.
    SharedParameters(std::span<Word> values, std::span<Word> dirty, Word& summary) noexcept
        : values_{values}, dirty_{dirty}, summary_{&summary} {}

    /// A view of the first `size` numbers, which must be there.
    [[nodiscard]] SharedParameters first(std::size_t size) const noexcept {
        if (size == 0) return {};
        return {values_.first(size), dirty_.first(dirty_words(size)), *summary_};
    }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return values_.size(); }

    /// Sets a number without a mark. [control thread, before the audio thread takes anything]
    void set_default(std::size_t place, double value) const noexcept(Memory::never_throws) { store(place, value); }

    /// `place` must be below size(). [any thread, wait-free]
    void write(std::size_t place, double value) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        store(place, value);
        mark(place / word_bits, std::uint64_t{1} << (place % word_bits));
        publish(std::uint64_t{1} << (place / word_bits));
    }

    /// Writes `values` to the places from `first` on, which must be there. Each is whole by itself: the audio thread
    /// may take some of them in one block and the others in the next. [any thread, wait-free]
    void write(std::size_t first, std::span<const double> values) const noexcept(Memory::never_throws)
        CUELINE_NONBLOCKING {
        std::uint64_t words = 0;
        while (!values.empty()) {
            const std::size_t word = first / word_bits;
            const std::size_t bit = first % word_bits;
            const std::size_t here = std::min(word_bits - bit, values.size());  // in this word
            for (std::size_t index = 0; index < here; ++index) store(first + index, values[index]);
            // NOLINTNEXTLINE(clang-analyzer-core.BitwiseShift): `here` is at least 1
            mark(word, (~std::uint64_t{0} >> (word_bits - here)) << bit);
            words |= std::uint64_t{1} << word;
            first += here;
            values = values.subspan(here);
        }
        if (words != 0) publish(words);
    }

    /// If the number is still `known`, replaces it by `value`, which the audio thread has set, so that get() returns
    /// that. It makes no mark, so take() does not give the number back. If somebody has written another number
    /// meanwhile, that number stays: its mark was just made, or follows. Returns whether the number was `known`. [audio
    /// thread, wait-free]
    [[nodiscard]] bool show(std::size_t place, double known, double value) const noexcept(Memory::never_throws)
        CUELINE_NONBLOCKING {
        auto expected = std::bit_cast<std::uint64_t>(known);
        // Relaxed: no other data is read because of it.
        return values_[place].bits.compare_exchange_strong(expected, std::bit_cast<std::uint64_t>(value),
                                                           std::memory_order_relaxed, std::memory_order_relaxed);
    }

    /// The number that was written last. It may be out of date. [any thread]
    [[nodiscard]] double get(std::size_t place) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: no other data is read because of it. A mark's acquire orders it after the number that was marked.
        return std::bit_cast<double>(values_[place].bits.load(std::memory_order_relaxed));
    }

    /// Calls `taken(place, value)` for each number that was written since the last call. Writing the same number again
    /// counts. A number that is written at the same time may be given twice. `turn` is a number that the caller keeps
    /// between the calls, 0 at first.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `taken`. [audio thread,
    /// wait-free]
    template <class Taken>
    void take(std::size_t& turn, Taken&& taken) const noexcept(Memory::never_throws) {
        if (dirty_.empty()) return;
        std::uint64_t words = 0;
        // Relaxed: the exchange orders. If this load is late, the next call finds the words.
        if (summary_->bits.load(std::memory_order_relaxed) != 0) {
            // Acquire pairs with the release in publish(): the words have their marks.
            words = summary_->bits.exchange(0, std::memory_order_acquire);
            words &= ~std::uint64_t{0} >> (word_bits - dirty_.size());
        }
        turn = turn + 1 < dirty_.size() ? turn + 1 : 0;
        words |= std::uint64_t{1} << turn;
        for (; words != 0; words &= words - 1) take_word(static_cast<std::size_t>(std::countr_zero(words)), taken);
    }

  private:
    void store(std::size_t place, double value) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Relaxed: the mark publishes it.
        values_[place].bits.store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);
    }

    void mark(std::size_t word, std::uint64_t bits) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Release publishes the numbers; it pairs with the acquire in take_word().
        dirty_[word].bits.fetch_or(bits, std::memory_order_release);
    }

    void publish(std::uint64_t words) const noexcept(Memory::never_throws) CUELINE_NONBLOCKING {
        // Release publishes the marks; it pairs with the acquire in take().
        summary_->bits.fetch_or(words, std::memory_order_release);
    }

    template <class Taken>
    void take_word(std::size_t word, Taken& taken) const noexcept(Memory::never_throws) {
        // Relaxed: the exchange orders. The summary's acquire, if it named this word, lets this load see the mark.
        if (dirty_[word].bits.load(std::memory_order_relaxed) == 0) return;
        // Acquire pairs with the release in mark(): each number is at least as new as its mark. If it is newer, its own
        // mark follows, and the number is given once more.
        std::uint64_t bits = dirty_[word].bits.exchange(0, std::memory_order_acquire);
        for (; bits != 0; bits &= bits - 1) {
            const std::size_t place = word * word_bits + static_cast<std::size_t>(std::countr_zero(bits));
            if (place < values_.size()) taken(place, get(place));
        }
    }

    std::span<Word> values_;
    std::span<Word> dirty_;
    Word* summary_ = nullptr;
};

}  // namespace cueline
