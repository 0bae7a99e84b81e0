// reserved_pages.cpp: maps and unmaps pages.
#include "system/reserved_pages.hpp"

#include <sys/mman.h>

#include <new>

#include "system/fork_private.hpp"
#include "system/locked_pages.hpp"

namespace cueline {

ReservedPages::ReservedPages(std::size_t bytes) {
    const std::size_t page = system_page_bytes();
    const std::size_t whole = (bytes + page - 1) / page * page;
    void* const memory = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc{};
    pages_ = {static_cast<std::byte*>(memory), whole};
    wipe_on_fork(pages_);
}

ReservedPages::~ReservedPages() {
    munmap(pages_.data(), pages_.size());
}

}  // namespace cueline
