// fork_handlers_posix.cpp: arranges handlers by pthread_atfork().
#include "system/fork_handlers.hpp"

#include <pthread.h>

namespace cueline {

bool at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
    return pthread_atfork(before, in_parent, in_child) == 0;
}

}  // namespace cueline
