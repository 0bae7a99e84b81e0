// nonblocking.hpp: marks a function of the C library as safe for the audio thread.
#pragma once

#include <cueline/ring.hpp>

namespace cueline {

/// Returns `function` as a `Marked`, a function type with CUELINE_NONBLOCKING. The C library's declarations have no
/// such mark, and not every C library lets us declare its functions again. Nothing checks the mark: state at the call
/// why it is true.
template <class Marked, class Function>
Marked* marked_nonblocking(Function* function) noexcept CUELINE_NONBLOCKING {
    // NOLINTNEXTLINE(bugprone-casting-through-void): the types differ by the mark alone
    return reinterpret_cast<Marked*>(reinterpret_cast<void*>(function));
}

}  // namespace cueline
