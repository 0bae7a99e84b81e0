// midi.hpp: MIDI as messages, and as the bytes that a cable carries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <cueline/message.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind note_on = 128;         ///< a note begins
inline constexpr Kind note_off = 129;        ///< a note ends
inline constexpr Kind control_change = 130;  ///< a knob or a pedal moved
inline constexpr Kind pitch_bend = 131;      ///< the wheel moved
inline constexpr Kind midi_bytes = 132;      ///< any other MIDI message of one to three bytes
}  // namespace kind

inline constexpr std::size_t max_midi_ports = 16;      ///< of a device's MIDI inputs, and of its MIDI outputs
inline constexpr std::size_t max_midi_messages = 256;  ///< that a block gets from all inputs, and sends to all outputs

// Channels and ports count from 1. A message from a device has the port on which it came, and a message to one has the
// port to which it goes. The bytes of a payload may hold any values: see midi_bytes().

struct NoteOn {
    static constexpr Kind kind = cueline::kind::note_on;
    std::uint8_t note = 0;       ///< from 0 to 127: 60 is middle C
    std::uint8_t velocity = 64;  ///< from 1 to 127: see NoteOff
    std::uint8_t channel = 1;    ///< from 1 to 16
    std::uint8_t port = 1;
};

/// A cable's note on with velocity 0 becomes a NoteOff with velocity 64, as MIDI defines it. So a NoteOn always begins
/// a note.
struct NoteOff {
    static constexpr Kind kind = cueline::kind::note_off;
    std::uint8_t note = 0;
    std::uint8_t velocity = 0;  ///< from 0 to 127: how fast the key was released
    std::uint8_t channel = 1;
    std::uint8_t port = 1;
};

struct ControlChange {
    static constexpr Kind kind = cueline::kind::control_change;
    std::uint8_t control = 0;  ///< from 0 to 127
    std::uint8_t value = 0;    ///< from 0 to 127
    std::uint8_t channel = 1;
    std::uint8_t port = 1;
};

struct PitchBend {
    static constexpr Kind kind = cueline::kind::pitch_bend;
    std::int16_t value = 0;  ///< from -8192 to 8191; 0 is the middle
    std::uint8_t channel = 1;
    std::uint8_t port = 1;
};

/// A MIDI message that has no type of its own: a program change, pressure, a clock. Bytes after its length are 0.
struct MidiBytes {
    static constexpr Kind kind = cueline::kind::midi_bytes;
    std::uint8_t status = 0xFE;  ///< from 128 on: it says how long the message is
    std::uint8_t data1 = 0;      ///< from 0 to 127
    std::uint8_t data2 = 0;
    std::uint8_t port = 1;
};

namespace midi {
/// The place of the port in each of these payloads.
inline constexpr std::size_t port_offset = 3;
static_assert(offsetof(NoteOn, port) == port_offset && offsetof(NoteOff, port) == port_offset);
static_assert(offsetof(ControlChange, port) == port_offset && offsetof(PitchBend, port) == port_offset);
static_assert(offsetof(MidiBytes, port) == port_offset);
}  // namespace midi

/// Returns whether a message of this kind is one of MIDI's.
constexpr bool is_midi(Kind kind) noexcept CUELINE_NONBLOCKING {
    return kind >= kind::note_on && kind <= kind::midi_bytes;
}

/// Returns the port of a message for which is_midi() is true.
[[nodiscard]] inline std::uint8_t midi_port(const Message& message) noexcept CUELINE_NONBLOCKING {
    return std::to_integer<std::uint8_t>(message.payload[midi::port_offset]);
}

/// Returns how many bytes a MIDI message with this first byte has; 0 if no message begins with it, or SysEx, which has
/// any number of bytes.
constexpr std::size_t midi_size(std::uint8_t status) noexcept CUELINE_NONBLOCKING {
    switch (status & 0xF0U) {
        case 0x80:
        case 0x90:
        case 0xA0:
        case 0xB0:
        case 0xE0:
            return 3;
        case 0xC0:
        case 0xD0:
            return 2;
        case 0xF0:
            break;
        default:
            return 0;
    }
    switch (status) {
        case 0xF2:
            return 3;
        case 0xF1:
        case 0xF3:
            return 2;
        case 0xF6:
        case 0xF8:
        case 0xFA:
        case 0xFB:
        case 0xFC:
        case 0xFE:
        case 0xFF:
            return 1;
        default:
            return 0;  // 0xF0 and 0xF7 belong to SysEx; the others have no meaning
    }
}

