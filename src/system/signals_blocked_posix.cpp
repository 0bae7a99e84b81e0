// signals_blocked_posix.cpp: sets and restores the calling thread's signal mask, which new threads inherit.
#include "system/signals_blocked.hpp"

#include <pthread.h>

#include <csignal>
#include <new>

namespace cueline {

SignalsBlocked::SignalsBlocked() noexcept {
    static_assert(sizeof(sigset_t) <= sizeof before_);
    sigset_t blocked;
    sigfillset(&blocked);
    // If a fault's signal is blocked, the fault ends the process without a faulthandler and without a sanitizer's
    // stack.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, new (before_.data()) sigset_t);
}

SignalsBlocked::~SignalsBlocked() {
    const auto& mask_before = *std::launder(reinterpret_cast<const sigset_t*>(before_.data()));
    if (sigismember(&mask_before, SIGPIPE) == 0) drop_waiting(SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
}

}  // namespace cueline
