// signals_blocked_windows.cpp: does nothing: Windows interrupts no thread by a signal.
#include "system/signals_blocked.hpp"

namespace cueline {

// The assignment is a use: clang warns of a member that nothing uses.
SignalsBlocked::SignalsBlocked() noexcept {
    before_ = {};
}

SignalsBlocked::~SignalsBlocked() = default;

}  // namespace cueline
