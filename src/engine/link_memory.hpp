// link_memory.hpp: the pages of an engine's link.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

#include <cueline/link.hpp>

#include "system/locked_memory.hpp"
#include "system/reserved_pages.hpp"

namespace cueline {

/// Reserves address space for all lines. Line 0 and what comes before it are touched and locked from the start, another
/// line when it is opened for the first time. [control threads]
class LinkMemory {
  public:
    /// Throws std::bad_alloc, and ArgumentError for a shape that is out of range.
    explicit LinkMemory(const LinkShape& shape)
        : pages_{Link::bytes_for(shape)},
          link_{Link::make(pages_.bytes(), shape)},
          first_{pages_.bytes().first(Link::bytes_of_first_line(shape))},
          granted_{first_.granted()} {}

    [[nodiscard]] const Link& link() const noexcept { return link_; }

    /// Touches and locks the pages of a line from line 1 on. The caller holds the line's claim.
    void lock_line(std::size_t number) {
        if (lines_[number]) return;
        const LockedMemory& locked = lines_[number].emplace(std::as_writable_bytes(std::span{&link_.line(number), 1}));
        if (!locked.granted()) granted_.store(false, std::memory_order_relaxed);  // relaxed: a report
    }

    /// Whether all of it that is in use is locked. [any thread]
    [[nodiscard]] bool granted() const noexcept {
        return granted_.load(std::memory_order_relaxed);  // relaxed: a report
    }

  private:
    ReservedPages pages_;
    Link link_;
    LockedMemory first_;
    std::array<std::optional<LockedMemory>, max_lines> lines_;  // a line's claim guards its place
    std::atomic<bool> granted_;
};

}  // namespace cueline
