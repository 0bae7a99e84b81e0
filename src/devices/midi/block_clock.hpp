// block_clock.hpp: when blocks begin, without the jitter of the thread that runs them.
#pragma once

#include <algorithm>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// Turns the times at which blocks were called into times that follow each other by exactly their frames. A thread may
/// wake late, and never early: so the earliest blocks show the time, and a late one does not move it. The time follows
/// the sound card's drift by up to 0.01 %. If all of eight blocks are late by more than half a block, blocks were left
/// out, and it begins anew. [audio thread, wait-free]
class BlockClock {
  public:
    /// Returns when a block began, in nanoseconds. `called_ns`: when it was called; `period_ns`: how long its frames
    /// take. Call it once a block.
    std::uint64_t start_of(std::uint64_t called_ns, std::uint64_t period_ns) noexcept CUELINE_NONBLOCKING {
        const std::uint64_t expected = next_ns_ == 0 ? called_ns : next_ns_;
        const std::uint64_t late = called_ns > expected ? called_ns - expected : 0;
        const bool is_half_late = late > period_ns / 2;
        least_late_ = late_blocks_ == 0 ? late : std::min(least_late_, late);
        late_blocks_ = is_half_late ? late_blocks_ + 1 : 0;
        std::uint64_t start = std::min(called_ns, expected + std::min(late, period_ns / drift_parts));
        if (late_blocks_ == blocks_until_anew) {
            start = expected + least_late_;
            late_blocks_ = 0;
        }
        next_ns_ = start + period_ns;
        return start;
    }

  private:
    static constexpr std::uint64_t drift_parts = 10'000;
    static constexpr unsigned blocks_until_anew = 8;

    std::uint64_t next_ns_ = 0;  // 0: no block has begun
    std::uint64_t least_late_ = 0;
    unsigned late_blocks_ = 0;  // in a row
};

}  // namespace cueline
