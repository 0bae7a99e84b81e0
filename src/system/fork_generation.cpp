// fork_generation.cpp: a count that each forked child raises.
#include "system/fork_generation.hpp"

#include "system/fork_handlers.hpp"

namespace cueline {

namespace {

unsigned generation = 0;  // only a child's one thread writes it, before anything else runs in the child

[[maybe_unused]] const bool counts_forks = at_fork(nullptr, nullptr, [] { ++generation; });

}  // namespace

unsigned fork_generation() noexcept {
    return generation;
}

}  // namespace cueline
