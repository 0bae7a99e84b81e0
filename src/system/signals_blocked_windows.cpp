// signals_blocked_windows.cpp: does nothing: Windows interrupts no thread by a signal.
#include "system/signals_blocked.hpp"

namespace cueline {

SignalsBlocked::SignalsBlocked() noexcept : before_{} {}

SignalsBlocked::~SignalsBlocked() = default;

}  // namespace cueline
