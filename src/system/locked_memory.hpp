// locked_memory.hpp: keeps memory that a block touches from being paged out, where the system permits it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cueline {

/// The alignment of objects that are locked, so that they do not share a page with other objects.
inline constexpr std::size_t page_bytes = 4096;

/// While it lives, locks memory that has another owner: an object, a stack, a user's state. Ranges may share pages. A
/// page stays locked until the last range on it ends. For memory of your own, use LockedPages.
/// It locks this range and never the whole process: a library must not decide about all of Python's memory.
/// [any thread but an audio thread that runs blocks]
class LockedMemory {
  public:
    /// Brings every page of the range into memory and locks it. If the system refuses the lock, that is no error: see
    /// granted().
    explicit LockedMemory(std::span<std::byte> range) noexcept;
    ~LockedMemory();
    LockedMemory(const LockedMemory&) = delete;
    LockedMemory& operator=(const LockedMemory&) = delete;

    /// Whether the range is locked. That needs room under RLIMIT_MEMLOCK, or privilege.
    [[nodiscard]] bool granted() const noexcept { return granted_; }

  private:
    void unlock_what_no_other_holds() const noexcept;

    // The addresses of whole pages, from the first to behind the last, and the next of all ranges that are locked.
    std::uintptr_t begin_ = 0;
    std::uintptr_t end_ = 0;
    LockedMemory* next_ = nullptr;
    bool granted_ = true;
};

/// All memory of an object that does not share a page with other objects.
template <class Object>
std::span<std::byte> memory_of(Object& object) noexcept {
    static_assert(alignof(Object) >= page_bytes);
    return std::as_writable_bytes(std::span{&object, 1});
}

}  // namespace cueline
