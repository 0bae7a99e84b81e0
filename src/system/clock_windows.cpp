// clock_windows.cpp: reads the performance counter, and sleeps by a waitable timer.
#include "system/clock.hpp"

#include <windows.h>

#include <cueline/monotonic.hpp>

#include "system/nonblocking.hpp"

namespace cueline {

namespace {

std::uint64_t counts_per_second() noexcept {
    LARGE_INTEGER counts{};
    QueryPerformanceFrequency(&counts);
    return static_cast<std::uint64_t>(counts.QuadPart);
}

const std::uint64_t frequency = counts_per_second();  // Windows keeps it from start to start

// CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, which older headers lack.
constexpr DWORD high_resolution = 2;

/// A timer of the calling thread.
class Timer {
  public:
    Timer() noexcept : handle_{CreateWaitableTimerExW(nullptr, nullptr, high_resolution, TIMER_ALL_ACCESS)} {
        // Windows before 10 (1803) has no such timers. Its others end up to 16 ms late.
        if (handle_ == nullptr) handle_ = CreateWaitableTimerExW(nullptr, nullptr, 0, TIMER_ALL_ACCESS);
    }
    ~Timer() {
        if (handle_ != nullptr) CloseHandle(handle_);
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Returns false if Windows refuses.
    bool sleep(std::uint64_t ns) const noexcept {
        LARGE_INTEGER due{};
        due.QuadPart = -static_cast<LONGLONG>((ns + 99) / 100);  // negative: from now on, in steps of 100 ns
        return handle_ != nullptr && SetWaitableTimer(handle_, &due, 0, nullptr, nullptr, FALSE) != 0 &&
               WaitForSingleObject(handle_, INFINITE) == WAIT_OBJECT_0;
    }

  private:
    HANDLE handle_;
};

}  // namespace

std::uint64_t block_clock_ns() noexcept CUELINE_NONBLOCKING {
    // It reads a register of the processor. A machine without a steady one makes it a system call, which never waits.
    using ReadCounter = BOOL(LARGE_INTEGER*) noexcept CUELINE_NONBLOCKING;
    LARGE_INTEGER counts{};
    marked_nonblocking<ReadCounter> (&QueryPerformanceCounter)(&counts);
    const auto now = static_cast<std::uint64_t>(counts.QuadPart);
    return now / frequency * ns_per_second + now % frequency * ns_per_second / frequency;
}

void sleep_until_ns(std::uint64_t deadline_ns) noexcept {
    const std::uint64_t now_ns = block_clock_ns();
    if (now_ns >= deadline_ns) return;
    const thread_local Timer timer;
    if (!timer.sleep(deadline_ns - now_ns)) Sleep(static_cast<DWORD>((deadline_ns - now_ns) / 1'000'000 + 1));
}

}  // namespace cueline
