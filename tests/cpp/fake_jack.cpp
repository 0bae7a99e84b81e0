// fake_jack.cpp: the functions of the fake JACK.
#include "fake_jack.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <deque>

#include "devices/jack/jack_device.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {

namespace {

FakeJack* now = nullptr;

using Process = int(jack_nframes_t, void*) noexcept CUELINE_NONBLOCKING;
Process* process = nullptr;
void* process_argument = nullptr;

}  // namespace

struct FakeJackFunctions {
    using Port = FakeJack::Port;

    static Port& of(const jack_port_t* port) {
        return *reinterpret_cast<Port*>(
            const_cast<jack_port_t*>(port));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    }

    // NOLINTNEXTLINE(cert-dcl50-cpp,modernize-avoid-variadic-functions): as JACK declares it
    static jack_client_t* client_open(const char*, jack_options_t options, jack_status_t* status, ...) {
        va_list more;
        va_start(more, status);
        now->servers.emplace_back((options & JackServerName) != 0 ? va_arg(more, const char*) : "default");
        va_end(more);
        // A status is a set of flags.
        // NOLINTNEXTLINE(bugprone-invalid-enum-default-initialization,clang-analyzer-optin.core.EnumCastOutOfRange)
        *status = now->refuses ? static_cast<jack_status_t>(JackFailure | JackServerError) : jack_status_t{};
        return now->refuses ? nullptr : reinterpret_cast<jack_client_t*>(now);
    }

    static int client_close(jack_client_t*) {
        process = nullptr;
        {
            const std::scoped_lock lock{now->changing_};
            now->samplerate_callback_ = nullptr;
        }
        now->ports_.clear();
        now->connections.clear();
        return 0;
    }

    static int set_process_callback(jack_client_t*, JackProcessCallback callback, void* argument) {
        now->before_callbacks();
        process = reinterpret_cast<Process*>(callback);
        process_argument = argument;
        return 0;
    }

    /// Calls it at once, as jackd's library does.
    static int set_sample_rate_callback(jack_client_t*, JackSampleRateCallback callback, void* argument) {
        now->samplerate_callback_ = callback;
        now->samplerate_argument_ = argument;
        return callback(now->samplerate, argument);
    }

    static bool is_midi(const char* type) { return std::string_view{type} == JACK_DEFAULT_MIDI_TYPE; }

    static jack_port_t* port_register(jack_client_t*, const char* name, const char* type, unsigned long,
                                      unsigned long) {
        constexpr std::size_t longest_block = 8192;
        now->ports_.push_back(std::make_unique<Port>(
            Port{std::string{"cueline:"} + name, std::vector<float>(longest_block), {}, is_midi(type)}));
        return reinterpret_cast<jack_port_t*>(now->ports_.back().get());
    }

    static const char** get_ports(jack_client_t*, const char*, const char* type, unsigned long flags) {
        const bool inputs = (flags & JackPortIsInput) != 0;
        const std::scoped_lock lock{now->ports_mutex_};
        const std::vector<std::string>& audio = inputs ? now->inputs : now->outputs;
        const std::vector<std::string>& midi = inputs ? now->midi_inputs : now->midi_outputs;
        const std::vector<std::string>& ports = is_midi(type) ? midi : audio;
        if (ports.empty()) return nullptr;
        auto** const names = static_cast<const char**>(std::calloc(ports.size() + 1, sizeof(const char*)));
        static std::deque<std::string> kept;  // a list outlives the ports
        for (std::size_t index = 0; index < ports.size(); ++index)
            names[index] = kept.emplace_back(ports[index]).c_str();
        return names;
    }

    static int connect(jack_client_t*, const char* from, const char* to) {
        now->before_connecting();
        const std::scoped_lock lock{now->ports_mutex_};
        now->connections.emplace_back(from, to);
        return 0;
    }

    static int port_connected(const jack_port_t* port) {
        now->before_looking();
        if (now->looks_until_connected > 0) {
            --now->looks_until_connected;
            return 0;
        }
        int count = 0;
        for (const auto& [from, to] : now->connections_now()) {
            count += from == of(port).name || to == of(port).name ? 1 : 0;
        }
        return count;
    }
};

