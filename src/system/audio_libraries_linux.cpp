// audio_libraries_linux.cpp: their names, and Debian's packages.
#include "system/audio_libraries.hpp"

namespace cueline {

LibraryName jack_library_name() {
    return {.files = {"libjack.so.0"},
            .install = "on Debian type: apt-get install libjack-jackd2-0",
            .reinstall = "on Debian type: apt-get install --reinstall libjack-jackd2-0"};
}

LibraryName usual_portaudio_library_name() {
    return {.files = {"libportaudio.so.2"},
            .install = "on Debian type: apt-get install libportaudio2",
            .reinstall = "on Debian type: apt-get install --reinstall libportaudio2"};
}

}  // namespace cueline
