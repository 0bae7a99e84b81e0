// fork_private_windows.cpp: does nothing: no process forks on Windows.
#include "system/fork_private.hpp"

namespace cueline {

void wipe_on_fork(std::span<std::byte> /*pages*/) noexcept {}

void keep_on_fork(std::span<std::byte> /*pages*/) noexcept {}

}  // namespace cueline
