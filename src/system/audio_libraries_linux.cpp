// audio_libraries_linux.cpp: their names, and Debian's packages.
#include "system/audio_libraries.hpp"

namespace cueline {

LibraryName jack_library_name() {
    return {.files = {"libjack.so.0"},
            .install = "on Debian type: apt-get install libjack-jackd2-0",
            .reinstall = "on Debian type: apt-get install --reinstall libjack-jackd2-0"};
}

// RtMidi 5 and 6. Before them, its C interface was another one.
LibraryName rtmidi_library_name() {
    return {.files = {"librtmidi.so.6", "librtmidi.so.7"},
            .install = "on Debian type: apt-get install librtmidi6",
            .reinstall = "on Debian type: apt-get install --reinstall librtmidi6"};
}

LibraryName usual_portaudio_library_name() {
    return {.files = {"libportaudio.so.2"},
            .install = "on Debian type: apt-get install libportaudio2",
            .reinstall = "on Debian type: apt-get install --reinstall libportaudio2"};
}

}  // namespace cueline
