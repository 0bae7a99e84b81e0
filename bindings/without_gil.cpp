// without_gil.cpp: counts the threads that released the GIL.
#include "without_gil.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "system/fork_generation.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

// When Python ends, it terminates a daemon thread that requests the GIL, in the middle of our C++. C++ does not allow
// that. So before Python ends, shut_down() waits until every thread has the GIL again; from then on no call releases
// it. (Python 3.14 blocks such threads and does not end them. There this is not needed, and harmless.)
std::atomic<bool> ending = false;

// The fork generation in the high half, and how many threads of it released the GIL in the low half. A forked child has
// only one of the parent's threads, so its count begins anew.
std::atomic<std::uint64_t> threads_without_gil = 0;

std::uint64_t of_this_process(std::uint64_t counted) {
    const std::uint64_t none = std::uint64_t{fork_generation()} << 32U;
    return counted >> 32U == none >> 32U ? counted : none;
}

void count_threads(std::uint64_t change) {
    std::uint64_t counted = threads_without_gil;
    while (!threads_without_gil.compare_exchange_weak(counted, of_this_process(counted) + change)) {
    }
}

bool any_thread_without_gil() {
    return static_cast<std::uint32_t>(of_this_process(threads_without_gil)) != 0;
}

constexpr std::uint64_t one_more = 1;
constexpr std::uint64_t one_less = ~std::uint64_t{0};

}  // namespace

// It counts first: without a GIL, Python may begin to end at any moment, and then shut_down() sees the count, or this
// sees that Python ends.
WithoutGil::WithoutGil() {
    count_threads(one_more);
    if (ending) {
        count_threads(one_less);
    } else {
        state_ = PyEval_SaveThread();
    }
}

WithoutGil::~WithoutGil() {
    if (state_ == nullptr) return;
    PyEval_RestoreThread(state_);
    count_threads(one_less);
}

bool shutting_down() noexcept {
    return ending;
}

void shut_down() {
    using namespace std::chrono_literals;
    ending = true;
    for (auto waited = 0ms; any_thread_without_gil() && waited < 5000ms; waited += 1ms) {
        const nb::gil_scoped_release released;
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace cueline::python
