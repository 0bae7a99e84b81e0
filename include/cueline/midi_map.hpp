// midi_map.hpp: the commands that let a control of MIDI move a parameter, or send a message, on the audio thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/message.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind map_midi = 26;          ///< command: a control moves a parameter, or sends a message
inline constexpr Kind map_midi_message = 27;  ///< command: half of the message that a map sends
inline constexpr Kind unmap_midi = 28;        ///< command: a map ends
}  // namespace kind

inline constexpr std::size_t max_midi_maps = 128;   ///< of an engine
inline constexpr std::size_t max_midi_moves = 512;  ///< parameters and messages that maps set and send in a block

/// How the position of a control, from 0 to 1, becomes a number from MidiMap's `low` to its `high`.
enum class MidiCurve : std::uint8_t {
    linear,
    exponential,  ///< equal steps multiply by equal factors: both ends are above 0
    relative,     ///< an encoder: a ControlChange of 1 to 63 moves the parameter up by that many 127ths of the way from
                  ///< low to high, and one of 127 to 64 down by 1 to 64
};

/// The type of the field of a message that gets the number.
enum class MidiField : std::uint8_t { none, u8, u16, u32, i8, i16, i32, f32, f64 };

/// Maps a control. It is refused as unknown if a value is out of range. It is one command, so it can be a cue.
struct MapMidi {
    static constexpr Kind kind = cueline::kind::map_midi;
    std::uint8_t place = 0;   ///< below max_midi_maps; an earlier map with this place ends
    std::uint8_t status = 0;  ///< the MIDI message's first byte, below 0xF0
    std::uint8_t number = 0;  ///< of the note, the control or the program; other messages have none
    std::uint8_t port = 1;
    std::uint8_t omni = 0;  ///< not 0: the message may come on any channel and any port
    MidiCurve curve = MidiCurve::linear;
    MidiField field = MidiField::none;  ///< if the target is a message
    /// Of the message: see to_part(). 0: it goes to the part of the MIDI message, which is usually all parts.
    std::uint8_t message_flags = 0;
    std::uint16_t target = 0;   ///< the kind of the message; 0: a parameter
    std::uint16_t address = 0;  ///< of the parameter; or where the field is in the payload
    double low = 0;             ///< the number for a control that is all the way down
    double high = 1;            ///< may be less than `low`
};
static_assert(sizeof(MapMidi) == 32);

/// Sets half of the payload of the message that the map at `place` sends. Send both halves before the MapMidi, in one
/// transaction with it.
struct MapMidiMessage {
    static constexpr Kind kind = cueline::kind::map_midi_message;
    static constexpr std::size_t half_bytes = payload_bytes / 2;
    std::uint8_t place = 0;
    std::uint8_t half = 0;  ///< 0 or 1
    std::array<std::uint8_t, half_bytes> bytes{};
};

struct UnmapMidi {
    static constexpr Kind kind = cueline::kind::unmap_midi;
    std::uint8_t place = 0;
};

}  // namespace cueline
