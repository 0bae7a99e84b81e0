// quiet_stderr_windows.cpp: does nothing: the C library keeps stderr constant.
#include "system/quiet_stderr.hpp"

namespace cueline {

QuietStderr::QuietStderr() noexcept = default;

QuietStderr::~QuietStderr() = default;

}  // namespace cueline
