// locked_memory.cpp: locks ranges, and unlocks the pages that no other range holds.
#include "system/locked_memory.hpp"

#include <algorithm>
#include <mutex>

#include "system/fork_handlers.hpp"
#include "system/system_pages.hpp"

namespace cueline {

namespace {

// The system does not count locks: one unlock undoes every lock of a page. So a list has all ranges that are locked.
std::mutex changing;
LockedMemory* first_range = nullptr;

// A fork waits for the mutex, so that the child finds it free. The child inherits no locks, so its list begins empty.
// It must: an inherited range may lie on the stack of a thread that the child lacks, and new threads reuse that stack.
// NOLINTNEXTLINE(bugprone-throwing-static-initialization): at_fork() throws nothing
[[maybe_unused]] const bool starts_empty_in_a_child = at_fork([] { changing.lock(); }, [] { changing.unlock(); },
                                                              [] {
                                                                  first_range = nullptr;
                                                                  changing.unlock();
                                                              });

}  // namespace

LockedMemory::LockedMemory(std::span<std::byte> range) noexcept {
    if (range.empty()) return;
    const std::size_t page = system_page_bytes();
    begin_ = reinterpret_cast<std::uintptr_t>(range.data()) / page * page;
    end_ = (reinterpret_cast<std::uintptr_t>(range.data() + range.size()) + page - 1) / page * page;
    const std::scoped_lock lock{changing};
    granted_ = lock_pages(range);
    if (granted_) {
        next_ = first_range;
        first_range = this;
        return;
    }
    // Touches the pages, so that at least the first blocks meet no page fault. Writes back what it reads, because the
    // range may hold live objects of the calling thread.
    for (std::size_t offset = 0; offset < range.size(); offset += page_bytes) {
        volatile std::byte& first_of_page = range[offset];
        first_of_page = first_of_page;
    }
    volatile std::byte& last = range.back();  // a range that begins within a page may end in one more
    last = last;
}

LockedMemory::~LockedMemory() {
    if (!granted_ || begin_ == end_) return;
    const std::scoped_lock lock{changing};
    LockedMemory** link = &first_range;
    while (*link != nullptr && *link != this) link = &(*link)->next_;
    if (*link == nullptr) return;  // locked before a fork
    *link = next_;
    unlock_what_no_other_holds();
}

void LockedMemory::unlock_what_no_other_holds() const noexcept {
    for (std::uintptr_t at = begin_; at < end_;) {
        std::uintptr_t held_until = at;  // by a range that lies over `at`
        std::uintptr_t free_until = end_;
        for (const LockedMemory* other = first_range; other != nullptr; other = other->next_) {
            if (other->begin_ <= at) {
                held_until = std::max(held_until, other->end_);
            } else {
                free_until = std::min(free_until, other->begin_);
            }
        }
        if (held_until == at) {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of pages, which may hold no object
            unlock_pages({reinterpret_cast<std::byte*>(at), free_until - at});
            held_until = free_until;
        }
        at = held_until;
    }
}

}  // namespace cueline
