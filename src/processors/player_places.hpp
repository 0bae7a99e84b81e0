// player_places.hpp: which commands' voices play at which places, which places are free, and which voice is the oldest.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/audio_side.hpp>

#include "system/locked_array.hpp"

namespace cueline {

struct PlayerPlace {
    Cause started_by;               // of no command: nothing plays here
    std::uint16_t choke_group = 0;  // 0: none, or it fades out already
    bool plays = false;
    std::uint16_t older = 0;  // the places before and after it in the order of the starts
    std::uint16_t newer = 0;
};

/// The places of a player's voices, apart from the voices: thousands of commands may look for one in a block, and a
/// voice has more than half a kilobyte. take() and free() take constant time. [audio thread, wait-free]
class PlayerPlaces {
  public:
    static constexpr std::size_t most = 256;

    /// Throws std::bad_alloc. [control thread] `count` is from 1 to `most`.
    explicit PlayerPlaces(std::size_t count) : places_{count} {
        for (std::size_t index = 0; index < count; ++index) set_free(index);
    }

    [[nodiscard]] std::span<PlayerPlace> all() noexcept CUELINE_NONBLOCKING { return places_.all(); }

    /// Returns the first place that is free, or else that of the oldest voice.
    [[nodiscard]] std::size_t next() const noexcept CUELINE_NONBLOCKING {
        for (std::size_t word = 0; word < free_.size(); ++word) {
            if (free_[word] != 0) return word * 64 + static_cast<std::size_t>(std::countr_zero(free_[word]));
        }
        return oldest_;
    }

    /// Lets the newest voice play at `index`. Returns whether another one played there.
    bool take(std::size_t index, Cause started_by, std::uint16_t choke_group) noexcept CUELINE_NONBLOCKING {
        PlayerPlace& place = places_.all()[index];
        const bool stolen = place.plays;
        if (stolen) unlink(index);
        free_[index / 64] &= ~(std::uint64_t{1} << index % 64);
        place = {.started_by = started_by, .choke_group = choke_group, .plays = true, .older = newest_};
        if (playing_ == 0) oldest_ = static_cast<std::uint16_t>(index);
        if (playing_ > 0) places_.all()[newest_].newer = static_cast<std::uint16_t>(index);
        newest_ = static_cast<std::uint16_t>(index);
        ++playing_;
        return stolen;
    }

    /// Frees the place of a voice that plays. Returns the command that started it.
    Cause free(std::size_t index) noexcept CUELINE_NONBLOCKING {
        const Cause started_by = places_.all()[index].started_by;
        unlink(index);
        places_.all()[index] = {};
        set_free(index);
        return started_by;
    }

    [[nodiscard]] std::uint32_t playing() const noexcept CUELINE_NONBLOCKING { return playing_; }

  private:
    void set_free(std::size_t index) noexcept CUELINE_NONBLOCKING {
        free_[index / 64] |= std::uint64_t{1} << index % 64;
    }
    void unlink(std::size_t index) noexcept CUELINE_NONBLOCKING {
        const PlayerPlace place = places_.all()[index];
        if (index == oldest_) {
            oldest_ = place.newer;
        } else {
            places_.all()[place.older].newer = place.newer;
        }
        if (index == newest_) {
            newest_ = place.older;
        } else {
            places_.all()[place.newer].older = place.older;
        }
        --playing_;
    }

    LockedArray<PlayerPlace> places_;
    std::array<std::uint64_t, most / 64> free_{};  // a bit for each place that is free
    std::uint16_t oldest_ = 0;
    std::uint16_t newest_ = 0;
    std::uint32_t playing_ = 0;
};

}  // namespace cueline
