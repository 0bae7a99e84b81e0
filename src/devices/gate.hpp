// gate.hpp: lets an audio thread's calls through until it is shut, and knows when the last one is out.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <cueline/ring.hpp>

namespace cueline {

/// For a callback whose owner cannot make another library stop calling: behind a shut gate nothing of ours is touched.
class Gate {
  public:
    /// Whether the call may go on; then it has to leave(). Thread: audio. Real-time: wait-free.
    [[nodiscard]] bool try_enter() noexcept CUELINE_NONBLOCKING {
        // Acquire pairs with the release of open(): what was made ready before it is there. Entering and shutting
        // change the same atomic, so one of them comes first, and the later one sees it.
        if ((state_.fetch_add(one_inside, std::memory_order_acquire) & is_open) != 0) return true;
        leave();
        return false;
    }

    /// Thread: audio. Real-time: wait-free.
    void leave() noexcept CUELINE_NONBLOCKING {
        state_.fetch_sub(one_inside, std::memory_order_release);  // pairs with the acquire in shut()
    }

    /// Thread: control.
    void open() noexcept { state_.fetch_or(is_open, std::memory_order_release); }

    /// When it returns, no call is inside and none will be; what they did is seen.
    /// Thread: control. Blocks for as long as the call that is inside takes.
    void shut() noexcept {
        state_.fetch_and(~is_open, std::memory_order_relaxed);  // relaxed: the loop below is what synchronises
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
