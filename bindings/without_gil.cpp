// without_gil.cpp: counts the threads that are without the GIL.
#include "without_gil.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "system/fork_generation.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

// When Python ends, a daemon thread that asks for the GIL back is ended on the spot, in the middle of our C++, which
// the language does not survive. So before Python ends, shut_down() waits until none is without it, and from then on
// nobody lets go of it. (From 3.14 on such threads are hung instead; this does no harm there.)
std::atomic<bool> ending = false;
std::atomic<int> threads_without_gil = 0;

/// A forked child has one thread, whatever its parent had. Called with the GIL.
void forget_the_parents_threads() {
    static unsigned generation = fork_generation();
    if (generation == fork_generation()) return;
    generation = fork_generation();
    threads_without_gil = 0;
}

}  // namespace

WithoutGil::WithoutGil() {
    if (ending.load()) return;
    forget_the_parents_threads();
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
    forget_the_parents_threads();
    for (auto waited = 0ms; threads_without_gil > 0 && waited < 5000ms; waited += 1ms) {
        const nb::gil_scoped_release released;
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace cueline::python
