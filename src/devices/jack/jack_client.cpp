// jack_client.cpp: libjack's calls, with its refusals in words.
#include "devices/jack/jack_client.hpp"

#include <regex.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include <cueline/engine/device_request.hpp>
#include <cueline/error.hpp>

namespace cueline {

namespace {

using namespace std::chrono_literals;

// Of this process. Sequentially consistent, for simplicity: nobody here is in a hurry.
std::atomic<int> clients_open = 0;
std::atomic<bool> server_gone = false;

/// libjack frees all clients that a process still has of a server that has gone, when it is asked for a new one: who
/// closes one of those after that reads freed memory. So those who have one are given the time to close it first; each
/// is told that the server has gone, if not at the same time. No lock, for a fork may come at any time.
void let_others_close() {
    for (auto waited = 0ms; server_gone && clients_open > 0 && waited < 2000ms; waited += 1ms) {
        std::this_thread::sleep_for(1ms);
    }
}

jack_client_t* opened(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server) {
    let_others_close();
    jack_status_t status = JackFailure;
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): flags, put together as JACK has it
    const auto options = static_cast<jack_options_t>(server ? JackNoStartServer | JackServerName : JackNoStartServer);
    jack_client_t* const client = server ? jack.client_open(name.c_str(), options, &status, server->c_str())
                                         : jack.client_open(name.c_str(), options, &status);
    if (client != nullptr) {
        server_gone = false;
        ++clients_open;
        return client;
    }
    const std::string called = server ? " called '" + *server + "'" : "";
    if ((status & JackServerFailed) != 0) {
        throw NoDeviceError{"no JACK server" + called +
                            " runs here: start one (jackd -d alsa, or PipeWire with pw-jack), or use another device"};
    }
    throw DeviceError{"the JACK server" + called + " does not take the client '" + name + "' (status " +
                      std::to_string(static_cast<unsigned>(status)) + "): has it room for one more?"};
}

}  // namespace

JackClient::JackClient(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server)
    : jack_{jack}, client_{opened(jack, name, server), Close{jack}} {}

void JackClient::Close::operator()(jack_client_t* client) const noexcept {
    jack.deactivate(client);
    jack.client_close(client);
    --clients_open;
}

void JackClient::forget() noexcept {
    if (client_.release() != nullptr) --clients_open;
}

void JackClient::note_that_the_server_has_gone() noexcept {
    server_gone = true;
}

jack_port_t* JackClient::registered_port(const std::string& name) const {
    jack_port_t* const port = jack_.port_register(get(), name.c_str(), JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    if (port != nullptr) return port;
    throw DeviceError{"the JACK server has no room for the port " + name +
                      ": ask for fewer channels, or start it with room for more (jackd --port-max)"};
}

std::vector<std::string> JackClient::ports(unsigned long flags, const char* pattern) const {
    const char** const names = jack_.get_ports(get(), pattern, JACK_DEFAULT_AUDIO_TYPE, flags);
    std::vector<std::string> copied;
    if (names == nullptr) return copied;
    for (const char* const* name = names; *name != nullptr; ++name) copied.emplace_back(*name);
    jack_.free(static_cast<void*>(names));
    return copied;
}

void JackClient::connect(jack_port_t* port, const std::string& input) const {
    const int status = jack_.connect(get(), jack_.port_name(port), input.c_str());
    if (status != 0 && status != EEXIST) throw DeviceError{"the JACK server does not connect us to " + input};
}

std::uint32_t JackClient::playback_latency(const std::string& input) const {
    jack_port_t* const port = jack_.port_by_name(get(), input.c_str());
    if (port == nullptr) return 0;  // it is gone since it was listed
    jack_latency_range_t range{};
    jack_.port_get_latency_range(port, JackPlaybackLatency, &range);
    return range.max;
}

void require_regular(const std::string& pattern) {
    regex_t compiled{};
    if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
        throw ArgumentError{"connect must be True, False or a regular expression, got '" + pattern + "'"};
    }
    regfree(&compiled);
}

}  // namespace cueline
