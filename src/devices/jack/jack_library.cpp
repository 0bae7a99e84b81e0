// jack_library.cpp: finds the functions of libjack.
#include "devices/jack/jack_library.hpp"

#include "system/audio_libraries.hpp"
#include "system/shared_library.hpp"

namespace cueline {

namespace {

void keep_quiet(const char* /*message*/) {}

JackLibrary load() {
    const SharedLibrary library{jack_library_name()};
    JackLibrary jack{};
    library.find(jack.client_open, "jack_client_open");
    library.find(jack.client_close, "jack_client_close");
    library.find(jack.activate, "jack_activate");
    library.find(jack.deactivate, "jack_deactivate");
    library.find(jack.get_sample_rate, "jack_get_sample_rate");
    library.find(jack.get_buffer_size, "jack_get_buffer_size");
    library.find(jack.set_process_callback, "jack_set_process_callback");
    library.find(jack.set_thread_init_callback, "jack_set_thread_init_callback");
    library.find(jack.set_sample_rate_callback, "jack_set_sample_rate_callback");
    library.find(jack.set_xrun_callback, "jack_set_xrun_callback");
    library.find(jack.on_shutdown, "jack_on_shutdown");
    library.find(jack.port_register, "jack_port_register");
    library.find(jack.port_name, "jack_port_name");
    library.find(jack.port_connected, "jack_port_connected");
    library.find(jack.port_by_name, "jack_port_by_name");
    library.find(jack.port_get_latency_range, "jack_port_get_latency_range");
    library.find(jack.get_ports, "jack_get_ports");
    library.find(jack.connect, "jack_connect");
    library.find(jack.free, "jack_free");
    library.find(jack.set_error_function, "jack_set_error_function");
    library.find(jack.set_info_function, "jack_set_info_function");
    library.find(jack.port_get_buffer, "jack_port_get_buffer");
    library.find(jack.midi_get_event_count, "jack_midi_get_event_count");
    library.find(jack.midi_event_get, "jack_midi_event_get");
    library.find(jack.midi_clear_buffer, "jack_midi_clear_buffer");
    library.find(jack.midi_event_write, "jack_midi_event_write");
    library.find(jack.midi_get_lost_event_count, "jack_midi_get_lost_event_count");
    return jack;
}

}  // namespace

const JackLibrary& JackLibrary::get() {
    static const JackLibrary loaded = load();
    loaded.set_error_function(&keep_quiet);  // each time: other code in this process may have set its own
    loaded.set_info_function(&keep_quiet);
    return loaded;
}

}  // namespace cueline
