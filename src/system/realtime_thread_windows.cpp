// realtime_thread_windows.cpp: the multimedia scheduler (MMCSS), locked stack.
#include "system/realtime_thread.hpp"

#include <windows.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "system/thread_priority.hpp"

namespace cueline {

namespace {

/// Windows' multimedia scheduler raises the calling thread until that ends. avrt.dll is loaded here, and not linked:
/// editions of Windows without media features lack it.
bool join_multimedia_scheduler() noexcept {
    using Join = HANDLE WINAPI(LPCWSTR, LPDWORD);
    HMODULE const avrt = LoadLibraryExW(L"avrt.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);  // for good
    if (avrt == nullptr) return false;
    auto* const join =
        reinterpret_cast<Join*>(reinterpret_cast<void*>(GetProcAddress(avrt, "AvSetMmThreadCharacteristicsW")));
    DWORD task = 0;
    return join != nullptr && join(L"Pro Audio", &task) != nullptr;
}

bool request_priority() noexcept {
    return join_multimedia_scheduler() || ThreadHandle::current().request_realtime_priority();
}

/// The pages below the caller's frame, where the stack grows: `most` bytes, or all that the stack has. Windows gives a
/// stack its pages in order, from a guard page on. So this touches each page, the highest first.
std::span<std::byte> stack_below(std::size_t most) noexcept {
    constexpr std::size_t left_alone = 8 * page_bytes;  // at the stack's end: for Windows, when the stack overflows
    const volatile std::byte local{};
    const auto here = reinterpret_cast<std::uintptr_t>(&local);
    ULONG_PTR lowest = 0;
    ULONG_PTR highest = 0;
    GetCurrentThreadStackLimits(&lowest, &highest);
    const std::size_t room = here - lowest;
    const std::size_t bytes = std::min(most, room - std::min(room, left_alone)) / page_bytes * page_bytes;
    const auto byte_at = [](std::uintptr_t address) {
        return reinterpret_cast<std::byte*>(address);  // NOLINT(performance-no-int-to-ptr): pages without an object
    };
    for (std::size_t offset = page_bytes; offset <= bytes; offset += page_bytes) {
        static_cast<void>(*static_cast<volatile std::byte*>(byte_at(here - offset)));
    }
    return {byte_at(here - bytes), bytes};
}

}  // namespace

RealtimeThread::RealtimeThread() noexcept : priority_granted_{request_priority()}, stack_{stack_below(stack_bytes)} {}

}  // namespace cueline
