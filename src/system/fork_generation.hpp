// fork_generation.hpp: tells a process from the one it was forked from.
#pragma once

namespace cueline {

/// How many forks lie between the process that loaded us and this one. A thread lives only in the process that
/// started it, so whoever holds one notes this number, and compares before touching it.
/// Thread: any. A plain load: no system call.
unsigned fork_generation() noexcept;

}  // namespace cueline
