// fork_handlers_windows.cpp: no process forks on Windows.
#include "system/fork_handlers.hpp"

namespace cueline {

bool at_fork(void (* /*before*/)(), void (* /*in_parent*/)(), void (* /*in_child*/)()) noexcept {
    return false;
}

}  // namespace cueline
