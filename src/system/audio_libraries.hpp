// audio_libraries.hpp: where each system has the libraries of JACK and PortAudio.
#pragma once

namespace cueline {

/// What SharedLibrary needs to open a library.
struct LibraryName {
    const char* file;
    const char* package;
};

extern const LibraryName jack_library_name;
extern const LibraryName portaudio_library_name;

}  // namespace cueline
