// fork_handlers.hpp: functions that run around a fork.
#pragma once

namespace cueline {

/// From now on, each fork calls `before` in the parent, and afterwards `in_parent` there and `in_child` in the child.
/// A null pointer stands for nothing. Returns whether that is arranged: no process forks on Windows. [control threads]
bool at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

}  // namespace cueline
