// system_pages_windows.cpp: locks and maps pages by VirtualLock() and VirtualAlloc().
#include "system/system_pages.hpp"

#include <windows.h>

#include <new>

namespace cueline {

namespace {

/// Windows lets a process lock no more pages than its smallest working set has, and that is 200 KiB at first.
bool allow_more_locked(std::size_t bytes) noexcept {
    SIZE_T least = 0;
    SIZE_T most = 0;
    HANDLE const process = GetCurrentProcess();
    return GetProcessWorkingSetSize(process, &least, &most) != 0 &&
           SetProcessWorkingSetSize(process, least + bytes, most + bytes) != 0;
}

}  // namespace

std::size_t system_page_bytes() noexcept {
    static const std::size_t bytes = [] {
        SYSTEM_INFO info{};
        GetSystemInfo(&info);
        return info.dwPageSize;
    }();
    return bytes;
}

bool lock_pages(std::span<std::byte> range) noexcept {
    if (VirtualLock(range.data(), range.size()) != 0) return true;
    return GetLastError() == ERROR_WORKING_SET_QUOTA && allow_more_locked(range.size() + 2 * system_page_bytes()) &&
           VirtualLock(range.data(), range.size()) != 0;
}

void unlock_pages(std::span<std::byte> range) noexcept {
    VirtualUnlock(range.data(), range.size());
}

std::span<std::byte> map_pages(std::size_t bytes) {
    void* const memory = VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (memory == nullptr) throw std::bad_alloc{};
    return {static_cast<std::byte*>(memory), bytes};
}

void unmap_pages(std::span<std::byte> pages) noexcept {
    VirtualFree(pages.data(), 0, MEM_RELEASE);
}

}  // namespace cueline
