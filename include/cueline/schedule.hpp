// schedule.hpp: commands that wait for their frame, on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <cueline/message.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// Waiting commands, called cues, sorted by frame. Cues of the same frame keep their order of arrival, which on one
/// line is the order of their sequences. A transaction is its header followed by its members, all of one frame. Each
/// message takes one of 2048 places. One thread at a time uses it. Every call but reserve() is wait-free.
///
/// No line can take another line's share: a line holds at most 1024 places, and 16 are reserved for each line.
///
/// The schedule is a list of places, with the earliest cue first. New cues are appended to the list. The next call that
/// needs the order sorts them, and merges them into the sorted cues, from the latest on: cues that are earlier than all
/// new ones do not move.
class Schedule {
  public:
    // Before reserve():
    static constexpr std::size_t capacity = 2048;
    static constexpr std::size_t line_capacity = 1024;
    static constexpr std::size_t reserved = 16;  ///< for each line
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// A command that waits. A member of a transaction shares the fate of the header before it.
    struct alignas(cache_line_bytes) Cue {
        Message command;
        std::uint32_t arrival = 0;  ///< its number among the added cues; the schedule uses it to sort
        std::uint16_t behind = 0;   ///< how many messages it comes after the header of its transaction
        bool is_member = false;
    };

    /// For commands of lines below `lines`, which is at most max_lines.
    explicit Schedule(std::size_t lines = max_lines) noexcept : reserved_{lines * reserved} {
        std::iota(own_places_.begin(), own_places_.end(), std::uint32_t{0});
    }
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;
    ~Schedule() = default;

    /// Makes room for at least `cues` in total, of any lines, and keeps those that wait. Only for a schedule without a
    /// deadline: allocates.
    void reserve(std::size_t cues) {
        limited_ = false;
        if (cues > capacity_) grow(std::max(cues, 2 * capacity_));
    }

