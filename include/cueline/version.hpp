// version.hpp: the version of cueline. CMake and the Python package read it from here.
#pragma once

namespace cueline {

inline constexpr char version[] = "0.1.0";  // NOLINT(*-avoid-c-arrays): CMake reads the text

}  // namespace cueline
