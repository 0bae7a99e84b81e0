// beat_list.hpp: the order of the cues that wait for a beat, on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <cueline/message.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// A command that waits in a schedule. A member of a transaction is applied or cancelled together with the header
/// before it.
struct alignas(cache_line_bytes) Cue {
    Message command;
    std::uint32_t arrival = 0;  ///< its number among the added cues; the schedule uses it to sort
    std::uint16_t behind = 0;   ///< its distance from the header of its transaction, in messages
    bool is_member = false;
};

/// Sorts the new places, from `added` up to `end`, by the times of their cues and then by arrival. A time is a frame,
/// or the bits of a beat. Then merges them into the places from `first` up to `added`, which are sorted already and
/// arrived earlier. Cues that are earlier than all new ones do not move. `scratch` has room for the new ones.
inline void sort_in(const Cue* cues, const std::uint32_t* first, std::uint32_t* added, std::uint32_t* end,
                    std::uint32_t* scratch) noexcept CUELINE_NONBLOCKING {
    std::sort(added, end, [cues](std::uint32_t place, std::uint32_t other) noexcept {
        const Cue& cue = cues[place];
        const Cue& other_cue = cues[other];
        if (cue.command.frame != other_cue.command.frame) return cue.command.frame < other_cue.command.frame;
        return cue.arrival < other_cue.arrival;
    });
    const auto count = static_cast<std::size_t>(end - added);
    std::copy(added, end, scratch);
    std::uint32_t* old = added;
    for (const std::uint32_t* next = scratch + count; next != scratch;) {
        // At the same time, the added cue arrived later.
        const bool old_is_later = old != first && cues[old[-1]].command.frame > cues[next[-1]].command.frame;
        *--end = old_is_later ? *--old : *--next;
    }
}

/// The places of the cues that wait for a beat, sorted by their beats. A Schedule owns the cues and their places.
///
/// The list has a gap at the position of the timeline. The cues after the gap are still to come, and the next one is
/// taken from there. The cues before the gap have been passed by the timeline. They are late, or come again in a loop.
/// So the order of the cues stays whatever the timeline does: only the gap moves.
class BeatList {
  public:
    explicit BeatList(std::size_t capacity, std::uint32_t* places) noexcept : places_{places}, capacity_{capacity} {}

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return (gap_ - first_) + (end_ - next_); }

    /// Adds the place of a cue. Cues of one beat keep the order in which they were added.
    void add(std::uint32_t place, Cue& cue) noexcept CUELINE_NONBLOCKING {
        if (end_ == capacity_) move_to_front();
        cue.arrival = arrived_++;
        places_[end_++] = place;
        ++added_;
    }

    /// Moves the gap to `beat`: cues whose beat has lower bits have been passed, and the others come.
    void seek(std::uint64_t beat) noexcept CUELINE_NONBLOCKING {
        moves_ = moves_ || beat != beat_;
        beat_ = beat;
    }

    /// Sorts the added cues in, and moves the gap to its place. Call it before the functions below.
    void order(const Cue* cues, std::uint32_t* scratch) noexcept CUELINE_NONBLOCKING {
        if (added_ == 0 && !moves_) return;
        close_gap();
        sort_in(cues, places_ + first_, places_ + end_ - added_, places_ + end_, scratch);
        added_ = 0;
        arrived_ = 0;
        moves_ = false;
        gap_ = next_ = static_cast<std::size_t>(
            std::lower_bound(places_ + first_, places_ + end_, beat_,
                             [cues](std::uint32_t place, std::uint64_t beat) noexcept
                             CUELINE_NONBLOCKING { return cues[place].command.frame < beat; }) -
            places_);
    }

    /// The cues on one side of the gap.
    enum class Half : std::uint8_t { passed, coming };

    [[nodiscard]] std::size_t count(Half half) const noexcept CUELINE_NONBLOCKING {
        return half == Half::passed ? gap_ - first_ : end_ - added_ - next_;
    }
    [[nodiscard]] std::uint32_t first(Half half) const noexcept CUELINE_NONBLOCKING {
        return places_[half == Half::passed ? first_ : next_];
    }
    /// Removes and returns the first place of a half that is not empty.
    std::uint32_t take(Half half) noexcept CUELINE_NONBLOCKING {
        return places_[half == Half::passed ? first_++ : next_++];
    }

    /// Calls `takes` with each place, in order. Removes those for which it returns true.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `takes`.
    template <class Takes>
    void take_out(Takes takes) noexcept {
        std::size_t kept = first_;
        for (std::size_t index = first_; index < gap_; ++index) {
            if (!takes(places_[index])) places_[kept++] = places_[index];
        }
        gap_ = kept;
        kept = next_;
        for (std::size_t index = next_; index < end_; ++index) {
            if (!takes(places_[index])) places_[kept++] = places_[index];
        }
        end_ = kept;
    }

    /// Moves the list to larger memory. The old memory must still be there.
    void move_to(std::size_t capacity, std::uint32_t* places) noexcept {
        std::copy(places_, places_ + end_, places);
        places_ = places;
        capacity_ = capacity;
    }

  private:
    void close_gap() noexcept CUELINE_NONBLOCKING {
        if (gap_ == next_) return;
        std::copy_backward(places_ + first_, places_ + gap_, places_ + next_);
        first_ += next_ - gap_;
        gap_ = next_;
    }

    /// Moves all places to the front, so that there is room at the end. A schedule lends no more places than there are.
    void move_to_front() noexcept CUELINE_NONBLOCKING {
        close_gap();
        std::copy(places_ + first_, places_ + end_, places_);
        gap_ -= first_;
        next_ = gap_;
        end_ -= first_;
        first_ = 0;
    }

    // Places, in this order: from first_ up to gap_ the passed cues, from next_ on the coming ones and then the added
    // ones, up to end_.
    std::uint32_t* places_;
    std::size_t capacity_;
    std::size_t first_ = 0;
    std::size_t gap_ = 0;
    std::size_t next_ = 0;
    std::size_t end_ = 0;
    std::size_t added_ = 0;
    std::uint32_t arrived_ = 0;
    std::uint64_t beat_ = 0;
    bool moves_ = false;
};

}  // namespace cueline
