// jack_library.hpp: the functions of libjack that we use, found as the program runs.
#pragma once

#include <jack/jack.h>

#include <cueline/ring.hpp>

namespace cueline {

/// Each as <jack/jack.h> has it, without the prefix.
struct JackLibrary {
    decltype(&jack_client_name_size) client_name_size;
    decltype(&jack_client_open) client_open;
    decltype(&jack_client_close) client_close;
    decltype(&jack_activate) activate;
    decltype(&jack_deactivate) deactivate;
    decltype(&jack_get_sample_rate) get_sample_rate;
    decltype(&jack_get_buffer_size) get_buffer_size;
    decltype(&jack_set_process_callback) set_process_callback;
    decltype(&jack_set_thread_init_callback) set_thread_init_callback;
    decltype(&jack_set_buffer_size_callback) set_buffer_size_callback;
    decltype(&jack_set_xrun_callback) set_xrun_callback;
    decltype(&jack_on_shutdown) on_shutdown;
    decltype(&jack_port_register) port_register;
    decltype(&jack_port_name) port_name;
    decltype(&jack_port_by_name) port_by_name;
    decltype(&jack_port_get_latency_range) port_get_latency_range;
    decltype(&jack_get_ports) get_ports;
    decltype(&jack_connect) connect;
    decltype(&jack_free) free;
    decltype(&jack_set_error_function) set_error_function;
    decltype(&jack_set_info_function) set_info_function;
    /// What the audio thread calls. That it neither allocates, locks nor waits is JACK's word.
    void* (*port_get_buffer)(jack_port_t* port, jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;

    /// The system's, loaded at the first call, and told to keep its messages to itself: it prints to stderr otherwise.
    /// Thread: control, any. Throws NoDeviceError where it is missing.
    static const JackLibrary& get();
};

}  // namespace cueline
