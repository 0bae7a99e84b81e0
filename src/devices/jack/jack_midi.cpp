// jack_midi.cpp: makes and connects the ports for MIDI, and reads a block's events.
#include "devices/jack/jack_midi.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace cueline {

MidiStats JackMidi::stats() const noexcept {
    return {.received = received_.get(),
            .dropped = dropped_.get(),
            .sysex = sysex_.get(),
            .sent = sent_.get(),
            .unsent = unsent_.get()};
}

std::span<jack_port_t* const> JackMidi::ports(JackPortFlags direction) const noexcept {
    if (direction == JackPortIsInput) return std::span{inputs_}.first(input_count_);
    return std::span{outputs_}.first(output_count_);
}

void JackMidi::register_ports(const JackClient& client) {
    for (std::uint32_t port = 0; port < input_count_; ++port) {
        inputs_.at(port) =
            client.registered_port("midi_in_" + std::to_string(port + 1), JackPortIsInput, JACK_DEFAULT_MIDI_TYPE);
    }
    for (std::uint32_t port = 0; port < output_count_; ++port) {
        outputs_.at(port) =
            client.registered_port("midi_out_" + std::to_string(port + 1), JackPortIsOutput, JACK_DEFAULT_MIDI_TYPE);
    }
}

std::size_t JackMidi::connect(const JackClient& client, const DeviceRequest& request) const {
    return connect(client, JackPortIsInput, request.midi_connect_inputs.value_or(true)) +
           connect(client, JackPortIsOutput, request.midi_connect.value_or(false));
}

std::size_t JackMidi::connect(const JackClient& client, JackPortFlags direction,
                              const std::variant<std::string, bool>& wanted) const {
    const std::span<jack_port_t* const> ours = ports(direction);
    if (ours.empty()) return 0;
    const std::vector<std::string> others = client.others(wanted, direction, "midi_connect", JACK_DEFAULT_MIDI_TYPE);
    const std::size_t count = ours.size() == 1 ? others.size() : std::min(others.size(), ours.size());
    for (std::size_t number = 0; number < count; ++number) {
        client.connect(ours[ours.size() == 1 ? 0 : number], direction, others[number]);
    }
    return count;
}

std::size_t JackMidi::connections(const JackClient& client) const {
    std::size_t connections = 0;
    for (const JackPortFlags direction : {JackPortIsInput, JackPortIsOutput}) {
        for (jack_port_t* const port : ports(direction)) connections += client.connections(port);
    }
    return connections;
}

/// Goes on to the next event.
void JackMidi::go_on(Events& events) const noexcept CUELINE_NONBLOCKING {
    events.any = events.next < events.count && jack_.midi_event_get(&events.first, events.buffer, events.next) == 0;
    ++events.next;
}

std::span<const Message> JackMidi::read(jack_nframes_t frames) noexcept CUELINE_NONBLOCKING {
    const std::span inputs{events_.data(), input_count_};
    std::size_t unread = 0;
    for (std::size_t port = 0; port < inputs.size(); ++port) {
        Events& events = inputs[port];
        events.buffer = jack_.port_get_buffer(inputs_[port], frames);
        events.count = jack_.midi_get_event_count(events.buffer);
        events.next = 0;
        unread += events.count;
        dropped_.add(jack_.midi_get_lost_event_count(events.buffer));
        go_on(events);
    }
    std::size_t messages = 0;
    std::size_t read = 0;
    for (; read < std::min(unread, max_midi_messages); ++read) {
        // Of the inputs, the one whose event is earliest; of two, the first.
        std::size_t earliest = inputs.size();
        for (std::size_t port = 0; port < inputs.size(); ++port) {
            if (inputs[port].any &&
                (earliest == inputs.size() || inputs[port].first.time < inputs[earliest].first.time)) {
                earliest = port;
            }
        }
        if (earliest == inputs.size()) break;  // a server that has fewer events than it says
        const jack_midi_event_t& event = inputs[earliest].first;
        const std::optional<Message> message =
            midi_message({event.buffer, event.size}, static_cast<std::uint8_t>(earliest + 1));
        if (message) {
            messages_[messages] = *message;
            messages_[messages].frame = event.time;
            ++messages;
        } else {
            sysex_.add(1);
        }
        go_on(inputs[earliest]);
    }
    dropped_.add(unread - read);
    // Only now: if an output is connected to an input of ours, both have one buffer.
    for (std::size_t port = 0; port < output_count_; ++port) {
        output_buffers_[port] = jack_.port_get_buffer(outputs_[port], frames);
        jack_.midi_clear_buffer(output_buffers_[port]);
    }
    return {messages_.data(), messages};
}

void JackMidi::write(std::span<const Message> messages) noexcept CUELINE_NONBLOCKING {
    for (const Message& message : messages) {
        const std::size_t port = midi_port(message);
        const MidiWire wire = midi_bytes(message);
        const bool sent = port >= 1 && port <= output_count_ && wire.size > 0 &&
                          jack_.midi_event_write(output_buffers_[port - 1], static_cast<jack_nframes_t>(message.frame),
                                                 wire.bytes.data(), wire.size) == 0;
        (sent ? sent_ : unsent_).add(1);
    }
}

}  // namespace cueline
