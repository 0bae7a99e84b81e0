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

HANDLE new_timer() noexcept {
    HANDLE const timer = CreateWaitableTimerExW(nullptr, nullptr, high_resolution, TIMER_ALL_ACCESS);
    // Windows before 10 (1803) has no such timers. Its others end up to 16 ms late.
    return timer != nullptr ? timer : CreateWaitableTimerExW(nullptr, nullptr, 0, TIMER_ALL_ACCESS);
}

void WINAPI close_timer(void* timer) noexcept {
    CloseHandle(timer);
}

/// The calling thread's timer, or nullptr if Windows refuses one. Windows closes it when the thread ends. A
/// thread_local object would close another handle: mingw-w64 frees its memory before it calls the destructor.
HANDLE timer_of_this_thread() noexcept {
    static const DWORD slot = FlsAlloc(&close_timer);
    if (slot == FLS_OUT_OF_INDEXES) return nullptr;
    if (HANDLE const timer = FlsGetValue(slot)) return timer;
    HANDLE const timer = new_timer();
    if (timer != nullptr && FlsSetValue(slot, timer) == 0) {
        CloseHandle(timer);
        return nullptr;
    }
    return timer;
}

/// Returns false if Windows refuses.
bool sleep(HANDLE timer, std::uint64_t ns) noexcept {
    LARGE_INTEGER due{};
    due.QuadPart = -static_cast<LONGLONG>((ns + 99) / 100);  // negative: from now on, in steps of 100 ns
    return timer != nullptr && SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE) != 0 &&
           WaitForSingleObject(timer, INFINITE) == WAIT_OBJECT_0;
}

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
    const std::uint64_t left_ns = deadline_ns - now_ns;
    if (!sleep(timer_of_this_thread(), left_ns)) Sleep(static_cast<DWORD>(left_ns / 1'000'000 + 1));
}

}  // namespace cueline
