// block_watch.hpp: notices that a device's blocks have stopped coming, whatever its library reports.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <cueline/counter.hpp>

namespace cueline {

/// The audio thread counts its blocks, and the device's helper thread looks at the count at each of its wake-ups. Time
/// is measured in these wake-ups: a machine that stalls also stalls the helper, so a stall does not count.
class BlockWatch {
  public:
    /// The helper's time between two wake-ups.
    static constexpr std::chrono::milliseconds interval{50};

    /// [the audio thread, once a block; wait-free]
    void count_block() noexcept CUELINE_NONBLOCKING { blocks_.add(1); }

    /// Begins to watch. `gap_ns` is the longest time between two blocks of a device that works.
    /// [control thread, before the helper starts]
    void begin(std::uint64_t gap_ns) noexcept {
        patience_ = wake_ups(std::chrono::seconds{1} + std::chrono::nanoseconds{gap_ns});
        seen_ = blocks_.get();
        left_ = std::max(patience_, wake_ups(std::chrono::seconds{5}));  // a sound card may be slow to start
    }

    /// Returns whether no block has come for a second and `gap_ns`, or for five seconds after begin().
    /// [helper thread, once a wake-up]
    [[nodiscard]] bool blocks_stopped() noexcept {
        if (const std::uint64_t blocks = blocks_.get(); blocks != seen_) {
            seen_ = blocks;
            left_ = patience_;
        } else if (left_ > 0) {
            --left_;
        }
        return left_ == 0;
    }

  private:
    static constexpr std::uint64_t wake_ups(std::chrono::nanoseconds time) noexcept {
        return static_cast<std::uint64_t>(time / interval) + 1;
    }

    Counter blocks_;
    // The helper's.
    std::uint64_t seen_ = 0;
    std::uint64_t left_ = 0;      // wake-ups until the blocks count as stopped
    std::uint64_t patience_ = 0;  // wake-ups without a block, once blocks came
};

}  // namespace cueline
