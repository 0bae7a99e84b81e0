// thread_priority_posix.cpp: the calling thread's handle.
#include "system/thread_priority.hpp"

#include <pthread.h>

#include <bit>

#include "system/nonblocking.hpp"

namespace cueline {

static_assert(sizeof(pthread_t) == sizeof(std::uintptr_t));

ThreadHandle ThreadHandle::current() noexcept CUELINE_NONBLOCKING {
    using ReadHandle = pthread_t() noexcept CUELINE_NONBLOCKING;
    ThreadHandle thread;
    thread.handle_ =
        std::bit_cast<std::uintptr_t>(marked_nonblocking<ReadHandle>(&pthread_self)());  // reads a register
    return thread;
}

}  // namespace cueline
