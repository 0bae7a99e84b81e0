// fork_private.hpp: memory that a forked child does not share with its parent.
#pragma once

#include <cstddef>
#include <span>

namespace cueline {

/// After a fork, the system copies each shared page when the parent writes to it, and the parent waits for that. These
/// two functions exclude whole pages: the parent writes to them without a page fault, and the child finds zeros. They
/// do nothing if the system refuses, or if `pages` does not begin and end where the system's pages do.
/// [control threads]
void wipe_on_fork(std::span<std::byte> pages) noexcept;

/// Lets a child inherit `pages` again. Call it before they are freed: the heap reuses them.
void keep_on_fork(std::span<std::byte> pages) noexcept;

/// Calls wipe_on_fork(), and keep_on_fork() at its end. It must not lie on the pages itself.
class WipedOnFork {
  public:
    explicit WipedOnFork(std::span<std::byte> pages) noexcept : pages_{pages} { wipe_on_fork(pages_); }
    ~WipedOnFork() { keep_on_fork(pages_); }
    WipedOnFork(const WipedOnFork&) = delete;
    WipedOnFork& operator=(const WipedOnFork&) = delete;

  private:
    std::span<std::byte> pages_;
};

}  // namespace cueline
