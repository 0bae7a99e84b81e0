// locked_pages.cpp: allocates, touches, locks and frees whole pages.
#include "system/locked_pages.hpp"

#include <new>

#include "system/fork_private.hpp"
#include "system/system_pages.hpp"

namespace cueline {

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
    granted_ = lock_pages(pages_);
    if (granted_) {
        memory_.get_deleter().locked = pages_;
        return;
    }
    for (std::size_t offset = 0; offset < whole; offset += page) {
        static_cast<volatile std::byte&>(pages_[offset]) = std::byte{0};
    }
}

void LockedPages::Free::operator()(std::byte* memory) const noexcept {
    if (!locked.empty()) unlock_pages(locked);
    keep_on_fork(pages);
    ::operator delete(memory);
}

}  // namespace cueline