/// Returns the message for the bytes of one MIDI message that came on `port`. Returns nothing if they are not one
/// whole message with its status byte, or if they are SysEx, which has no message.
[[nodiscard]] inline std::optional<Message> midi_message(std::span<const std::uint8_t> bytes,
                                                         std::uint8_t port = 1) noexcept CUELINE_NONBLOCKING {
    if (bytes.empty() || midi_size(bytes[0]) != bytes.size()) return std::nullopt;
    for (const std::uint8_t data : bytes.subspan(1)) {
        if (data > 127) return std::nullopt;
    }
    const std::uint8_t status = bytes[0];
    const std::uint8_t data1 = bytes.size() > 1 ? bytes[1] : std::uint8_t{0};
    const std::uint8_t data2 = bytes.size() > 2 ? bytes[2] : std::uint8_t{0};
    const auto channel = static_cast<std::uint8_t>((status & 0x0FU) + 1);
    switch (status & 0xF0U) {
        case 0x80:
            return Message::of(NoteOff{data1, data2, channel, port});
        case 0x90:
            if (data2 == 0) return Message::of(NoteOff{data1, 64, channel, port});
            return Message::of(NoteOn{data1, data2, channel, port});
        case 0xB0:
            return Message::of(ControlChange{data1, data2, channel, port});
        case 0xE0:
            return Message::of(
                PitchBend{static_cast<std::int16_t>(int{data1} + 128 * int{data2} - 8192), channel, port});
        default:
            return Message::of(MidiBytes{status, data1, data2, port});
    }
}

/// The bytes of a MIDI message, as a cable carries them.
struct MidiWire {
    std::array<std::uint8_t, 3> bytes{};
    std::size_t size = 0;  ///< 0: there is no such MIDI message

    [[nodiscard]] std::span<const std::uint8_t> used() const noexcept CUELINE_NONBLOCKING {
        return {bytes.data(), size};
    }
};

/// Returns the bytes of a message. There are none if it is of another kind, if a value is out of its range, or if no
/// MIDI message begins with the status of a MidiBytes.
[[nodiscard]] inline MidiWire midi_bytes(const Message& message) noexcept CUELINE_NONBLOCKING {
    const auto on_channel = [](unsigned status, std::uint8_t channel, unsigned data1, unsigned data2) noexcept
        CUELINE_NONBLOCKING -> MidiWire {
        if (channel < 1 || channel > 16 || data1 > 127 || data2 > 127) return {};
        return {{static_cast<std::uint8_t>(status | (channel - 1U)), static_cast<std::uint8_t>(data1),
                 static_cast<std::uint8_t>(data2)},
                3};
    };
    switch (message.kind) {
        case kind::note_on: {
            const auto note = message.as<NoteOn>();
            if (note.velocity == 0) return {};  // a cable would take it for a note off
            return on_channel(0x90, note.channel, note.note, note.velocity);
        }
        case kind::note_off: {
            const auto note = message.as<NoteOff>();
            return on_channel(0x80, note.channel, note.note, note.velocity);
        }
        case kind::control_change: {
            const auto control = message.as<ControlChange>();
            return on_channel(0xB0, control.channel, control.control, control.value);
        }
        case kind::pitch_bend: {
            const auto bend = message.as<PitchBend>();
            const int value = int{bend.value} + 8192;
            if (value < 0 || value > 16'383) return {};
            return on_channel(0xE0, bend.channel, static_cast<unsigned>(value) & 127U,
                              static_cast<unsigned>(value) >> 7U);
        }
        case kind::midi_bytes: {
            const auto whole = message.as<MidiBytes>();
            const std::size_t size = midi_size(whole.status);
            if ((size > 1 && whole.data1 > 127) || (size > 2 && whole.data2 > 127)) return {};
            return {{whole.status, size > 1 ? whole.data1 : std::uint8_t{0}, size > 2 ? whole.data2 : std::uint8_t{0}},
                    size};
        }
        default:
            return {};
    }
}

}  // namespace cueline
