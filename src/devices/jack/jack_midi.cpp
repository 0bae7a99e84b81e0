// jack_midi.cpp: makes and connects the ports for MIDI, and reads a block's events.
#include "devices/jack/jack_midi.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cueline {

namespace {

/// The ports of others that are wanted. There may be none.
std::vector<std::string> names_of(const JackClient& client, JackPortFlags direction,
                                  const std::variant<std::string, bool>& wanted) {
    const unsigned long opposite = direction == JackPortIsInput ? JackPortIsOutput : JackPortIsInput;
    if (const auto* const pattern = std::get_if<std::string>(&wanted)) {
        return client.ports(opposite, pattern->c_str(), JACK_DEFAULT_MIDI_TYPE);
    }
    if (wanted == std::variant<std::string, bool>{false}) return {};
    return client.ports(opposite | JackPortIsPhysical, nullptr, JACK_DEFAULT_MIDI_TYPE);
}

}  // namespace

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

std::size_t JackMidi::connect(const JackClient& client, const DeviceRequest& request) {
    const auto inputs = request.midi_connect_inputs.value_or(true);
    const auto outputs = request.midi_connect.value_or(false);
    const std::size_t connections =
        connect(client, JackPortIsInput, inputs) + connect(client, JackPortIsOutput, outputs);
    for (const JackPortFlags direction : {JackPortIsInput, JackPortIsOutput}) {
        if (ports(direction).empty()) continue;
        Others& them = others(direction);
        for (const std::string& pattern : them.wanted) connect_all(client, direction, pattern);
        them.first = direction == JackPortIsInput ? inputs : outputs;
        them.seen = them.now(client, direction);
    }
    return connections;
}

void JackMidi::want(JackPortFlags direction, const std::string& pattern) {
    others(direction).wanted.emplace_back(pattern);
}

void JackMidi::connect_all(const JackClient& client, JackPortFlags direction, const std::string& pattern) const {
    for (const std::string& other : names_of(client, direction, pattern)) connect_one(client, direction, other);
}

void JackMidi::connect_new(const JackClient& client) {
    for (const JackPortFlags direction : {JackPortIsInput, JackPortIsOutput}) {
        if (ports(direction).empty()) continue;
        Others& them = others(direction);
        std::vector<std::string> now = them.now(client, direction);
        std::swap(now, them.seen);  // first: a port that cannot be connected is not tried again
        for (const std::string& other : them.seen) {
            if (std::ranges::find(now, other) == now.end()) connect_one(client, direction, other);
        }
    }
}

/// The ports that are wanted and there.
std::vector<std::string> JackMidi::Others::now(const JackClient& client, JackPortFlags direction) const {
    std::vector<std::string> names = names_of(client, direction, first);
    for (const std::string& each : wanted) {
        for (std::string& name : names_of(client, direction, each)) {
            if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
        }
    }
    return names;
}

/// Connects `other` to our only port, or to the first one without a connection.
void JackMidi::connect_one(const JackClient& client, JackPortFlags direction, const std::string& other) const {
    const std::span<jack_port_t* const> ours = ports(direction);
    const auto free =
        ours.size() == 1 ? ours.begin()
                         : std::ranges::find_if(ours, [&](jack_port_t* port) { return client.connections(port) == 0; });
    if (free != ours.end()) client.connect(*free, direction, other);
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
