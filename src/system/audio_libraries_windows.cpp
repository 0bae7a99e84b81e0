// audio_libraries_windows.cpp: their names, and where users find them.
#include "system/audio_libraries.hpp"

namespace cueline {

LibraryName jack_library_name() {
    return {.files = {"libjack64.dll"},
            .install = "install JACK, from https://jackaudio.org",
            .reinstall = "install JACK again, from https://jackaudio.org"};
}

// As vcpkg and MSYS2 name it.
LibraryName rtmidi_library_name() {
    return {.files = {"rtmidi.dll", "librtmidi.dll", "librtmidi-7.dll", "librtmidi-6.dll"},
            .install = "put rtmidi.dll, of RtMidi 5 or 6, beside the program",
            .reinstall = "put another one beside the program"};
}

// As vcpkg, PortAudio's own build for 64 bits, MSYS2 and conda name it.
LibraryName usual_portaudio_library_name() {
    return {.files = {"portaudio.dll", "portaudio_x64.dll", "libportaudio.dll", "libportaudio-2.dll"},
            .install = "for Python type: pip install sounddevice, which brings it; else put it beside the program",
            .reinstall = "put another one beside the program"};
}

}  // namespace cueline
