// schedule_shares.hpp: how many messages a processor may still schedule in a block, on behalf of each line.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <cueline/message.hpp>

namespace cueline {

/// A block has a bound, and no line can take another line's share: a few calls are reserved for each line, together at
/// most half of them. The audio thread owns it. Calls are wait-free.
class ScheduleShares {
  public:
    /// For `lines` lines, and blocks of at most `most` calls.
    ScheduleShares(std::uint32_t most, std::size_t lines) noexcept
        : most_{most},
          lines_{static_cast<std::uint32_t>(lines)},
          reserved_{std::min(std::uint32_t{16}, most / (2 * lines_))} {}

    /// From now on, blocks have no bound. Only for a device without deadlines.
    void remove_bound() noexcept { most_ = std::numeric_limits<std::uint32_t>::max(); }

    void begin_block() noexcept CUELINE_NONBLOCKING {
        if (left_ == most_) return;  // most blocks: nothing was taken
        left_ = most_;
        left_reserved_ = lines_ * reserved_;
        used_.fill(0);
    }

    /// Takes one call of `line`. Returns false if there is none left for it.
    [[nodiscard]] bool take(std::uint8_t line) noexcept CUELINE_NONBLOCKING {
        if (used_[line] < reserved_) {
            --left_reserved_;
        } else if (left_ <= left_reserved_) {
            return false;
        }
        --left_;
        ++used_[line];
        return true;
    }

  private:
    std::uint32_t most_;
    std::uint32_t lines_;
    std::uint32_t reserved_;  // for each line
    std::uint32_t left_ = 0;
    std::uint32_t left_reserved_ = 0;  // of those, for lines that have not used their own
    std::array<std::uint32_t, max_lines> used_{};
};

}  // namespace cueline
