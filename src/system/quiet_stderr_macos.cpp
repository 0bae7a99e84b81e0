// quiet_stderr_macos.cpp: does nothing: nobody has tried it on macOS.
#include "system/quiet_stderr.hpp"

namespace cueline {

QuietStderr::QuietStderr() noexcept = default;

QuietStderr::~QuietStderr() = default;

}  // namespace cueline
