// audio_libraries_macos.cpp: their names, and where Homebrew and MacPorts have them, which the loader does not search.
#include "system/audio_libraries.hpp"

namespace cueline {

LibraryName jack_library_name() {
    return {.files = {"libjack.0.dylib", "/opt/homebrew/lib/libjack.0.dylib", "/opt/local/lib/libjack.0.dylib"},
            .install = "with Homebrew type: brew install jack",
            .reinstall = "with Homebrew type: brew reinstall jack"};
}

LibraryName rtmidi_library_name() {
    return {.files = {"librtmidi.7.dylib", "/opt/homebrew/lib/librtmidi.7.dylib", "librtmidi.6.dylib",
                      "/opt/homebrew/lib/librtmidi.6.dylib"},
            .install = "with Homebrew type: brew install rtmidi",
            .reinstall = "with Homebrew type: brew reinstall rtmidi"};
}

LibraryName usual_portaudio_library_name() {
    return {
        .files = {"libportaudio.2.dylib", "/opt/homebrew/lib/libportaudio.2.dylib",
                  "/opt/local/lib/libportaudio.2.dylib"},
        .install = "for Python type: pip install sounddevice, which brings it; with Homebrew: brew install portaudio",
        .reinstall = "for Python type: pip install sounddevice; with Homebrew: brew reinstall portaudio"};
}

}  // namespace cueline
