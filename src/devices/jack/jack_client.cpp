// jack_client.cpp: calls libjack, and turns its refusals into exceptions.
#include "devices/jack/jack_client.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include <cueline/engine/device_request.hpp>
#include <cueline/error.hpp>

#include "system/signals_blocked.hpp"

namespace cueline {

namespace {

using namespace std::chrono_literals;

// For the whole process. Sequentially consistent, because that is simple and speed does not matter here.
std::atomic<int> clients_open = 0;
std::atomic<bool> server_gone = false;

/// When libjack opens a client, it frees all clients of this process whose server is gone. Closing one of those
/// afterwards would read freed memory. So this waits until their owners have closed them; JACK notifies the owners one
/// after the other. It takes no lock, because a fork may come at any time.
void let_others_close() {
    for (auto waited = 0ms; server_gone && clients_open > 0 && waited < 2000ms; waited += 1ms) {
        std::this_thread::sleep_for(1ms);
    }
}

std::string server_in_words(const std::optional<std::string>& server) {
    return server ? "the JACK server '" + *server + "'" : "the JACK server";
}

JackServerUse use_of(const std::optional<std::string>& server) {
    let_others_close();
    return {"the device 'jack'", server};
}

jack_client_t* opened(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server) {
    if (name.size() > JackClient::max_name_bytes) {
        throw ArgumentError{"client_name must be at most " + std::to_string(JackClient::max_name_bytes) +
                            " bytes, got " + std::to_string(name.size()) +
                            " (a letter that is not ASCII has two to four)"};
    }
    const SignalsBlocked signals_blocked;
    jack_status_t status = JackFailure;
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): flags, combined as JACK documents it
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
    constexpr std::size_t number_bytes = 3;  // "-01"
    throw NoDeviceError{"the JACK server" + called + " refused the client '" + name + "' (status " +
                        std::to_string(static_cast<unsigned>(status)) + "): it may be full, so close another client" +
                        (name.size() + number_bytes > JackClient::max_name_bytes
                             ? "; or it has a client of this name, which is too long to get a number, so shorten it"
                             : "")};
}

}  // namespace

JackClient::JackClient(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server)
    : jack_{jack},
      server_{server_in_words(server)},
      use_{use_of(server)},
      client_{opened(jack, name, server), Close{jack}} {}

void JackClient::Close::operator()(jack_client_t* client) const noexcept {
    const SignalsBlocked signals_blocked;
    jack.deactivate(client);
    jack.client_close(client);
    --clients_open;
}

void JackClient::forget() noexcept {
    if (client_.release() != nullptr) --clients_open;
}

void JackClient::mark_server_gone() noexcept {
    server_gone = true;
}

jack_port_t* JackClient::registered_port(const std::string& name, JackPortFlags direction, const char* type) const {
    jack_port_t* const port = jack_.port_register(get(), name.c_str(), type, direction, 0);
    if (port != nullptr) return port;
    throw DeviceError{"the JACK server has no room for the port " + name +
                      ": request fewer channels, or start the server with room for more (jackd --port-max)"};
}

std::vector<std::string> JackClient::ports(unsigned long flags, const char* pattern, const char* type) const {
    const char** const names = jack_.get_ports(get(), pattern, type, flags);
    std::vector<std::string> copied;
    if (names == nullptr) return copied;
    for (const char* const* name = names; *name != nullptr; ++name) copied.emplace_back(*name);
    jack_.free(static_cast<void*>(names));
    return copied;
}

std::vector<std::string> JackClient::others(const std::variant<std::string, bool>& wanted, JackPortFlags direction,
                                            std::string_view option, const char* type) const {
    const bool comes_in = direction == JackPortIsInput;
    const unsigned long opposite = comes_in ? JackPortIsOutput : JackPortIsInput;
    const auto* const pattern = std::get_if<std::string>(&wanted);
    if (pattern == nullptr) {
        return wanted == std::variant<std::string, bool>{true} ? ports(opposite | JackPortIsPhysical, nullptr, type)
                                                               : std::vector<std::string>{};
    }
    std::vector<std::string> found = ports(opposite, pattern->c_str(), type);
    if (!found.empty()) return found;
    std::string there;
    for (const std::string& other : ports(opposite, nullptr, type)) there += (there.empty() ? "" : ", ") + other;
    throw DeviceError{std::string{option} + "='" + *pattern + "' matches no " + (comes_in ? "output" : "input") +
                      " port of " + server_ + (comes_in ? ", for our inputs" : "") + "; it has " +
                      (there.empty() ? "none" : there)};
}

void JackClient::connect(jack_port_t* port, JackPortFlags direction, const std::string& other) const {
    const char* const ours = jack_.port_name(port);
    const int status = direction == JackPortIsInput ? jack_.connect(get(), other.c_str(), ours)
                                                    : jack_.connect(get(), ours, other.c_str());
    if (status != 0 && status != EEXIST)
        throw DeviceError{"the JACK server refused a connection to the port " + other + ": leave it out of connect"};
}

std::size_t JackClient::connections(jack_port_t* port) const {
    return static_cast<std::size_t>(std::max(jack_.port_connected(port), 0));
}

std::uint32_t JackClient::latency(jack_port_t* port, jack_latency_callback_mode_t mode) const {
    if (port == nullptr) return 0;
    jack_latency_range_t range{};
    jack_.port_get_latency_range(port, mode, &range);
    return range.max;
}

}  // namespace cueline
