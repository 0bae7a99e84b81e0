// schedule.hpp: commands that wait for their frame, on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>

#include <cueline/message.hpp>

namespace cueline {

/// Whether a command belongs to a transaction and follows its header.
inline bool is_member(const Message& command) noexcept CUELINE_NONBLOCKING {
    return (command.flags & delivery::member) != 0;
}

/// Up to 1024 waiting commands, called cues, sorted by frame. Cues of the same frame keep their order of arrival, which
/// on one line is the order of their sequences. A transaction is its header followed by its members, all of one frame.
/// It is plain memory for one thread. Every call is wait-free; the longest touches each cue once.
///
/// The schedule is a sorted list of places, with the earliest cue last. So the next cue is at hand, and an insertion
/// moves two bytes per cue, 2 KiB at most. A heap would compare less, but a cancelled cue or a transaction would be
/// harder to remove.
class Schedule {
  public:
    static constexpr std::size_t capacity = 1024;
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    Schedule() noexcept { std::iota(places_.begin(), places_.end(), std::uint16_t{0}); }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return size_; }
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING { return capacity - size_; }

    /// The frame of the earliest cue, or `never` if there is none.
    [[nodiscard]] std::uint64_t next_frame() const noexcept CUELINE_NONBLOCKING {
        return size_ == 0 ? never : at(size_ - 1).frame;
    }

    /// Adds `cue` after those of the same frame. The caller has checked room().
    void add(const Message& cue) noexcept CUELINE_NONBLOCKING {
        const std::uint16_t place = places_[size_];
        cues_[place] = cue;
        keys_[place] = is_member(cue) ? none : key(cue.line, cue.sequence);
        // Later cues come first in the list. Most new cues are later than all others, so all others move up.
        const auto later = [this](std::uint16_t other, std::uint64_t frame) noexcept {
            return cues_[other].frame > frame;
        };
        std::uint16_t* const begin = places_.data();
        std::uint16_t* const end = begin + size_;
        std::uint16_t* const where = std::lower_bound(begin, end, cue.frame, later);
        std::copy_backward(where, end, end + 1);
        *where = place;
        ++size_;
    }

    /// Takes the earliest cue into `cue`. Returns false if there is none up to `frame`.
    bool take_due(std::uint64_t frame, Message& cue) noexcept CUELINE_NONBLOCKING {
        if (size_ == 0 || next_frame() > frame) return false;
        cue = at(--size_);
        return true;
    }

    /// Removes the cue with this sequence on this line, and the members that follow it. Calls `taken_out` with each, in
    /// the order in which they were due. Does nothing if there is no such cue, or if it is a member.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `taken_out`.
    template <class TakenOut>
    void take_out_one(std::uint8_t line, std::uint32_t sequence, TakenOut taken_out) noexcept {
        // The search reads 8 KiB of keys, not the 56 KiB of cues: a whole budget of cancels must fit into a block.
        std::size_t last = size_;
        while (last > 0 && keys_[places_[last - 1]] != key(line, sequence)) --last;
        if (last == 0 || sequence == 0) return;
        std::size_t first = last - 1;
        taken_out(at(first));
        while (first > 0 && is_member(at(first - 1))) taken_out(at(--first));
        const std::size_t count = last - first;
        std::array<std::uint16_t, capacity> free;
        std::uint16_t* const begin = places_.data();
        std::copy_n(begin + first, count, free.data());
        std::copy_n(free.data(), count, std::copy(begin + last, begin + size_, begin + first));
        size_ -= count;
    }

    /// Removes all cues for which `chosen` returns true. Calls `taken_out` with each, in the order in which they were
    /// due. This function has no CUELINE_NONBLOCKING, so that clang checks each use by its two functions.
    template <class Chosen, class TakenOut>
    void take_out(Chosen chosen, TakenOut taken_out) noexcept {
        std::array<std::uint16_t, capacity> free;
        std::size_t freed = 0;
        for (std::size_t index = size_; index-- > 0;) {
            if (!chosen(at(index))) continue;
            free[freed++] = places_[index];
            taken_out(at(index));
            places_[index] = nowhere;
        }
        std::uint16_t* const end = std::remove(places_.data(), places_.data() + size_, nowhere);
        std::copy_n(free.data(), freed, end);
        size_ -= freed;
    }

  private:
    static constexpr std::uint16_t nowhere = capacity;
    static constexpr std::uint64_t none = 0;  // no command has this key: sequences begin at 1

    static constexpr std::uint64_t key(std::uint8_t line, std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
        return std::uint64_t{line} << 32U | sequence;
    }

    [[nodiscard]] const Message& at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return cues_[places_[index]];
    }

    std::array<Message, capacity> cues_;
    std::array<std::uint64_t, capacity> keys_{};  // one per place: the cue's key, or `none` for a member
    // A permutation of all places: first those of the cues, the latest first; from size_ on, the free places.
    std::array<std::uint16_t, capacity> places_;
    std::size_t size_ = 0;
};

}  // namespace cueline
