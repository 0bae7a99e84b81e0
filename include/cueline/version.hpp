// version.hpp: which cueline this is. The one place: CMake and the Python package read it here.
#pragma once

namespace cueline {

inline constexpr char version[] = "0.1.0";  // NOLINT(*-avoid-c-arrays): what is read by others is plain text

}  // namespace cueline
