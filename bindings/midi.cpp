// midi.cpp: MIDI's bytes as messages, and back.
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>

#include <cstdint>
#include <optional>
#include <span>

#include "bindings.hpp"
#include "message_object.hpp"
#include "messages.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

nb::object message_from(const nb::bytes& bytes, std::uint8_t port) {
    const std::span whole{static_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
    const std::optional<Message> message = midi_message(whole, port);
    return message ? to_python(*message) : nb::none();
}

nb::bytes bytes_of(nb::handle message) {
    const Message* const midi = message_of(message.ptr());
    const MidiWire wire = midi == nullptr ? MidiWire{} : midi_bytes(*midi);
    return nb::bytes{wire.bytes.data(), wire.size};
}

}  // namespace

void bind_midi(nb::module_& module) {
    module.def("_midi_message", &message_from, "bytes"_a, "port"_a,
               nb::sig("def _midi_message(bytes: bytes, port: int) -> Message | None"));
    module.attr("MAX_MIDI_PORTS") = max_midi_ports;
    module.attr("MAX_MIDI_MAPS") = max_midi_maps;
    module.def("_midi_bytes", &bytes_of, "message"_a, nb::sig("def _midi_bytes(message: Message) -> bytes"));
}

}  // namespace cueline::python
