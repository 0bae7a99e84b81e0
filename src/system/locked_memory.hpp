// locked_memory.hpp: keeps the memory that a block touches from being paged out, where that is permitted.
#pragma once

#include <cstddef>
#include <span>

namespace cueline {

/// What locked things are aligned to, so that they share no page with others. Where pages are larger, a
/// neighbour's memory is locked with ours, which costs nothing but that.
inline constexpr std::size_t page_bytes = 4096;

/// Holds a range of memory in place for as long as it lives. It locks that range only, never the process:
/// a library must not decide for all of Python's memory.
/// Thread: control, or a thread that has not begun its real-time work.
class LockedMemory {
  public:
    /// Brings every page of the range in, and asks the system to keep it. Refusal is no error: see granted().
    explicit LockedMemory(std::span<std::byte> range) noexcept;
    ~LockedMemory();
    LockedMemory(const LockedMemory&) = delete;
    LockedMemory& operator=(const LockedMemory&) = delete;

    /// Whether the system keeps the range in place (it needs room under RLIMIT_MEMLOCK, or privilege).
    [[nodiscard]] bool granted() const noexcept { return granted_; }

  private:
    std::span<std::byte> range_;
    bool granted_;
};

/// All of an object's memory. Lock only what shares no page with others: an object aligned to page_bytes.
template <class Object>
std::span<std::byte> memory_of(Object& object) noexcept {
    static_assert(alignof(Object) >= page_bytes);
    return std::as_writable_bytes(std::span{&object, 1});
}

}  // namespace cueline
