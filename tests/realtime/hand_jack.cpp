// hand_jack.cpp: the functions of a JACK server that does nothing by itself.
#include <array>
#include <cstddef>

#include "devices/jack/jack_device.hpp"
#include "hand_jack.hpp"

namespace cueline::test {

namespace {

constexpr jack_nframes_t frames = 64;

using Process = int(jack_nframes_t, void*) noexcept CUELINE_NONBLOCKING;
Process* process = nullptr;
void* process_argument = nullptr;
std::array<std::array<float, frames>, 2> buffers;
std::array<char, 2> ports;  // their addresses stand for the ports
std::size_t registered = 0;

// NOLINTNEXTLINE(cert-dcl50-cpp,modernize-avoid-variadic-functions): as JACK declares it
jack_client_t* opened(const char*, jack_options_t, jack_status_t*, ...) {
    return reinterpret_cast<jack_client_t*>(&buffers);  // any address: nothing reads it
}

JackLibrary hand_jack() {
    JackLibrary jack{};
    jack.client_name_size = [] { return 64; };
    jack.client_open = &opened;
    jack.client_close = [](jack_client_t*) { return 0; };
    jack.activate = [](jack_client_t*) { return 0; };
    jack.deactivate = [](jack_client_t*) { return 0; };
    jack.get_sample_rate = [](jack_client_t*) -> jack_nframes_t { return 48'000; };
    jack.get_buffer_size = [](jack_client_t*) { return frames; };
    jack.set_process_callback = [](jack_client_t*, JackProcessCallback callback, void* argument) {
        process = reinterpret_cast<Process*>(callback);
        process_argument = argument;
        return 0;
    };
    jack.set_thread_init_callback = [](jack_client_t*, JackThreadInitCallback, void*) { return 0; };
    jack.set_buffer_size_callback = [](jack_client_t*, JackBufferSizeCallback, void*) { return 0; };
    jack.set_xrun_callback = [](jack_client_t*, JackXRunCallback, void*) { return 0; };
    jack.on_shutdown = [](jack_client_t*, JackShutdownCallback, void*) {};
    jack.port_register = [](jack_client_t*, const char*, const char*, unsigned long, unsigned long) {
        return reinterpret_cast<jack_port_t*>(&ports.at(registered++ % ports.size()));
    };
    jack.port_get_buffer = [](jack_port_t* port, jack_nframes_t) noexcept
        CUELINE_NONBLOCKING -> void* { return buffers[reinterpret_cast<char*>(port) == ports.data() ? 0 : 1].data(); };
    return jack;
}

}  // namespace

std::unique_ptr<Device> device_on_hand_jack() {
    static const JackLibrary jack = hand_jack();
    return std::make_unique<JackDevice>(jack, DeviceRequest{.connect = false});
}

void run_jack_block() noexcept CUELINE_NONBLOCKING {
    process(frames, process_argument);
}

}  // namespace cueline::test
