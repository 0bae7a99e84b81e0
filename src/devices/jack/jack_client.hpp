// jack_client.hpp: one client of a JACK server, from the control side: opened, its ports, its connections, closed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devices/jack/jack_library.hpp"

namespace cueline {

/// Thread: control, one at a time, and never a thread of JACK's own.
class JackClient {
  public:
    /// Throws NoDeviceError where no server runs, DeviceError where it does not take us. The server may add a number to
    /// the name.
    JackClient(const JackLibrary& jack, const std::string& name, const std::optional<std::string>& server);
    /// Ends its calls, and closes it.
    ~JackClient() = default;

    /// Of a client that lives in the process that we were forked from: leaves it alone.
    void forget() noexcept;

    /// To be called when JACK tells that a client's server has gone, before anything that may lead to a new client.
    /// Thread: any, JACK's own too. It neither waits nor allocates.
    static void note_that_the_server_has_gone() noexcept;

    [[nodiscard]] jack_client_t* get() const noexcept { return client_.get(); }
    [[nodiscard]] std::uint32_t samplerate() const { return jack_.get_sample_rate(get()); }
    [[nodiscard]] std::uint32_t blocksize() const { return jack_.get_buffer_size(get()); }

    /// Makes an output port for audio. Throws DeviceError when the server has no room for it.
    [[nodiscard]] jack_port_t* registered_port(const std::string& name) const;

    /// The names of all audio ports with these JackPortFlags, whose names match the regular expression `pattern` (null:
    /// all).
    [[nodiscard]] std::vector<std::string> ports(unsigned long flags, const char* pattern = nullptr) const;

    /// Connects our `port` to the input port of this name. Throws DeviceError when the server refuses.
    void connect(jack_port_t* port, const std::string& input) const;

    /// What lies between a sample given to the input port of this name and its sound, in frames.
    [[nodiscard]] std::uint32_t playback_latency(const std::string& input) const;

  private:
    struct Close {
        const JackLibrary& jack;
        void operator()(jack_client_t* client) const noexcept;
    };

    const JackLibrary& jack_;
    std::unique_ptr<jack_client_t, Close> client_;
};

/// Throws ArgumentError where `pattern` is no regular expression of the sort that JACK takes: JACK does not look.
void require_regular(const std::string& pattern);

}  // namespace cueline
