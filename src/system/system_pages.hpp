// system_pages.hpp: the pages of the system's memory: their size, locks on them, and pages of zeros.
#pragma once

#include <cstddef>
#include <span>

namespace cueline {

/// The bytes in one of the system's pages: 4096 on most systems, more on some.
std::size_t system_page_bytes() noexcept;

/// Locks the pages of `range` into memory. Returns whether the system permits it. The system does not count locks: one
/// unlock undoes all locks of a page. [control threads]
bool lock_pages(std::span<std::byte> range) noexcept;
void unlock_pages(std::span<std::byte> range) noexcept;

/// Maps `bytes` bytes, whole pages, of zeros that take no memory until somebody touches them. Throws std::bad_alloc.
/// [control threads]
std::span<std::byte> map_pages(std::size_t bytes);
void unmap_pages(std::span<std::byte> pages) noexcept;

}  // namespace cueline
