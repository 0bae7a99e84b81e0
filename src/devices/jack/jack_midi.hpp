// jack_midi.hpp: the ports for MIDI of a client of a JACK server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>

#include "devices/jack/jack_client.hpp"
#include "devices/jack/jack_library.hpp"

namespace cueline {

/// Ports midi_in_1, midi_in_2, and so on, and midi_out_1, midi_out_2. JACK's events have a frame within the block, and
/// that is where their messages apply. So they come and go with no delay, and without jitter beyond that of whoever
/// sends them.
class JackMidi {
  public:
    JackMidi(const JackLibrary& jack, std::uint32_t inputs, std::uint32_t outputs) noexcept
        : jack_{jack}, input_count_{inputs}, output_count_{outputs} {}

    [[nodiscard]] MidiPorts ports() const noexcept { return {.inputs = input_count_, .outputs = output_count_}; }
    [[nodiscard]] MidiStats stats() const noexcept;

    // Control threads.

    /// Throws DeviceError if the server has no room for a port.
    void register_ports(const JackClient& client);

    /// Connects the ports as `request` says. Returns how many connections it made. Throws what JackClient::others() and
    /// JackClient::connect() throw.
    [[nodiscard]] std::size_t connect(const JackClient& client, const DeviceRequest& request);

    /// From now on, connect_new() connects the ports of others that match `pattern` too.
    void want(JackPortFlags direction, const std::string& pattern);

    /// Connects our ports to those of others that match `pattern` and are not connected yet.
    void connect_all(const JackClient& client, JackPortFlags direction, const std::string& pattern) const;

    /// Connects the ports of others that are wanted and have come since the last call, or since connect().
    void connect_new(const JackClient& client);

    /// How many connections the server's blocks use.
    [[nodiscard]] std::size_t connections(const JackClient& client) const;

    // Audio thread.

    /// Begins a block: empties the outputs, and returns the messages of the inputs, in the order of their frames, each
    /// with its frame in the block. They stay until the next call. Of all inputs together, it reads max_midi_messages
    /// events, and counts the others.
    [[nodiscard]] std::span<const Message> read(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING;

    /// Sends messages, which are in the order of their frames, at those frames of the block.
    void write(std::span<const Message> messages) noexcept CUELINE_NONBLOCKING;

    void count_received(std::size_t messages) noexcept CUELINE_NONBLOCKING { received_.add(messages); }
    void count_dropped(std::size_t messages) noexcept CUELINE_NONBLOCKING { dropped_.add(messages); }

  private:
    /// The events of an input in the present block.
    struct Events {
        void* buffer;
        std::uint32_t count;
        std::uint32_t next;       // the number of the event after `first`
        jack_midi_event_t first;  // that is not read yet, if there is one
        bool any;
    };

    [[nodiscard]] std::size_t connect(const JackClient& client, JackPortFlags direction,
                                      const std::variant<std::string, bool>& wanted) const;
    [[nodiscard]] std::span<jack_port_t* const> ports(JackPortFlags direction) const noexcept;
    void connect_one(const JackClient& client, JackPortFlags direction, const std::string& other) const;

    /// The ports of one direction: what of others they are connected to, and which of others were there.
    struct Others {
        std::variant<std::string, bool> first = false;  // of the request
        std::vector<std::string> wanted;                // later
        std::vector<std::string> seen;
        [[nodiscard]] std::vector<std::string> now(const JackClient& client, JackPortFlags direction) const;
    };
    [[nodiscard]] Others& others(JackPortFlags direction) noexcept {
        return direction == JackPortIsInput ? of_inputs_ : of_outputs_;
    }

    void go_on(Events& events) const noexcept CUELINE_NONBLOCKING;

    const JackLibrary& jack_;
    const std::uint32_t input_count_;
    const std::uint32_t output_count_;
    Others of_inputs_;   // the control threads', under JackDevice's mutex
    Others of_outputs_;  // the same
    std::array<jack_port_t*, max_midi_ports> inputs_{};
    std::array<jack_port_t*, max_midi_ports> outputs_{};
    std::array<void*, max_midi_ports> output_buffers_{};  // of the present block
    std::array<Events, max_midi_ports> events_{};
    std::array<Message, max_midi_messages> messages_;
    Counter received_;
    Counter dropped_;
    Counter sysex_;
    Counter sent_;
    Counter unsent_;
};

}  // namespace cueline
