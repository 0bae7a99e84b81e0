// system_pages_posix.cpp: locks and maps pages by mlock() and mmap().
#include "system/system_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace cueline {

std::size_t system_page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

bool lock_pages(std::span<std::byte> range) noexcept {
    return mlock(range.data(), range.size()) == 0;
}

void unlock_pages(std::span<std::byte> range) noexcept {
    munlock(range.data(), range.size());
}

std::span<std::byte> map_pages(std::size_t bytes) {
    void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    return {static_cast<std::byte*>(memory), bytes};
}

void unmap_pages(std::span<std::byte> pages) noexcept {
    munmap(pages.data(), pages.size());
}

}  // namespace cueline
