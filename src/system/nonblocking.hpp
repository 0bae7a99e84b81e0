// nonblocking.hpp: marks a function of the C library as safe for the audio thread.
#pragma once

#include <cueline/ring.hpp>

namespace cueline {

/// Returns `function` as a `Marked`, a function type with CUELINE_NONBLOCKING. The C library declares no such marks,
/// and to declare its functions again works with some C libraries only. The mark is our word: state at the call why it
/// holds.
template <class Marked, class Function>
Marked* marked_nonblocking(Function* function) noexcept CUELINE_NONBLOCKING {
    return reinterpret_cast<Marked*>(reinterpret_cast<void*>(function));
}

}  // namespace cueline
