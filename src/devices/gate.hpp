// gate.hpp: lets an audio thread's calls in until it is shut, and waits until the last call has left.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <cueline/ring.hpp>

namespace cueline {

/// For a library that may still call back after we have stopped it: while the gate is shut, no call touches our memory.
class Gate {
  public:
    /// Returns whether the call may go on. If so, call leave() at its end. [audio thread, wait-free]
    [[nodiscard]] bool try_enter() noexcept CUELINE_NONBLOCKING {
        // Acquire pairs with the release of open(), which publishes what was prepared before it. Entering and shutting
        // change the same atomic: one of them comes first, and the later one sees it.
        if ((state_.fetch_add(one_inside, std::memory_order_acquire) & is_open) != 0) return true;
        leave();
        return false;
    }

    /// [audio thread, wait-free]
    void leave() noexcept CUELINE_NONBLOCKING {
        state_.fetch_sub(one_inside, std::memory_order_release);  // pairs with the acquire in shut()
    }

    /// [control threads]
    void open() noexcept { state_.fetch_or(is_open, std::memory_order_release); }

    /// When it returns, no call is inside, none enters until open(), and all that the calls wrote is visible.
    /// [control threads; blocks for as long as the call inside takes]
    void shut() noexcept {
        state_.fetch_and(~is_open, std::memory_order_relaxed);  // relaxed: the loop below synchronises
        while (state_.load(std::memory_order_acquire) != 0) {   // pairs with the release of leave()
            std::this_thread::sleep_for(std::chrono::microseconds{100});
        }
    }

  private:
    static constexpr std::uint32_t is_open = 1;
    static constexpr std::uint32_t one_inside = 2;
    std::atomic<std::uint32_t> state_ = 0;
};

}  // namespace cueline
