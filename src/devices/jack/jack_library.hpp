// jack_library.hpp: the functions of libjack that we use, loaded while the program runs.
#pragma once

#include <jack/jack.h>
#include <jack/midiport.h>

#include <cstddef>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// The names and types of <jack/jack.h>, without the prefix.
struct JackLibrary {
    decltype(&jack_client_open) client_open;
    decltype(&jack_client_close) client_close;
    decltype(&jack_activate) activate;
    decltype(&jack_deactivate) deactivate;
    decltype(&jack_get_sample_rate) get_sample_rate;
    decltype(&jack_get_buffer_size) get_buffer_size;
    decltype(&jack_set_process_callback) set_process_callback;
    decltype(&jack_set_thread_init_callback) set_thread_init_callback;
    decltype(&jack_set_sample_rate_callback) set_sample_rate_callback;
    decltype(&jack_set_xrun_callback) set_xrun_callback;
    decltype(&jack_on_shutdown) on_shutdown;
    decltype(&jack_port_register) port_register;
    decltype(&jack_port_name) port_name;
    decltype(&jack_port_connected) port_connected;
    decltype(&jack_port_by_name) port_by_name;
    decltype(&jack_port_get_latency_range) port_get_latency_range;
    decltype(&jack_get_ports) get_ports;
    decltype(&jack_connect) connect;
    decltype(&jack_free) free;
    decltype(&jack_set_error_function) set_error_function;
    decltype(&jack_set_info_function) set_info_function;
    // For the audio thread: JACK promises that they do not allocate, lock or wait.
    void* (*port_get_buffer)(jack_port_t* port, jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;
    jack_nframes_t (*midi_get_event_count)(void* buffer) noexcept CUELINE_NONBLOCKING;
    int (*midi_event_get)(jack_midi_event_t* event, void* buffer, std::uint32_t index) noexcept CUELINE_NONBLOCKING;
    void (*midi_clear_buffer)(void* buffer) noexcept CUELINE_NONBLOCKING;
    int (*midi_event_write)(void* buffer, jack_nframes_t frame, const jack_midi_data_t* bytes,
                            std::size_t size) noexcept CUELINE_NONBLOCKING;
    std::uint32_t (*midi_get_lost_event_count)(void* buffer) noexcept CUELINE_NONBLOCKING;

    /// The system's library. The first call loads it. Every call silences its messages, which would go to stderr.
    /// Throws NoDeviceError if it is missing. [control threads]
    static const JackLibrary& get();
};

}  // namespace cueline
