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

/// Whether a command is one of a transaction's, behind its header. Thread: any. Real-time: wait-free.
inline bool is_member(const Message& command) noexcept CUELINE_NONBLOCKING {
    return (command.flags & delivery::member) != 0;
}

/// Up to 1024 commands, called cues here, ordered by frame, and those of one frame by arrival: on one line that is by
/// sequence. Plain memory, of one thread. A transaction lies in it as its header with its members behind it, all of one
/// frame.
///
/// It is a sorted list of places, the earliest cue's last, so that the next one is at hand and an insertion moves two
/// bytes a cue: 2 KiB at most. A heap would compare less and remove a cancelled cue, or a transaction, with more pains.
/// Real-time: every call is wait-free; the longest touches each cue once.
class Schedule {
  public:
    static constexpr std::size_t capacity = 1024;
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    Schedule() noexcept { std::iota(places_.begin(), places_.end(), std::uint16_t{0}); }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return size_; }
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING { return capacity - size_; }

    /// The frame of the earliest cue; `never` when there is none.
    [[nodiscard]] std::uint64_t next_frame() const noexcept CUELINE_NONBLOCKING {
        return size_ == 0 ? never : at(size_ - 1).frame;
    }

    /// Adds `cue` behind those of its frame. There is room for it.
    void add(const Message& cue) noexcept CUELINE_NONBLOCKING {
        const std::uint16_t place = places_[size_];
        cues_[place] = cue;
        keys_[place] = is_member(cue) ? none : key(cue.line, cue.sequence);
        // The later ones stay in front: most cues come after those that wait, and all move up behind them.
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

    /// Takes the earliest cue into `cue`. Returns false when it is for a frame after `frame`, or there is none.
    bool take_due(std::uint64_t frame, Message& cue) noexcept CUELINE_NONBLOCKING {
        if (size_ == 0 || next_frame() > frame) return false;
        cue = at(--size_);
        return true;
    }

    /// Takes out the cue of that sequence on that line, with the members behind it, and calls `taken_out` with each, in
    /// the order in which they were due. A member is not found by itself. Does nothing when there is none.
    /// It bears no mark of its own, so that clang judges each use by what is called.
    template <class TakenOut>
    void take_out_one(std::uint8_t line, std::uint32_t sequence, TakenOut taken_out) noexcept {
        // Its key is looked for in 8 KiB rather than in the cues' 56: a whole budget of cancels is to fit into a block.
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

    /// Takes out all cues that `chosen` says true of, likewise.
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
    static constexpr std::uint64_t none = 0;  // no line's first command has this key: it has a sequence

    static constexpr std::uint64_t key(std::uint8_t line, std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
        return std::uint64_t{line} << 32U | sequence;
    }

    [[nodiscard]] const Message& at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return cues_[places_[index]];
    }

    std::array<Message, capacity> cues_;
    std::array<std::uint64_t, capacity> keys_{};  // of the cues by their places, none of members
    // A permutation of all places: first those of the cues, the latest one's first; from size_ on the free ones.
    std::array<std::uint16_t, capacity> places_;
    std::size_t size_ = 0;
};

}  // namespace cueline
