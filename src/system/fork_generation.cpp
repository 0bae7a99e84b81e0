// fork_generation.cpp: a count raised in each forked child.
#include "system/fork_generation.hpp"

#include <pthread.h>

namespace cueline {

namespace {

unsigned generation = 0;  // written only by a child's one thread, before anything else runs in it

[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { ++generation; });

}  // namespace

unsigned fork_generation() noexcept {
    return generation;
}

}  // namespace cueline
