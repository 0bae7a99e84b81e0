// fork_private_linux.cpp: advises the kernel about pages, with madvise() of Linux.
#include "system/fork_private.hpp"

#include <sys/mman.h>

#include <cstdint>

#include "system/system_pages.hpp"

namespace cueline {

namespace {

void advise(std::span<std::byte> pages, int advice) noexcept {
    const std::size_t page = system_page_bytes();
    const bool whole = reinterpret_cast<std::uintptr_t>(pages.data()) % page == 0 && pages.size() % page == 0;
    if (whole && !pages.empty()) madvise(pages.data(), pages.size(), advice);
}

}  // namespace

void wipe_on_fork(std::span<std::byte> pages) noexcept {
    advise(pages, MADV_WIPEONFORK);
}

void keep_on_fork(std::span<std::byte> pages) noexcept {
    advise(pages, MADV_KEEPONFORK);
}

}  // namespace cueline
