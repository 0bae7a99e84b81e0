// own_thread.hpp: a thread that exists only in the process that started it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <thread>

#include "system/fork_generation.hpp"

namespace cueline {

/// Starts and joins one thread, which blocks signals (see SignalsBlocked). In a forked child there is no thread to
/// join: it stayed in the parent. [control threads, one at a time]
class OwnThread {
  public:
    OwnThread() = default;
    OwnThread(const OwnThread&) = delete;
    OwnThread& operator=(const OwnThread&) = delete;
    ~OwnThread() { join(); }

    /// Runs `body`, which must not throw, in a new thread. `owner` names the owner in an error: "the null device".
    /// Throws DeviceError if the system refuses a thread.
    void start(std::string_view owner, std::function<void()> body);

    /// Waits until the thread ends. Does nothing if there is none.
    void join() noexcept;

    [[nodiscard]] bool started() const noexcept { return thread_ != nullptr; }

    /// Whether a parent process started the thread, before a fork.
    [[nodiscard]] bool is_the_parents() const noexcept { return started() && generation_ != fork_generation(); }

  private:
    std::unique_ptr<std::thread> thread_;
    unsigned generation_ = 0;
};

}  // namespace cueline
