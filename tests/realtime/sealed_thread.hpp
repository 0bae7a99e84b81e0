// sealed_thread.hpp: a thread on which any system call but two ends the process.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace cueline::test {

/// What a piece of work cost its thread, by the kernel's own account and by ours.
struct Toll {
    std::uint64_t page_faults = 0;
    std::uint64_t voluntary_switches = 0;  ///< times the thread gave up the processor to wait
    std::uint64_t allocations = 0;         ///< calls of malloc, free and their like
};

/// Runs `work` on a thread of its own under a seccomp filter: any system call other than exit, getrusage and those
/// `also_allowed` kills the process (SIGSYS). Before the filter is set, `prepare` runs on the same thread.
/// `meanwhile` runs on the calling thread, which is not sealed. Returns what `work` cost.
Toll run_sealed(const std::function<void()>& prepare, const std::function<void()>& work,
                const std::function<void()>& meanwhile, const std::vector<int>& also_allowed = {});

}  // namespace cueline::test
