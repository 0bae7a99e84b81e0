// jack_client.hpp: one client of a JACK server: its life, ports and connections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "devices/jack/jack_library.hpp"
#include "devices/jack_server_use.hpp"

namespace cueline {

/// [control threads, one at a time, and never a thread of JACK's]
class JackClient {
  public:
    /// jackd's longest name. jack_client_name_size() allows one byte more.
    static constexpr std::size_t max_name_bytes = 63;

    /// Throws ArgumentError if a name is too long. Throws NoDeviceError if no server runs, if the server refuses the
    /// client, or if this process uses another server. The server may add a number to the name.
    JackClient(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server);
    /// Ends the calls of our callbacks, and closes the client.
    ~JackClient() = default;

    /// For a forked child: does not close the client, because it lives in the parent process.
    void forget() noexcept;

    /// Call it when JACK reports that a client's server is gone, before anything that may lead to a new client.
    /// [any thread, also JACK's; does not wait or allocate]
    static void mark_server_gone() noexcept;

    [[nodiscard]] jack_client_t* get() const noexcept { return client_.get(); }
    [[nodiscard]] std::uint32_t samplerate() const { return jack_.get_sample_rate(get()); }
    [[nodiscard]] std::uint32_t blocksize() const { return jack_.get_buffer_size(get()); }

    // `type` is JACK_DEFAULT_AUDIO_TYPE or JACK_DEFAULT_MIDI_TYPE.

    /// Makes a port. Throws DeviceError if the server has no room for it.
    [[nodiscard]] jack_port_t* registered_port(const std::string& name, JackPortFlags direction,
                                               const char* type = JACK_DEFAULT_AUDIO_TYPE) const;

    /// The names of all ports with these JackPortFlags that match the regular expression `pattern` (null: all).
    [[nodiscard]] std::vector<std::string> ports(unsigned long flags, const char* pattern = nullptr,
                                                 const char* type = JACK_DEFAULT_AUDIO_TYPE) const;

    /// The ports of others that our ports of this direction are to be connected to, in order: the physical ones for
    /// true, none for false, or those that match a regular expression. Throws DeviceError if none matches: `option`
    /// names it.
    [[nodiscard]] std::vector<std::string> others(const std::variant<std::string, bool>& wanted,
                                                  JackPortFlags direction, std::string_view option,
                                                  const char* type = JACK_DEFAULT_AUDIO_TYPE) const;

    /// Connects our `port` of this direction to the port of this name. Throws DeviceError if the server refuses.
    void connect(jack_port_t* port, JackPortFlags direction, const std::string& other) const;

    /// How many connections of our `port` the server's blocks use. A new connection begins with a block.
    [[nodiscard]] std::size_t connections(jack_port_t* port) const;

    /// The frames between a sample at `port` and its sound, before or after it. 0 for null.
    [[nodiscard]] std::uint32_t latency(jack_port_t* port, jack_latency_callback_mode_t mode) const;

    /// The port of this name. Null if it is gone.
    [[nodiscard]] jack_port_t* port(const std::string& name) const { return jack_.port_by_name(get(), name.c_str()); }

  private:
    struct Close {
        const JackLibrary& jack;
        void operator()(jack_client_t* client) const noexcept;
    };

    const JackLibrary& jack_;
    std::string server_;  // in words
    JackServerUse use_;   // outlives the client
    std::unique_ptr<jack_client_t, Close> client_;
};

}  // namespace cueline
