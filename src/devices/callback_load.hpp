// callback_load.hpp: the share of a block that its callback takes.
#pragma once

#include <cstdint>

#include <cueline/counter.hpp>

namespace cueline {

/// The device's audio thread writes it, any thread may read it. Wait-free.
class CallbackLoad {
  public:
    /// Adds a callback that took `busy_ns` of a block of `period_ns`. [audio thread]
    void record(std::uint64_t busy_ns, std::uint64_t period_ns) noexcept CUELINE_NONBLOCKING {
        busy_ns_.add(busy_ns);
        period_ns_.add(period_ns);
        peak_millionths_.raise_to(busy_ns * 1'000'000 / period_ns);
    }

    /// As a fraction of a block; 0 before the first block.
    [[nodiscard]] double mean() const noexcept {
        const std::uint64_t period_ns = period_ns_.get();
        return period_ns == 0 ? 0 : static_cast<double>(busy_ns_.get()) / static_cast<double>(period_ns);
    }
    [[nodiscard]] double peak() const noexcept { return static_cast<double>(peak_millionths_.get()) / 1e6; }

  private:
    Counter busy_ns_;
    Counter period_ns_;
    Counter peak_millionths_;
};

}  // namespace cueline
