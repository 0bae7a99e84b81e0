// signals_blocked_macos.cpp: takes a waiting signal by sigwait(): macOS lacks sigtimedwait().
#include "system/signals_blocked.hpp"

#include <csignal>

namespace cueline {

void SignalsBlocked::drop_waiting(int signal) noexcept {
    sigset_t signals;
    sigpending(&signals);
    if (sigismember(&signals, signal) == 0) return;
    sigemptyset(&signals);
    sigaddset(&signals, signal);
    int dropped = 0;
    sigwait(&signals, &dropped);
}

}  // namespace cueline