    /// Returns how often take_out() has looked at all cues.
    [[nodiscard]] std::uint64_t sweeps() const noexcept { return sweeps_; }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return sorted_ + added_; }

    /// Returns how many more messages of `line` fit.
    [[nodiscard]] std::size_t room(std::uint8_t line) const noexcept CUELINE_NONBLOCKING {
        const std::size_t free = capacity_ - size();
        if (!limited_) return free;
        const std::size_t reserved_for_others = reserved_ - reserved_for(line);
        return std::min(line_capacity - held_[line], free - reserved_for_others);
    }

    /// The frame of the earliest cue, or `never` if there is none.
    [[nodiscard]] std::uint64_t next_frame() noexcept CUELINE_NONBLOCKING {
        sort();
        return sorted_ == 0 ? never : at(first_).command.frame;
    }

    /// Adds a command, or a transaction's header and its members, after the cues of the same frame. All have the frame
    /// of the first. The caller has checked room(). `behind` is that of the first.
    void add(std::span<const Message> whole, std::uint16_t behind = 0) noexcept CUELINE_NONBLOCKING {
        if (capacity_ - end() < whole.size()) move_to_front();
        hold(whole.front().line, whole.size());
        bool is_member = false;
        for (const Message& command : whole) {
            cues_[places_[end()]] = {command, arrived_++, behind++, is_member};
            ++added_;
            is_member = true;
        }
    }

    /// The cue that was added last, until the next call that needs the order.
    [[nodiscard]] Message& last_added() noexcept CUELINE_NONBLOCKING { return cues_[places_[end() - 1]].command; }

    /// Takes the earliest of the cues that the last next_frame() saw. Returns a null pointer if none of them is due at
    /// `frame`. So cues that are added meanwhile, for later frames, cost no sorting. The cue stays as it is until the
    /// next add().
    const Cue* take_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        if (sorted_ == 0 || at(first_).command.frame > frame) return nullptr;
        --sorted_;
        const Cue& cue = at(first_++);
        release(cue.command.line);
        return &cue;
    }

    /// Removes all cues for which `chosen` returns true, each with the members that follow it. Calls `taken_out` with
    /// each, in the order in which they were due. This function has no CUELINE_NONBLOCKING, so that clang checks each
    /// use by its two functions.
    template <class Chosen, class TakenOut>
    void take_out(Chosen chosen, TakenOut taken_out) noexcept {
        sort();
        ++sweeps_;
        std::size_t kept = first_;
        std::size_t freed = 0;
        bool takes = false;
        for (std::size_t index = first_; index < end(); ++index) {
            const std::uint32_t place = places_[index];
            const Cue& cue = cues_[place];
            if (!cue.is_member) takes = chosen(cue);
            if (takes) {
                taken_out(cue);
                release(cue.command.line);
                free_[freed++] = place;
            } else {
                places_[kept++] = place;
            }
        }
        std::copy_n(free_, freed, places_ + kept);
        sorted_ -= freed;
    }

  private:
    /// Returns how many places are reserved for `line` and free.
    [[nodiscard]] std::size_t reserved_for(std::uint8_t line) const noexcept CUELINE_NONBLOCKING {
        return reserved - std::min<std::size_t>(held_[line], reserved);
    }
    void hold(std::uint8_t line, std::size_t messages) noexcept CUELINE_NONBLOCKING {
        reserved_ -= std::min(reserved_for(line), messages);
        held_[line] += static_cast<std::uint32_t>(messages);
    }
    void release(std::uint8_t line) noexcept CUELINE_NONBLOCKING {
        if (held_[line]-- <= reserved) ++reserved_;
    }

    [[nodiscard]] const Cue& at(std::size_t index) const noexcept CUELINE_NONBLOCKING { return cues_[places_[index]]; }
    [[nodiscard]] std::size_t end() const noexcept CUELINE_NONBLOCKING { return first_ + size(); }

    /// Sorts the cues that were added since the last call in among the others.
    void sort() noexcept CUELINE_NONBLOCKING {
        if (added_ == 0) return;
        std::uint32_t* const first = places_ + first_;
        std::uint32_t* old = first + sorted_;
        std::uint32_t* to = old + added_;
        std::sort(old, to, [this](std::uint32_t place, std::uint32_t other) noexcept {
            const Cue& cue = cues_[place];
            const Cue& other_cue = cues_[other];
            if (cue.command.frame != other_cue.command.frame) return cue.command.frame < other_cue.command.frame;
            return cue.arrival < other_cue.arrival;
        });
        std::copy(old, to, free_);
        for (const std::uint32_t* added = free_ + added_; added != free_;) {
            // At the same frame, the added cue arrived later.
            const bool old_is_later = old != first && cues_[old[-1]].command.frame > cues_[added[-1]].command.frame;
            *--to = old_is_later ? *--old : *--added;
        }
        sorted_ += added_;
        added_ = 0;
        arrived_ = 0;
    }

    /// Makes the free places before the first cue usable.
    void move_to_front() noexcept CUELINE_NONBLOCKING {
        std::rotate(places_, places_ + first_, places_ + capacity_);
        first_ = 0;
    }

    void grow(std::size_t cues) {
        More more{cues};
        move_to_front();
        std::copy_n(cues_, capacity_, more.cues.data());
        std::copy_n(places_, capacity_, more.places.data());
        std::iota(more.places.begin() + static_cast<std::ptrdiff_t>(capacity_), more.places.end(),
                  static_cast<std::uint32_t>(capacity_));
        more_ = std::move(more);
        cues_ = more_.cues.data();
        places_ = more_.places.data();
        free_ = more_.free.data();
        capacity_ = cues;
    }

    std::array<Cue, capacity> own_cues_;
    std::array<std::uint32_t, capacity> own_places_;
    std::array<std::uint32_t, capacity> own_free_;

    /// What replaces these arrays after reserve().
    struct More {
        More() = default;
        explicit More(std::size_t count) : cues(count), places(count), free(count) {}
        std::vector<Cue> cues;
        std::vector<std::uint32_t> places;
        std::vector<std::uint32_t> free;
    };
    More more_;

    std::size_t capacity_ = capacity;
    Cue* cues_ = own_cues_.data();
    // A permutation of all places: from first_ on those of the sorted cues, then those of the added cues in the order
    // of their arrival. All others are free.
    std::uint32_t* places_ = own_places_.data();
    std::uint32_t* free_ = own_free_.data();  // scratch space while places move
    std::size_t first_ = 0;
    std::size_t sorted_ = 0;
    std::size_t added_ = 0;
    std::uint32_t arrived_ = 0;
    std::array<std::uint32_t, max_lines> held_{};  // places, by line
    std::size_t reserved_;                         // free places that are reserved for one line each
    std::uint64_t sweeps_ = 0;
    bool limited_ = true;  // until reserve()
};

}  // namespace cueline
