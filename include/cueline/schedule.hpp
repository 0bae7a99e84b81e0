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

    /// Takes out all cues that `chosen` says true of, in the order in which they were due, and calls `taken_out` with
    /// each. It bears no mark of its own, so that clang judges each use by the two.
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

    [[nodiscard]] const Message& at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return cues_[places_[index]];
    }

    std::array<Message, capacity> cues_;
    // A permutation of all places: first those of the cues, the latest one's first; from size_ on the free ones.
    std::array<std::uint16_t, capacity> places_;
    std::size_t size_ = 0;
};

}  // namespace cueline
