// fork_generation.hpp: tells whether this process is a fork.
#pragma once

namespace cueline {

/// The number of forks between the process that loaded this library and this one. A thread lives only in the process
/// that started it: the owner of a thread stores this number, and compares it before it touches the thread.
/// [any thread; a plain load]
unsigned fork_generation() noexcept;

}  // namespace cueline
