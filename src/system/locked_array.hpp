// locked_array.hpp: an array whose length is set once, on locked pages of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "system/locked_pages.hpp"

namespace cueline {

/// Owns `size()` objects, for a block to touch. With none, it has no memory. The objects keep their addresses when the
/// array is moved. A forked child finds zeros in them.
template <class T>
class LockedArray {
    static_assert(std::is_nothrow_default_constructible_v<T>);
    static_assert(std::is_trivially_destructible_v<T>, "a forked child finds zeros, which no destructor may see");

  public:
    LockedArray() = default;

    /// Makes `size` objects by their default constructor; numbers are 0. Throws std::bad_alloc. [control threads]
    explicit LockedArray(std::size_t size) : pages_{bytes_of(size)} {
        if (size == 0) return;
        T* const first = reinterpret_cast<T*>(pages_.bytes().data());
        std::uninitialized_value_construct_n(first, size);
        objects_ = {std::launder(first), size};
    }

    [[nodiscard]] std::span<T> all() noexcept { return objects_; }
    [[nodiscard]] std::span<const T> all() const noexcept { return objects_; }
    [[nodiscard]] std::size_t size() const noexcept { return objects_.size(); }

    /// Whether the pages are locked, or there are none.
    [[nodiscard]] bool granted() const noexcept { return pages_.granted(); }

  private:
    static std::size_t bytes_of(std::size_t size) {
        if (size > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_array_new_length{};
        return size * sizeof(T);
    }

    LockedPages pages_;
    std::span<T> objects_;
};

}  // namespace cueline
