// float_mode.hpp: the floating-point mode in which blocks are rendered.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// While it lives, the calling thread has the mode of all blocks, whatever mode it had: denormal numbers are zero, as
/// operands and as results; results are rounded to nearest; nothing traps. So a sound that fades away does not make the
/// processor slow, and each thread renders the same samples. On a processor other than x86 and ARM it changes nothing.
/// [audio thread, wait-free]
class BlockFloatMode {
  public:
    BlockFloatMode() noexcept CUELINE_NONBLOCKING;
    /// Restores the thread's own mode.
    ~BlockFloatMode() noexcept CUELINE_NONBLOCKING;
    BlockFloatMode(const BlockFloatMode&) = delete;
    BlockFloatMode& operator=(const BlockFloatMode&) = delete;

  private:
    std::uint64_t before_;
};

}  // namespace cueline
