// progress.hpp: how far the parts of the soak are, so that it ends when enough has happened on any machine.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <cueline/engine/engine.hpp>

namespace cueline::test {

struct Progress {
    std::atomic<bool> over = false;  ///< the parts must end
    std::atomic<std::uint64_t> swaps = 0;
    std::atomic<std::uint64_t> engines = 0;  ///< that were made and accounted for
    std::atomic<std::uint64_t> answers = 0;  ///< on the 63 lines
};

/// Calls `look` until it returns true, but no longer than 1000 blocks of the running `engine`: these read all that
/// waits in 64 rings.
template <class Look>
void look_for_1000_blocks(Engine& engine, Look look) {
    const std::uint64_t end = engine.stats().blocks + 1000;
    while (!look() && engine.stats().blocks < end) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    look();
}

}  // namespace cueline::test
