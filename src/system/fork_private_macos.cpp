// fork_private_macos.cpp: does nothing: macOS cannot hand zeros to a child, so the child gets copies.
#include "system/fork_private.hpp"

namespace cueline {

void wipe_on_fork(std::span<std::byte> /*pages*/) noexcept {}

void keep_on_fork(std::span<std::byte> /*pages*/) noexcept {}

}  // namespace cueline
