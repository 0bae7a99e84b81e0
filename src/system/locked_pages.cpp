// locked_pages.cpp: allocates, touches, locks and frees whole pages.
#include "system/locked_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "system/fork_private.hpp"

namespace cueline {

std::size_t system_page_bytes() noexcept {
    static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

LockedPages::LockedPages(std::size_t bytes) {
    if (bytes == 0) return;
    const std::size_t page = system_page_bytes();
    const std::size_t whole = (bytes + page - 1) / page * page;
    std::size_t room = whole + page;
    memory_.reset(static_cast<std::byte*>(::operator new(room)));
    void* begin = memory_.get();
    pages_ = {static_cast<std::byte*>(std::align(page, whole, begin, room)), whole};
    memory_.get_deleter().pages = pages_;
    wipe_on_fork(pages_);
    granted_ = mlock(pages_.data(), whole) == 0;
    if (granted_) {
        memory_.get_deleter().locked = pages_;
        return;
    }
    for (std::size_t offset = 0; offset < whole; offset += page) {
        static_cast<volatile std::byte&>(pages_[offset]) = std::byte{0};
    }
}

void LockedPages::Free::operator()(std::byte* memory) const noexcept {
    if (!locked.empty()) munlock(locked.data(), locked.size());
    keep_on_fork(pages);
    ::operator delete(memory);
}

}  // namespace cueline
