// balance.hpp: the gains of outputs for a pan, of a voice and of a part.
#pragma once

#include <algorithm>
#include <cstddef>

#include <cueline/ring.hpp>

namespace cueline {

/// The gain of an output for a pan from -1 to 1. In the middle all outputs are left as they are. To a side, the other
/// one of the first two is turned down in proportion: at -1 the second is silent, at 1 the first.
inline float pan_gain(float pan, std::size_t output, std::size_t outputs) noexcept CUELINE_NONBLOCKING {
    if (outputs < 2 || output > 1) return 1;
    return std::min(1.0F, output == 0 ? 1 - pan : 1 + pan);
}

}  // namespace cueline
