// locked_pages.hpp: memory on pages of its own, which a block can touch without a page fault.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace cueline {

/// Owns whole pages. Every page is brought into memory and, where the system permits it, stays locked until it is
/// freed. A forked child finds zeros in them: see wipe_on_fork(). [control threads]
class LockedPages {
  public:
    /// No pages.
    LockedPages() = default;

    /// At least `bytes` bytes of any content, rounded up to whole pages. Throws std::bad_alloc.
    explicit LockedPages(std::size_t bytes);

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return pages_; }

    /// Whether the pages are locked. That needs room under RLIMIT_MEMLOCK, or privilege.
    [[nodiscard]] bool granted() const noexcept { return granted_; }

  private:
    struct Free {
        std::span<std::byte> pages;
        std::span<std::byte> locked;  // empty if the lock was refused
        void operator()(std::byte* memory) const noexcept;
    };

    std::unique_ptr<std::byte, Free> memory_;  // a page larger, to align the start: the heap reuses such pieces
    std::span<std::byte> pages_;
    bool granted_ = true;
};

}  // namespace cueline
