// own_thread.hpp: a thread of a device's, in the process that started it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "system/fork_generation.hpp"

namespace cueline {

/// Starts and joins one thread, born deaf to signals. In a forked child there is none to join: it stayed in the parent.
/// Thread: control, one at a time.
class OwnThread {
  public:
    OwnThread() = default;
    OwnThread(const OwnThread&) = delete;
    OwnThread& operator=(const OwnThread&) = delete;
    ~OwnThread() { join(); }

    /// Runs `body`, which does not throw, in a new thread. `owner` is named in the error: "the null device".
    /// Throws DeviceError when the system has no thread to give.
    void start(std::string_view owner, std::function<void()> body);

    /// Waits for the thread's end, and then forgets it. Nothing to do when there is none.
    void join() noexcept;

    [[nodiscard]] bool started() const noexcept { return thread_ != nullptr; }

    /// Whether the thread was started by a process that this one was forked from.
    [[nodiscard]] bool is_the_parents() const noexcept { return started() && generation_ != fork_generation(); }

  private:
    std::unique_ptr<std::thread> thread_;
    unsigned generation_ = 0;
};

}  // namespace cueline