FakeJack::FakeJack() {
    using Functions = FakeJackFunctions;
    now = this;
    library_.client_open = &Functions::client_open;
    library_.client_close = &Functions::client_close;
    library_.activate = [](jack_client_t*) { return 0; };
    library_.deactivate = [](jack_client_t*) { return 0; };
    library_.get_sample_rate = [](jack_client_t*) { return now->samplerate.load(); };
    library_.get_buffer_size = [](jack_client_t*) { return now->blocksize; };
    library_.set_process_callback = &Functions::set_process_callback;
    library_.set_thread_init_callback = [](jack_client_t*, JackThreadInitCallback, void*) { return 0; };
    library_.set_sample_rate_callback = &Functions::set_sample_rate_callback;
    library_.set_xrun_callback = [](jack_client_t*, JackXRunCallback, void*) { return 0; };
    library_.on_shutdown = [](jack_client_t*, JackShutdownCallback, void*) {};
    library_.port_register = &Functions::port_register;
    library_.port_name = [](const jack_port_t* port) { return Functions::of(port).name.c_str(); };
    library_.port_connected = &Functions::port_connected;
    library_.port_by_name = [](jack_client_t*, const char*) -> jack_port_t* { return nullptr; };
    library_.port_get_latency_range = [](jack_port_t*, jack_latency_callback_mode_t mode, jack_latency_range_t* range) {
        range->min = 0;
        range->max = mode == JackCaptureLatency ? now->capture_latency : now->playback_latency;
    };
    library_.get_ports = &Functions::get_ports;
    library_.connect = &Functions::connect;
    library_.free = [](void* memory) { std::free(memory); };
    library_.port_get_buffer = [](jack_port_t* port, jack_nframes_t) noexcept CUELINE_NONBLOCKING -> void* {
        Port& ours = *reinterpret_cast<Port*>(port);
        return ours.midi ? static_cast<void*>(&ours) : ours.samples.data();
    };
    // The buffer of a MIDI port is the port.
    library_.midi_get_event_count = [](void* buffer) noexcept CUELINE_NONBLOCKING -> jack_nframes_t {
        return static_cast<jack_nframes_t>(static_cast<Port*>(buffer)->events.size());
    };
    library_.midi_event_get = [](jack_midi_event_t* event, void* buffer, std::uint32_t index) noexcept
        CUELINE_NONBLOCKING -> int {
        FakeJack::Event& its = static_cast<Port*>(buffer)->events[index];
        *event = {.time = its.frame, .size = its.bytes.size(), .buffer = its.bytes.data()};
        return 0;
    };
    library_.midi_clear_buffer = [](void* buffer) noexcept
        CUELINE_NONBLOCKING { break_the_rule([&] { static_cast<Port*>(buffer)->events.clear(); }); };
    library_.midi_event_write = [](void* buffer, jack_nframes_t frame, const jack_midi_data_t* bytes,
                                   std::size_t size) noexcept CUELINE_NONBLOCKING -> int {
        std::vector<FakeJack::Event>& events = static_cast<Port*>(buffer)->events;
        if (events.size() >= now->room_for_events) return -1;
        if (!events.empty() && events.back().frame > frame) return -1;
        break_the_rule([&] { events.push_back({frame, {bytes, bytes + size}}); });
        return 0;
    };
    library_.midi_get_lost_event_count = [](void*) noexcept
        CUELINE_NONBLOCKING -> std::uint32_t { return now->lost_events; };
}

FakeJack::~FakeJack() {
    now = nullptr;
}

std::unique_ptr<Device> FakeJack::device(const DeviceRequest& request) const {
    return std::make_unique<JackDevice>(library_, request);
}

FakeJack::Port& FakeJack::port(std::string_view name) const {
    return **std::ranges::find(ports_, name, [](const auto& one) { return one->name; });
}

std::vector<float>& FakeJack::samples(std::string_view name) const {
    return port(name).samples;
}

std::vector<FakeJack::Event>& FakeJack::events(std::string_view name) const {
    return port(name).events;
}

void FakeJack::play(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING {
    if (process != nullptr) process(frames, process_argument);
}

void FakeJack::change_samplerate(jack_nframes_t rate) {
    JackSampleRateCallback callback = nullptr;
    {
        const std::scoped_lock lock{changing_};  // the device's helper may close the client
        samplerate = rate;
        callback = samplerate_callback_;
    }
    if (callback != nullptr) callback(rate, samplerate_argument_);
}

}  // namespace cueline::test
