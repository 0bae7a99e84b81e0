// without_gil.cpp: counts the threads that released the GIL.
#include "without_gil.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "system/fork_generation.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

// When Python ends, it terminates a daemon thread that requests the GIL, in the middle of our C++. C++ does not allow
// that. So before Python ends, shut_down() waits until every thread has the GIL again; from then on no call releases
// it. (Python 3.14 blocks such threads and does not end them. There this is not needed, and harmless.)
std::atomic<bool> ending = false;
std::atomic<int> threads_without_gil = 0;

/// Resets the count in a forked child, which has only one of the parent's threads.
void reset_count_after_fork() {
    static unsigned generation = fork_generation();
    if (generation == fork_generation()) return;
    generation = fork_generation();
    threads_without_gil = 0;
}

}  // namespace

WithoutGil::WithoutGil() {
    if (ending.load()) return;
    reset_count_after_fork();
    ++threads_without_gil;
    state_ = PyEval_SaveThread();
}

WithoutGil::~WithoutGil() {
    if (state_ == nullptr) return;
    PyEval_RestoreThread(state_);
    --threads_without_gil;
}

bool shutting_down() noexcept {
    return ending;
}

void shut_down() {
    using namespace std::chrono_literals;
    ending = true;
    reset_count_after_fork();
    for (auto waited = 0ms; threads_without_gil > 0 && waited < 5000ms; waited += 1ms) {
        const nb::gil_scoped_release released;
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace cueline::python
