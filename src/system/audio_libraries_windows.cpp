// audio_libraries_windows.cpp: their names, and where users find them.
#include "system/audio_libraries.hpp"

namespace cueline {

const LibraryName jack_library_name{.file = "libjack64.dll", .package = "JACK, from https://jackaudio.org"};
const LibraryName portaudio_library_name{.file = "portaudio.dll",
                                         .package = "PortAudio, beside the program or on its PATH"};

}  // namespace cueline
