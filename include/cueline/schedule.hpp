// schedule.hpp: commands that wait for their frame, on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include <cueline/message.hpp>

namespace cueline {

/// Whether a command belongs to a transaction and follows its header.
inline bool is_member(const Message& command) noexcept CUELINE_NONBLOCKING {
    return (command.flags & delivery::member) != 0;
}

/// Waiting commands, called cues, sorted by frame: up to 1024, or as many as reserve() makes room for. Cues of the same
/// frame keep their order of arrival, which on one line is the order of their sequences. A transaction is its header
/// followed by its members, all of one frame. One thread at a time uses it. Every call but reserve() is wait-free.
///
/// The schedule is a list of places, with the earliest cue first. New cues are appended to the list. The next call that
/// needs the order sorts them, and merges them into the sorted cues, from the latest on: cues that are earlier than all
/// new ones do not move.
class Schedule {
  public:
    static constexpr std::size_t capacity = 1024;  ///< before reserve()
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    Schedule() noexcept { std::iota(own_places_.begin(), own_places_.end(), std::uint32_t{0}); }
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;
    ~Schedule() = default;

    /// Makes room for at least `cues` in total, and keeps those that wait. Only for a schedule without a deadline:
    /// allocates.
    void reserve(std::size_t cues) {
        if (cues > capacity_) grow(std::max(cues, 2 * capacity_));
    }

    [[nodiscard]] std::size_t size() const noexcept CUELINE_NONBLOCKING { return sorted_ + added_; }
    [[nodiscard]] std::size_t room() const noexcept CUELINE_NONBLOCKING { return capacity_ - size(); }

    /// The frame of the earliest cue, or `never` if there is none.
    [[nodiscard]] std::uint64_t next_frame() noexcept CUELINE_NONBLOCKING {
        sort();
        return sorted_ == 0 ? never : at(first_).frame;
    }

    /// Adds `cue` after those of the same frame. The caller has checked room().
    void add(const Message& cue) noexcept CUELINE_NONBLOCKING {
        if (end() == capacity_) move_to_front();
        const std::uint32_t place = places_[end()];
        cues_[place] = cue;
        keys_[place] = is_member(cue) ? none : key(cue.line, cue.sequence);
        arrivals_[place] = arrived_++;
        ++added_;
    }

    /// Takes the earliest cue into `cue`. Returns false if there is none up to `frame`.
    bool take_due(std::uint64_t frame, Message& cue) noexcept CUELINE_NONBLOCKING {
        if (size() == 0 || next_frame() > frame) return false;
        cue = at(first_++);
        --sorted_;
        return true;
    }

    /// Removes the cue with this sequence on this line, and the members that follow it. Calls `taken_out` with each, in
    /// the order in which they were due. Does nothing if there is no such cue, or if it is a member.
    /// This function has no CUELINE_NONBLOCKING, so that clang checks each use by its `taken_out`.
    template <class TakenOut>
    void take_out_one(std::uint8_t line, std::uint32_t sequence, TakenOut taken_out) noexcept {
        // The search reads 8 KiB of keys, not the 56 KiB of cues: a whole budget of cancels must fit into a block.
        std::size_t index = first_;
        while (index < end() && keys_[places_[index]] != key(line, sequence)) ++index;
        if (index == end() || sequence == 0) return;
        std::size_t behind = index;
        do taken_out(at(behind++));
        while (behind < end() && is_member(at(behind)));
        const std::size_t count = behind - index;
        std::copy_n(places_ + index, count, free_);
        std::copy_n(free_, count, std::copy(places_ + behind, places_ + end(), places_ + index));
        (index < first_ + sorted_ ? sorted_ : added_) -= count;
    }

