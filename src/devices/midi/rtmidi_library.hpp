// rtmidi_library.hpp: the functions of RtMidi's library that we use, loaded while the program runs.
#pragma once

#include <cstddef>

namespace cueline {

/// A port of RtMidi's, as its C interface has it since version 5. We declare it ourselves, so that no build needs its
/// header.
struct RtMidiHandle {
    void* object;
    void* data;
    bool ok;              ///< whether the last call succeeded
    const char* message;  ///< RtMidi 5 leaves it on a text that it has freed: do not read it
};

inline constexpr unsigned rtmidi_jack = 3;  ///< the number of JACK, among the systems

using RtMidiCallback = void (*)(double seconds, const unsigned char* bytes, std::size_t size, void* user);

/// The functions of <rtmidi_c.h>, without the prefix. [control threads and helper threads]
struct RtMidiLibrary {
    /// Writes the numbers of the systems that it was built for, and returns how many they are.
    int (*get_compiled_api)(unsigned* apis, unsigned size);
    RtMidiHandle* (*in_create)(unsigned api, const char* client_name, unsigned queue_size);
    void (*in_free)(RtMidiHandle* port);
    void (*in_set_callback)(RtMidiHandle* port, RtMidiCallback callback, void* user);
    void (*in_ignore_types)(RtMidiHandle* port, bool sysex, bool time, bool sense);
    unsigned (*get_port_count)(RtMidiHandle* port);
    /// Writes the name, and a 0 at its end. Without a `name`, it sets `size` to what they take.
    int (*get_port_name)(RtMidiHandle* port, unsigned number, char* name, int* size);
    void (*open_port)(RtMidiHandle* port, unsigned number, const char* our_name);

    /// The system's library. The first call loads it. Throws NoDeviceError if it is missing. [control threads]
    static const RtMidiLibrary& get();
};

}  // namespace cueline
