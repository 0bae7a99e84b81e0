// patience.hpp: waits for a condition.
#pragma once

#include <chrono>
#include <thread>

namespace cueline::test {

/// Waits until `condition` is true. Gives up, and returns false, after ten seconds.
template <class Condition>
bool eventually(Condition condition) {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace cueline::test
