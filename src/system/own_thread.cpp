// own_thread.cpp: starts and joins a thread, and leaves a parent's thread alone.
#include "system/own_thread.hpp"

#include <string>
#include <system_error>
#include <utility>

#include <cueline/error.hpp>

#include "system/signals_blocked.hpp"

namespace cueline {

void OwnThread::start(std::string_view owner, std::function<void()> body) {
    try {
        const SignalsBlocked signals_blocked;
        thread_ = std::make_unique<std::thread>(std::move(body));
    } catch (const std::system_error& error) {
        throw DeviceError{std::string{owner} + " could not start its thread (" + error.what() +
                          "): raise the limits on threads and memory (ulimit -u, ulimit -v)"};
    }
    generation_ = fork_generation();
}

void OwnThread::join() noexcept {
    if (!started()) return;
    if (is_the_parents()) {
        // Joining it here is undefined behaviour (glibc happens to return), and so is destroying its handle.
        static_cast<void>(thread_.release());
        return;
    }
    thread_->join();
    thread_.reset();
}

}  // namespace cueline
