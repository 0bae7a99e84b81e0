// sealed_thread.cpp: a seccomp filter for one thread, and the kernel's counters for it.
#include <seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "allocation_counter.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {

namespace {

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "this machine does not let a thread be sealed: %s\n", what);
    std::_Exit(2);
}

/// Seals only the calling thread.
void seal(const std::vector<int>& also_allowed) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == nullptr) give_up("seccomp_init");
    std::vector<int> allowed = {SCMP_SYS(exit), SCMP_SYS(getrusage)};
    allowed.insert(allowed.end(), also_allowed.begin(), also_allowed.end());
    for (const int call : allowed) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) give_up("seccomp_rule_add");
    }
    if (seccomp_load(filter) != 0) give_up("seccomp_load");
    // The filter's description is leaked on purpose: to free it here could need a system call.
}

Toll toll_so_far() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return {static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt), static_cast<std::uint64_t>(usage.ru_nvcsw),
            allocations_on_this_thread()};
}

}  // namespace

Toll run_sealed(const std::function<void()>& prepare, const std::function<void()>& work,
                const std::function<void()>& meanwhile, const std::vector<int>& also_allowed) {
    Toll before;
    Toll after;
    std::thread thread{[&] {
        prepare();
        seal(also_allowed);
        before = toll_so_far();
        work();
        after = toll_so_far();
        // A return would need more system calls than the filter allows.
        syscall(SYS_exit, 0);
    }};
    meanwhile();
    thread.join();
    return {after.page_faults - before.page_faults, after.voluntary_switches - before.voluntary_switches,
            after.allocations - before.allocations};
}

}  // namespace cueline::test
