// audio_libraries_linux.cpp: their names, and Debian's packages.
#include "system/audio_libraries.hpp"

namespace cueline {

const LibraryName jack_library_name{.file = "libjack.so.0", .package = "libjack-jackd2-0"};
const LibraryName portaudio_library_name{.file = "libportaudio.so.2", .package = "libportaudio2"};

}  // namespace cueline
