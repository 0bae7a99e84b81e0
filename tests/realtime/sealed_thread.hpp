// sealed_thread.hpp: a thread on which any system call but two ends the process.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace cueline::test {

/// What a piece of work cost its thread, by the kernel's counters and by ours.
struct Toll {
    std::uint64_t page_faults = 0;
    std::uint64_t voluntary_switches = 0;  ///< times the thread gave up the processor to wait
    std::uint64_t allocations = 0;         ///< calls of malloc, free and their like
};

/// Runs `work` on a new thread under a seccomp filter, and returns what it cost. Any system call but exit, getrusage
/// and `also_allowed` kills the process (SIGSYS). `prepare` runs first, on the same thread without the filter.
/// `meanwhile` runs on the calling thread, which is not sealed.
Toll run_sealed(const std::function<void()>& prepare, const std::function<void()>& work,
                const std::function<void()>& meanwhile, const std::vector<int>& also_allowed = {});

}  // namespace cueline::test
