// audio_libraries_macos.cpp: their names, and Homebrew's packages.
#include "system/audio_libraries.hpp"

namespace cueline {

const LibraryName jack_library_name{.file = "libjack.0.dylib", .package = "jack"};
const LibraryName portaudio_library_name{.file = "libportaudio.2.dylib", .package = "portaudio"};

}  // namespace cueline
