// device_loss.hpp: that a device ended by itself, and why.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include <cueline/error.hpp>

namespace cueline {

/// The device's helper thread sets it, and control threads read it. A forked child finds what its parent had.
class DeviceLoss {
  public:
    void set(std::string_view why) {
        const std::scoped_lock lock{mutex_};
        why_ = why;
        is_set_.store(true, std::memory_order_relaxed);  // relaxed: mutex_ publishes the text
    }

    /// The device is only stopped now, or runs again.
    void clear() noexcept { is_set_.store(false, std::memory_order_relaxed); }  // relaxed: a flag

    /// The device could not be started again: it is lost for the same reason as before.
    void set_again() noexcept { is_set_.store(true, std::memory_order_relaxed); }  // relaxed: the text is there

    [[nodiscard]] bool is_set() const noexcept { return is_set_.load(std::memory_order_relaxed); }  // as in set()

    /// Throws DeviceError with the reason.
    [[noreturn]] void refuse() {
        const std::scoped_lock lock{mutex_};
        throw DeviceError{why_};
    }

  private:
    std::atomic<bool> is_set_ = false;
    // Not the engine's own: a stop() that holds that one waits for the device's helper, which may be in set().
    std::mutex mutex_;
    std::string why_;
};

}  // namespace cueline
