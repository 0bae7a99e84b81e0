// reserved_pages.hpp: address space for memory that grows.
#pragma once

#include <cstddef>
#include <span>

namespace cueline {

/// Whole pages of zeros that take no memory until somebody touches them. Lock those that the audio thread uses: see
/// LockedMemory. A forked child finds zeros in all of them. [control threads]
class ReservedPages {
  public:
    /// At least `bytes` bytes. Throws std::bad_alloc.
    explicit ReservedPages(std::size_t bytes);
    ~ReservedPages();
    ReservedPages(const ReservedPages&) = delete;
    ReservedPages& operator=(const ReservedPages&) = delete;

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return pages_; }

  private:
    std::span<std::byte> pages_;
};

}  // namespace cueline
