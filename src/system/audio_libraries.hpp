// audio_libraries.hpp: where each system has the libraries of JACK, PortAudio and RtMidi.
#pragma once

#include <string>

#include "system/shared_library.hpp"

namespace cueline {

LibraryName jack_library_name();

LibraryName rtmidi_library_name();

/// With the file of look_for_portaudio_at(), if there is one.
LibraryName portaudio_library_name();

/// PortAudio's names where the system, its packages or the user put it.
LibraryName usual_portaudio_library_name();

/// `file` is opened if PortAudio is found by none of its usual names. A Python package may bring it.
/// [control threads; before PortAudio is first used]
void look_for_portaudio_at(std::string file);

}  // namespace cueline
