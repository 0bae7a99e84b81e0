// midi_maps.cpp: checks maps, and turns a control's position into a number.
#include "engine/midi_maps.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include <cueline/engine_messages.hpp>
#include <cueline/exponential.hpp>

namespace cueline {

namespace {

constexpr std::uint8_t note_off_bits = 0x80;
constexpr std::uint8_t note_on_bits = 0x90;
constexpr std::uint8_t control_bits = 0xB0;
constexpr std::uint8_t program_bits = 0xC0;
constexpr std::uint8_t pressure_bits = 0xD0;
constexpr std::uint8_t bend_bits = 0xE0;

constexpr std::uint8_t type_of(std::uint8_t status) noexcept CUELINE_NONBLOCKING {
    return status & 0xF0U;
}

/// From 0 to 1. A program change has no value: it counts as 1.
double position_of(const MidiWire& wire) noexcept CUELINE_NONBLOCKING {
    switch (type_of(wire.bytes[0])) {
        case program_bits:
            return 1;
        case pressure_bits:
            return wire.bytes[1] / 127.0;
        case bend_bits:
            return (wire.bytes[1] + 128 * wire.bytes[2]) / 16'383.0;
        default:
            return wire.bytes[2] / 127.0;
    }
}

double number_at(const MapMidi& map, double position) noexcept CUELINE_NONBLOCKING {
    if (position >= 1) return map.high;
    if (map.curve == MidiCurve::exponential) {
        return map.low + map.low * expm1(position * log1p(map.high / map.low - 1));
    }
    return map.low * (1 - position) + map.high * position;
}

/// A field's type: its size, and the numbers that it holds.
struct FieldType {
    std::size_t bytes;
    double lowest;
    double highest;
};

template <class Number>
constexpr FieldType type_of_number() {
    return {sizeof(Number), static_cast<double>(std::numeric_limits<Number>::lowest()),
            static_cast<double>(std::numeric_limits<Number>::max())};
}

constexpr std::array field_types{FieldType{0, 0, 0},
                                 type_of_number<std::uint8_t>(),
                                 type_of_number<std::uint16_t>(),
                                 type_of_number<std::uint32_t>(),
                                 type_of_number<std::int8_t>(),
                                 type_of_number<std::int16_t>(),
                                 type_of_number<std::int32_t>(),
                                 type_of_number<float>(),
                                 type_of_number<double>()};

template <class Number>
void put(std::span<std::byte> payload, std::size_t offset, double value) noexcept CUELINE_NONBLOCKING {
    const double rounded = value + (value < 0 ? -0.5 : 0.5);
    const auto number = static_cast<Number>(std::numeric_limits<Number>::is_integer ? rounded : value);
    std::memcpy(payload.data() + offset, &number, sizeof number);
}

/// Whether a curve of equal ratios leads from `low` to `high`.
bool is_ratio(double low, double high) noexcept CUELINE_NONBLOCKING {
    const double ratio = high / low;
    return low > 0 && high > 0 && std::isfinite(ratio) && ratio != 0;
}

bool is_sendable(Kind kind) noexcept CUELINE_NONBLOCKING {
    return kind >= kind::first_processor || (kind >= kind::set_tempo && kind <= kind::set_loop);
}

}  // namespace

bool MidiMaps::map(const MapMidi& command, std::size_t parameters) noexcept CUELINE_NONBLOCKING {
    const std::uint8_t type = type_of(command.status);
    if (command.place >= max_midi_maps || type < note_off_bits || type > bend_bits || command.number > 127 ||
        command.curve > MidiCurve::relative || command.field > MidiField::f64) {
        return false;
    }
    if (!std::isfinite(command.low) || !std::isfinite(command.high)) return false;
    if (command.curve == MidiCurve::exponential && !is_ratio(command.low, command.high)) return false;
    if (command.target == kind::none) {
        if (command.address >= parameters || command.field != MidiField::none) return false;
        if (command.curve == MidiCurve::relative && type != control_bits) return false;
    } else {
        const FieldType& field = field_types[static_cast<std::size_t>(command.field)];
        if (!is_sendable(command.target) || command.curve == MidiCurve::relative ||
            command.address + field.bytes > payload_bytes) {
            return false;
        }
        if (command.field != MidiField::none && (std::min(command.low, command.high) < field.lowest ||
                                                 std::max(command.low, command.high) > field.highest)) {
            return false;
        }
    }
    const bool has_number = type != pressure_bits && type != bend_bits;
    const std::uint32_t status_bits = command.omni != 0 ? 0xF0U : 0xFFU;
    keys_[command.place] = {.key = key(command.status, command.number, command.port),
                            .mask = status_bits | (has_number ? 0xFF00U : 0U) | (command.omni != 0 ? 0U : 0xFF'0000U)};
    maps_[command.place] = command;
    end_ = std::max<std::size_t>(end_, command.place + 1U);
    return true;
}

bool MidiMaps::set_half(const MapMidiMessage& command) noexcept CUELINE_NONBLOCKING {
    if (command.place >= max_midi_maps || command.half > 1) return false;
    std::memcpy(payloads_[command.place].data() + command.half * MapMidiMessage::half_bytes, command.bytes.data(),
                command.bytes.size());
    return true;
}

bool MidiMaps::unmap(const UnmapMidi& command) noexcept CUELINE_NONBLOCKING {
    if (command.place >= max_midi_maps) return false;
    keys_[command.place] = {};
    while (end_ > 0 && keys_[end_ - 1].key == 0) --end_;
    return true;
}

/// Returns nothing if the message moves nothing: a button that is let go sends no message.
std::optional<MidiMaps::Move> MidiMaps::move_of(const MapMidi& map, const MidiWire& wire) noexcept CUELINE_NONBLOCKING {
    if (map.curve == MidiCurve::relative) {
        const int value = wire.bytes[2];
        return Move{&map, (value < 64 ? value : value - 128) * (map.high - map.low) / 127};
    }
    const double position = position_of(wire);
    const std::uint8_t type = type_of(wire.bytes[0]);
    const bool is_note = type == note_on_bits || type == note_off_bits;
    if (map.target != kind::none && map.field == MidiField::none && !is_note && position < 0.5) return std::nullopt;
    return Move{&map, number_at(map, position)};
}

Message MidiMaps::message_of(const Move& move) const noexcept CUELINE_NONBLOCKING {
    const MapMidi& map = *move.map;
    Message message;
    message.kind = map.target;
    message.flags = map.message_flags & delivery::part;
    message.payload = payloads_[map.place];
    const std::span<std::byte> payload{message.payload};
    switch (map.field) {
        case MidiField::none:
            break;
        case MidiField::u8:
            put<std::uint8_t>(payload, map.address, move.number);
            break;
        case MidiField::u16:
            put<std::uint16_t>(payload, map.address, move.number);
            break;
        case MidiField::u32:
            put<std::uint32_t>(payload, map.address, move.number);
            break;
        case MidiField::i8:
            put<std::int8_t>(payload, map.address, move.number);
            break;
        case MidiField::i16:
            put<std::int16_t>(payload, map.address, move.number);
            break;
        case MidiField::i32:
            put<std::int32_t>(payload, map.address, move.number);
            break;
        case MidiField::f32:
            put<float>(payload, map.address, move.number);
            break;
        case MidiField::f64:
            put<double>(payload, map.address, move.number);
            break;
    }
    return message;
}

}  // namespace cueline
