// jack_midi.cpp: makes and connects the ports for MIDI, and reads a block's events.
#include "devices/jack/jack_midi.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace cueline {

MidiStats JackMidi::stats() const noexcept {
    return {.received = received_.get(), .dropped = dropped_.get(), .sysex = sysex_.get()};
}

void JackMidi::register_ports(const JackClient& client) {
    for (std::uint32_t port = 0; port < input_count_; ++port) {
        inputs_.at(port) =
            client.registered_port("midi_in_" + std::to_string(port + 1), JackPortIsInput, JACK_DEFAULT_MIDI_TYPE);
    }
}

std::size_t JackMidi::connect(const JackClient& client, const DeviceRequest& request) const {
    if (input_count_ == 0) return 0;
    const std::vector<std::string> others =
        client.others(request.midi_connect.value_or(true), JackPortIsInput, "midi_connect", JACK_DEFAULT_MIDI_TYPE);
    // One port takes them all: JACK mixes the events. Several take one each.
    const std::size_t count = input_count_ == 1 ? others.size() : std::min<std::size_t>(others.size(), input_count_);
    for (std::size_t number = 0; number < count; ++number) {
        client.connect(inputs_.at(input_count_ == 1 ? 0 : number), JackPortIsInput, others[number]);
    }
    return count;
}

std::size_t JackMidi::connections(const JackClient& client) const {
    std::size_t connections = 0;
    for (jack_port_t* const port : std::span{inputs_}.first(input_count_)) connections += client.connections(port);
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
    return {messages_.data(), messages};
}

}  // namespace cueline
