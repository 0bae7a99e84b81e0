// schedule.hpp: commands that wait for their frame or their beat, on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include <cueline/beat_list.hpp>
#include <cueline/message.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// Waiting commands, called cues: those of a frame, sorted by frame, and those of a beat, sorted by beat. Cues of the
/// same frame or beat keep their order of arrival, which on one line is the order of their sequences. A transaction is
/// its header followed by its members, all of one frame or beat. Each message takes one of 2048 places. One thread at a
/// time uses it. Every call but reserve() is wait-free.
///
/// No line can take another line's share: a line holds at most 1024 places, and 16 are reserved for each line.
///
/// The cues of frames are a list of places, with the earliest cue first. New cues are appended to the list. The next
/// call that needs the order sorts them, and merges them into the sorted cues. The cues of beats are a list of their
/// own: see BeatList. It borrows free places from the first list.
class Schedule {
  public:
    // Before reserve():
    static constexpr std::size_t capacity = 2048;
    static constexpr std::size_t line_capacity = 1024;
    static constexpr std::size_t reserved = 16;  ///< for each line
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    using Cue = cueline::Cue;

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

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return sorted_ + added_ + beats_.size(); }

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

    /// Adds a command, or a transaction's header and its members, after the cues of the same frame. All get the frame
    /// of the first. The caller has checked room(). `behind` is Cue::behind of the first.
    void add(std::span<const Message> whole, std::uint16_t behind = 0) noexcept CUELINE_NONBLOCKING {
        if (limit_ - end() < whole.size()) move_to_front();
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

    // The cues of beats. Their `command.frame` holds the bits of the beat, which is a double of 0 or more: such bits
    // have the order of the numbers.

    [[nodiscard]] bool has_beats() const noexcept CUELINE_NONBLOCKING { return beats_.size() > 0; }

    /// Adds a command or a transaction of a beat. The rules are those of add().
    void add_beat(std::span<const Message> whole) noexcept CUELINE_NONBLOCKING {
        hold(whole.front().line, whole.size());
        std::uint16_t behind = 0;
        for (const Message& command : whole) {
            if (limit_ == end()) move_to_front();
            const std::uint32_t place = places_[--limit_];
            cues_[place] = {command, 0, behind, behind > 0};
            beats_.add(place, cues_[place]);
            ++behind;
        }
    }

    /// Sets the position of the timeline to `beat`: the cues of beats with lower bits are passed, and the others come.
    /// Passed cues are kept until take_passed() takes them, or until a later call says that they come.
    void seek(std::uint64_t beat) noexcept CUELINE_NONBLOCKING { beats_.seek(beat); }

    /// The bits of the earliest beat for which a cue comes, or `never` if none does.
    [[nodiscard]] std::uint64_t next_beat() noexcept CUELINE_NONBLOCKING {
        order_beats();
        constexpr auto coming = BeatList::Half::coming;
        return beats_.count(coming) == 0 ? never : cues_[beats_.first(coming)].command.frame;
    }

    /// Takes the first of the cues of next_beat(), of which there must be one, with the members that follow it. They go
    /// to `whole`, which has room for a transaction. Returns how many messages these are. All are taken together,
    /// because a command of the timeline among them may move the cues that still wait.
    std::size_t take_beat(std::span<Cue> whole) noexcept CUELINE_NONBLOCKING {
        return take_first(BeatList::Half::coming, whole);
    }

    /// Does the same with the earliest of the passed cues, if its beat has lower bits than `beat`. Else returns 0.
    std::size_t take_passed(std::uint64_t beat, std::span<Cue> whole) noexcept CUELINE_NONBLOCKING {
        order_beats();
        constexpr auto passed = BeatList::Half::passed;
        const bool none = beats_.count(passed) == 0 || cues_[beats_.first(passed)].command.frame >= beat;
        return none ? 0 : take_first(passed, whole);
    }

    /// Removes all cues for which `chosen` returns true, each with the members that follow it. Calls `taken_out` with
    /// each: first with those of frames, then with those of beats, in the order in which they were due. This function
    /// has no CUELINE_NONBLOCKING, so that clang checks each use by its two functions.
    template <class Chosen, class TakenOut>
    void take_out(Chosen chosen, TakenOut taken_out) noexcept {
        sort();
        order_beats();
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
        beats_.take_out([&](std::uint32_t place) noexcept {
            const Cue& cue = cues_[place];
            if (!cue.is_member) takes = chosen(cue);
            if (!takes) return false;
            taken_out(cue);
            give_back(place);
            return true;
        });
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
    [[nodiscard]] std::size_t end() const noexcept CUELINE_NONBLOCKING { return first_ + size_of_frames(); }
    [[nodiscard]] std::size_t size_of_frames() const noexcept CUELINE_NONBLOCKING { return sorted_ + added_; }

    void order_beats() noexcept CUELINE_NONBLOCKING { beats_.order(cues_, free_); }

    /// Takes the first cue of a half that is not empty, with its members.
    std::size_t take_first(BeatList::Half half, std::span<Cue> whole) noexcept CUELINE_NONBLOCKING {
        std::size_t count = 0;
        do {
            whole[count++] = taken(beats_.take(half));
        } while (count < whole.size() && beats_.count(half) > 0 && cues_[beats_.first(half)].is_member);
        return count;
    }

    /// Frees the place of a beat's cue. The cue itself stays as it is until the next call that adds one.
    void give_back(std::uint32_t place) noexcept CUELINE_NONBLOCKING {
        places_[limit_++] = place;
        release(cues_[place].command.line);
    }
    const Cue& taken(std::uint32_t place) noexcept CUELINE_NONBLOCKING {
        give_back(place);
        return cues_[place];
    }

    /// Sorts the cues that were added since the last call in among the others.
    void sort() noexcept CUELINE_NONBLOCKING {
        if (added_ == 0) return;
        std::uint32_t* const first = places_ + first_;
        sort_in(cues_, first, first + sorted_, first + size_of_frames(), free_);
        sorted_ += added_;
        added_ = 0;
        arrived_ = 0;
    }

    /// Makes the free places before the first cue usable.
    void move_to_front() noexcept CUELINE_NONBLOCKING {
        std::rotate(places_, places_ + first_, places_ + limit_);
        first_ = 0;
    }

    void grow(std::size_t cues) {
        More more{cues};
        move_to_front();
        std::copy_n(cues_, capacity_, more.cues.data());
        std::copy_n(places_, limit_, more.places.data());
        const std::size_t added = cues - capacity_;
        std::iota(more.places.data() + limit_, more.places.data() + limit_ + added,
                  static_cast<std::uint32_t>(capacity_));
        limit_ += added;
        beats_.move_to(cues, more.beats.data());
        more_ = std::move(more);
        cues_ = more_.cues.data();
        places_ = more_.places.data();
        free_ = more_.free.data();
        capacity_ = cues;
    }

    std::array<Cue, capacity> own_cues_;
    std::array<std::uint32_t, capacity> own_places_;
    std::array<std::uint32_t, capacity> own_beats_;
    std::array<std::uint32_t, capacity> own_free_;

    /// What replaces these arrays after reserve().
    struct More {
        More() = default;
        explicit More(std::size_t count) : cues(count), places(count), beats(count), free(count) {}
        std::vector<Cue> cues;
        std::vector<std::uint32_t> places;
        std::vector<std::uint32_t> beats;
        std::vector<std::uint32_t> free;
    };
    More more_;

    std::size_t capacity_ = capacity;
    Cue* cues_ = own_cues_.data();
    // All places but those of beats_: from first_ on those of the sorted cues of frames, then those of the added cues
    // in the order of their arrival. All others below limit_ are free.
    std::uint32_t* places_ = own_places_.data();
    std::size_t limit_ = capacity;
    std::uint32_t* free_ = own_free_.data();  // scratch space while places move
    std::size_t first_ = 0;
    std::size_t sorted_ = 0;
    std::size_t added_ = 0;
    std::uint32_t arrived_ = 0;
    BeatList beats_{capacity, own_beats_.data()};
    std::array<std::uint32_t, max_lines> held_{};  // places, by line
    std::size_t reserved_;                         // free places that are reserved for one line each
    std::uint64_t sweeps_ = 0;
    bool limited_ = true;  // until reserve()
};

}  // namespace cueline