    /// Removes all cues for which `chosen` returns true. Calls `taken_out` with each, in the order in which they were
    /// due. This function has no CUELINE_NONBLOCKING, so that clang checks each use by its two functions.
    template <class Chosen, class TakenOut>
    void take_out(Chosen chosen, TakenOut taken_out) noexcept {
        sort();
        std::size_t kept = first_;
        std::size_t freed = 0;
        for (std::size_t index = first_; index < end(); ++index) {
            const std::uint32_t place = places_[index];
            if (chosen(at(index))) {
                taken_out(at(index));
                free_[freed++] = place;
            } else {
                places_[kept++] = place;
            }
        }
        std::copy_n(free_, freed, places_ + kept);
        sorted_ -= freed;
    }

  private:
    static constexpr std::uint64_t none = 0;  // no command has this key: sequences begin at 1

    static constexpr std::uint64_t key(std::uint8_t line, std::uint32_t sequence) noexcept CUELINE_NONBLOCKING {
        return std::uint64_t{line} << 32U | sequence;
    }

    [[nodiscard]] const Message& at(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return cues_[places_[index]];
    }
    [[nodiscard]] std::size_t end() const noexcept CUELINE_NONBLOCKING { return first_ + size(); }

    /// Sorts the cues that were added since the last call in among the others.
    void sort() noexcept CUELINE_NONBLOCKING {
        if (added_ == 0) return;
        std::uint32_t* const first = places_ + first_;
        std::uint32_t* old = first + sorted_;
        std::uint32_t* to = old + added_;
        std::sort(old, to, [this](std::uint32_t place, std::uint32_t other) noexcept {
            const std::uint64_t frame = cues_[place].frame;
            const std::uint64_t other_frame = cues_[other].frame;
            return frame != other_frame ? frame < other_frame : arrivals_[place] < arrivals_[other];
        });
        std::copy(old, to, free_);
        for (const std::uint32_t* added = free_ + added_; added != free_;) {
            // At the same frame, the added cue arrived later.
            const bool old_is_later = old != first && cues_[old[-1]].frame > cues_[added[-1]].frame;
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
        std::copy_n(keys_, capacity_, more.keys.data());
        std::copy_n(arrivals_, capacity_, more.arrivals.data());
        std::copy_n(places_, capacity_, more.places.data());
        std::iota(more.places.begin() + static_cast<std::ptrdiff_t>(capacity_), more.places.end(),
                  static_cast<std::uint32_t>(capacity_));
        more_ = std::move(more);
        cues_ = more_.cues.data();
        keys_ = more_.keys.data();
        arrivals_ = more_.arrivals.data();
        places_ = more_.places.data();
        free_ = more_.free.data();
        capacity_ = cues;
    }

    std::array<Message, capacity> own_cues_;
    std::array<std::uint64_t, capacity> own_keys_{};
    std::array<std::uint32_t, capacity> own_arrivals_{};
    std::array<std::uint32_t, capacity> own_places_;
    std::array<std::uint32_t, capacity> own_free_;

    /// What replaces these arrays after reserve().
    struct More {
        More() = default;
        explicit More(std::size_t count) : cues(count), keys(count), arrivals(count), places(count), free(count) {}
        std::vector<Message> cues;
        std::vector<std::uint64_t> keys;
        std::vector<std::uint32_t> arrivals;
        std::vector<std::uint32_t> places;
        std::vector<std::uint32_t> free;
    };
    More more_;

    std::size_t capacity_ = capacity;
    Message* cues_ = own_cues_.data();
    std::uint64_t* keys_ = own_keys_.data();          // one per place: the cue's key, or `none` for a member
    std::uint32_t* arrivals_ = own_arrivals_.data();  // one per place: its number among the added cues
    // A permutation of all places: from first_ on those of the sorted cues, then those of the added cues in the order
    // of their arrival. All others are free.
    std::uint32_t* places_ = own_places_.data();
    std::uint32_t* free_ = own_free_.data();  // scratch space while places move
    std::size_t first_ = 0;
    std::size_t sorted_ = 0;
    std::size_t added_ = 0;
    std::uint32_t arrived_ = 0;
};

}  // namespace cueline
