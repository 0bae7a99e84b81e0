// locked_memory.cpp: mlock and munlock of one range.
#include "locked_memory.hpp"

#include <sys/mman.h>

namespace cueline {

LockedMemory::LockedMemory(void* start, std::size_t bytes) noexcept
    : start_{start}, bytes_{bytes}, granted_{mlock(start, bytes) == 0} {
    if (granted_) return;
    // Not locked, but at least not faulted in by the first blocks. Written back as it was read: the range may
    // hold live objects of the calling thread.
    auto* bytes_of_range = static_cast<volatile unsigned char*>(start);
    for (std::size_t offset = 0; offset < bytes; offset += page_bytes) {
        bytes_of_range[offset] = bytes_of_range[offset];
    }
}

LockedMemory::~LockedMemory() {
    if (granted_) munlock(start_, bytes_);
}

}  // namespace cueline
