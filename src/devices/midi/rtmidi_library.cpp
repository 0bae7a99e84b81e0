// rtmidi_library.cpp: finds the functions of RtMidi's library.
#include "devices/midi/rtmidi_library.hpp"

#include "system/audio_libraries.hpp"
#include "system/shared_library.hpp"

namespace cueline {

namespace {

RtMidiLibrary load() {
    const SharedLibrary library{rtmidi_library_name()};
    RtMidiLibrary rtmidi{};
    library.find(rtmidi.get_compiled_api, "rtmidi_get_compiled_api");
    library.find(rtmidi.in_create, "rtmidi_in_create");
    library.find(rtmidi.in_free, "rtmidi_in_free");
    library.find(rtmidi.in_set_callback, "rtmidi_in_set_callback");
    library.find(rtmidi.in_ignore_types, "rtmidi_in_ignore_types");
    library.find(rtmidi.get_port_count, "rtmidi_get_port_count");
    library.find(rtmidi.get_port_name, "rtmidi_get_port_name");
    library.find(rtmidi.open_port, "rtmidi_open_port");
    return rtmidi;
}

}  // namespace

const RtMidiLibrary& RtMidiLibrary::get() {
    static const RtMidiLibrary loaded = load();
    return loaded;
}

}  // namespace cueline
