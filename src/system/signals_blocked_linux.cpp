// signals_blocked_linux.cpp: takes a waiting signal by sigtimedwait().
#include "system/signals_blocked.hpp"

#include <csignal>
#include <ctime>

namespace cueline {

void SignalsBlocked::drop_waiting(int signal) noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, signal);
    constexpr timespec at_once{};
    sigtimedwait(&signals, nullptr, &at_once);
}

}  // namespace cueline
