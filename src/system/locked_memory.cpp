// locked_memory.cpp: mlock and munlock of one range.
#include "system/locked_memory.hpp"

#include <sys/mman.h>

namespace cueline {

LockedMemory::LockedMemory(std::span<std::byte> range) noexcept
    : range_{range}, granted_{mlock(range.data(), range.size()) == 0} {
    if (granted_) return;
    // Not locked, but at least not faulted in by the first blocks. Written back as it was read: the range may
    // hold live objects of the calling thread.
    for (std::size_t offset = 0; offset < range.size(); offset += page_bytes) {
        volatile std::byte& first_of_page = range[offset];
        first_of_page = first_of_page;
    }
    if (!range.empty()) {  // which may begin in the middle of a page, and end in one more
        volatile std::byte& last = range.back();
        last = last;
    }
}

LockedMemory::~LockedMemory() {
    if (granted_) munlock(range_.data(), range_.size());
}

}  // namespace cueline
