// plain_values.hpp: a model of parameters, of the automations that they follow, and of the maps of MIDI that move them,
// as simple as possible. It knows each value in closed form, by the C library's functions.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/exponential.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/timeline.hpp>

#include "engine/transport.hpp"

namespace cueline::fuzz {

/// A write moves the two of the array in 24 frames, which is longer than a block.
inline constexpr std::array<ParameterSpec, 2> parameter_specs{{
    {.name = "jumps", .lowest = -10, .highest = 10, .ramp_s = 0},
    {.name = "glides", .lowest = -10, .highest = 10, .default_value = 1, .ramp_s = 0.0005, .count = 2},
}};
inline constexpr std::size_t parameters = 3;
inline constexpr double lowest_value = -10;
inline constexpr double highest_value = 10;
inline constexpr double samplerate = 48'000;

using Values = std::array<double, parameters>;  // of a frame

/// Parameters, and the curves that are loaded.
class PlainValues {
  public:
    void write(std::size_t address, double value) { all_.at(address).written = all_.at(address).shown = value; }
    [[nodiscard]] double shown(std::size_t address) const { return all_.at(address).shown; }

    void load(BufferHandle handle, std::vector<float> values) { curves_.emplace(handle, std::move(values)); }
    [[nodiscard]] std::size_t curves() const { return curves_.size(); }

    void begin_block(double frame, const Timeline& timeline) {
        for (std::size_t address = 0; address < parameters; ++address) {
            const std::optional<double> written = std::exchange(all_.at(address).written, {});
            if (written) go_to(address, *written, begun_ ? glide_frames(address) : 0, frame, timeline);
        }
        begun_ = true;
    }

    [[nodiscard]] Values at(double frame, const Timeline& timeline) const {
        Values values{};
        for (std::size_t address = 0; address < parameters; ++address) {
            values.at(address) = value_at(all_.at(address), point(frame, timeline));
        }
        return values;
    }

    /// `last` is the block's last frame. In beats, nothing is over: a beat may come again.
    void end_block(double last, const Timeline& timeline) {
        const TimelinePoint here = point(last, timeline);
        for (Parameter& parameter : all_) {
            if (parameter.automated) parameter.shown = value_at(parameter, here);
            const bool is_over = !parameter.course.in_beats && !parameter.course.moves_after(here);
            if (!parameter.automated || is_over) release(std::exchange(parameter.curve, 0));
        }
    }

    /// Carries out an automate, a hold_automation or a cancel_automation.
    Outcome apply(const Message& command, TimelinePoint here) {
        switch (command.kind) {
            case kind::automate: {
                const Outcome outcome = automate(command, here);
                if (outcome.result != Outcome::Result::applied) discard(command);
                return outcome;
            }
            case kind::hold_automation: {
                const auto [automation, address] = command.as<HoldAutomation>();
                if (address >= parameters) return false;
                Parameter& parameter = all_.at(address);
                if (!parameter.follows(automation, command.line)) return true;
                const Course& course = parameter.course;
                const bool is_cancelled = course.shape == Shape::curve && course.start >= course.place(here);
                parameter.held = true;
                follow(parameter, {.to = is_cancelled ? course.from : value_at(parameter, here)});
                return true;
            }
            default: {
                const auto [from, automation, address] = command.as<CancelAutomation>();
                if (address >= parameters || std::isnan(from)) return false;
                Parameter& parameter = all_.at(address);
                if (!parameter.follows(automation, command.line)) return true;
                const Course& course = parameter.course;
                const bool has_end = course.shape != Shape::step && course.shape != Shape::target;
                if (has_end && course.moves_after(here) && course.end >= from) follow(parameter, {.to = course.from});
                return true;
            }
        }
    }

    /// Releases the curve of an automate that is not applied.
    void discard(const Message& command) {
        if (command.as<Automate>().shape == Shape::curve) release(command.as<Automate>().buffer);
    }

    /// What a map does to a parameter.
    void move(const MapMidi& map, double number, double frame, const Timeline& timeline) {
        if (map.curve == MidiCurve::relative) number += all_.at(map.address).course.to;
        number = std::clamp(number, std::min(map.low, map.high), std::max(map.low, map.high));
        if (!std::isnan(number)) go_to(map.address, number, glide_frames(map.address), frame, timeline);
        all_.at(map.address).shown = all_.at(map.address).course.to;
    }

  private:
    /// The rule that a value follows. Places are frames or beats.
    struct Course {
        Shape shape = Shape::step;
        double from = 0;
        double to = 0;
        double start = 0;
        double end = 0;
        double constant = 0;  // of a target, in frames
        bool in_beats = false;
        BufferHandle curve = 0;

        [[nodiscard]] double place(TimelinePoint here) const { return in_beats ? here.beat : here.frame; }
        [[nodiscard]] bool moves_after(TimelinePoint here) const { return shape != Shape::step && place(here) < end; }
    };

    struct Parameter {
        Course course;
        bool automated = false;
        Cause cause;             // of the automation, or of the last one
        bool held = false;       // it is over
        BufferHandle curve = 0;  // to release when another course follows
        double shown = 0;        // what the control side reads
        std::optional<double> written;

        [[nodiscard]] bool follows(std::uint32_t automation, std::uint8_t line) const {
            return automated && !held && cause.sequence == automation && cause.line == line;
        }
    };

    static TimelinePoint point(double frame, const Timeline& timeline) {
        return {.frame = frame, .beat = timeline.beat_at(frame)};
    }
    static double inside(double value) { return std::clamp(value, lowest_value, highest_value); }
    static double glide_frames(std::size_t address) { return address == 0 ? 0 : 24; }

    [[nodiscard]] double value_at(const Parameter& parameter, TimelinePoint here) const {
        const Course& course = parameter.course;
        if (!course.moves_after(here)) return inside(course.to);
        const double passed = std::max(0.0, course.place(here) - course.start);
        const double part = passed / (course.end - course.start);
        switch (course.shape) {
            case Shape::linear:
                return inside(std::lerp(course.from, course.to, part));
            case Shape::exponential: {
                if (course.from == 0 || course.to == 0 || (course.from < 0) != (course.to < 0)) return course.from;
                const double power = part * (std::log(std::abs(course.to)) - std::log(std::abs(course.from)));
                return inside(course.from * std::exp(std::clamp(power, -700.0, 700.0)));
            }
            case Shape::target:
                return inside(std::lerp(course.to, course.from, std::exp(-passed / course.constant)));
            default:
                return on_curve(course, part);
        }
    }
    [[nodiscard]] double on_curve(const Course& course, double part) const {
        const auto found = curves_.find(course.curve);
        if (found == curves_.end()) return course.to;
        const std::vector<float>& values = found->second;
        const double place = part * static_cast<double>(values.size() - 1);
        const auto index = static_cast<std::size_t>(place);
        if (index + 1 >= values.size()) return inside(values.back());
        return inside(std::lerp(double{values[index]}, double{values[index + 1]}, place - std::floor(place)));
    }

    /// What a write does, and a map. The curve is released at the end of the block.
    void go_to(std::size_t address, double value, double frames, double frame, const Timeline& timeline) {
        Parameter& parameter = all_.at(address);
        const double from = value_at(parameter, point(frame - 1, timeline));
        parameter.automated = false;
        parameter.course = {.to = inside(value)};
        if (frames == 0) return;
        parameter.course = {
            .shape = Shape::linear, .from = from, .to = inside(value), .start = frame - 1, .end = frame - 1 + frames};
    }

    Outcome automate(const Message& command, TimelinePoint here) {
        const auto wanted = command.as<Automate>();
        if (!is_sound(wanted)) return false;
        Parameter& parameter = all_.at(wanted.parameter);
        const bool was_replaced = parameter.cause.line == command.line && parameter.cause.sequence > command.sequence;
        if (wanted.automation == 0 && !was_replaced) {
            parameter.cause = command;
            parameter.held = false;
        } else if (!parameter.follows(wanted.automation, command.line)) {
            return Outcome::refused(Reason::cancelled);
        }
        Course course{.shape = wanted.shape,
                      .from = value_at(parameter, here),
                      .to = inside(wanted.value),
                      .end = wanted.end,
                      .in_beats = wanted.in_beats != 0 && wanted.shape != Shape::target};
        course.start = course.place(here);
        if (wanted.shape == Shape::target) {
            course.constant = wanted.constant * samplerate;
            course.end = course.start + 40 * course.constant;
        }
        const double length = wanted.shape == Shape::target ? course.constant : course.end - course.start;
        if (wanted.shape == Shape::step || length < 1e-6) course = {.to = course.to};
        if (wanted.shape == Shape::curve) course.curve = wanted.buffer;
        follow(parameter, course);
        return true;
    }

    [[nodiscard]] bool is_sound(const Automate& wanted) const {
        if (wanted.parameter >= parameters || !std::isfinite(wanted.value)) return false;
        switch (wanted.shape) {
            case Shape::step:
                return true;
            case Shape::linear:
            case Shape::exponential:
                return std::isfinite(wanted.end);
            case Shape::target:
                return wanted.constant >= 0 && wanted.constant <= longest_time_constant_s;
            case Shape::curve:
                return std::isfinite(wanted.end) && curves_.contains(wanted.buffer);
        }
        return false;
    }

    void follow(Parameter& parameter, Course course) {
        release(std::exchange(parameter.curve, course.curve));
        parameter.course = course;
        parameter.automated = true;
    }

    void release(BufferHandle handle) { curves_.erase(handle); }

    static Parameter at_default(double value) {
        Parameter parameter;
        parameter.course.to = parameter.shown = value;
        return parameter;
    }

    std::array<Parameter, parameters> all_{at_default(0), at_default(1), at_default(1)};
    std::map<BufferHandle, std::vector<float>> curves_;
    bool begun_ = false;
};

/// Calls `act` with a number of the field's type.
template <class Act>
auto of_type(MidiField field, Act act) {
    switch (field) {
        case MidiField::u16:
            return act(std::uint16_t{});
        case MidiField::u32:
            return act(std::uint32_t{});
        case MidiField::i8:
            return act(std::int8_t{});
        case MidiField::i16:
            return act(std::int16_t{});
        case MidiField::i32:
            return act(std::int32_t{});
        case MidiField::f32:
            return act(float{});
        case MidiField::f64:
            return act(double{});
        default:
            return act(std::uint8_t{});
    }
}

/// Maps of MIDI. Which bytes a MIDI message has is midi.hpp's, which has tests.
class PlainMaps {
  public:
    struct Move {
        MapMidi map;
        double number = 0;
    };

    std::uint64_t left_out = 0;

    void begin_block(std::size_t most) { left_ = most; }

    /// Carries out a map_midi, a map_midi_message or an unmap_midi.
    bool apply(const Message& command) {
        switch (command.kind) {
            case kind::map_midi: {
                const auto map = command.as<MapMidi>();
                if (is_sound(map)) maps_.insert_or_assign(map.place, map);
                return is_sound(map);
            }
            case kind::map_midi_message: {
                const auto [place, half, bytes] = command.as<MapMidiMessage>();
                if (place >= max_midi_maps || half > 1) return false;
                std::memcpy(payloads_.at(place).data() + std::size_t{half} * bytes.size(), bytes.data(), bytes.size());
                return true;
            }
            default:
                maps_.erase(command.as<UnmapMidi>().place);
                return command.as<UnmapMidi>().place < max_midi_maps;
        }
    }

    /// What the maps of `midi` do, or nothing if there is none.
    std::optional<std::vector<Move>> moves(const Message& midi) {
        const MidiWire wire = midi_bytes(midi);
        std::optional<std::vector<Move>> moves;
        for (const auto& [place, map] : maps_) {
            if (wire.size == 0 || !is_of(map, wire, midi_port(midi))) continue;
            if (!moves) moves.emplace();
            const double position = position_of(wire);
            const bool sends_all = map.target != kind::none && map.field == MidiField::none;
            if (sends_all && wire.bytes[0] >= 0xA0 && position < 0.5) continue;  // a button that is let go
            if (left_ == 0) {
                ++left_out;
                continue;
            }
            --left_;
            moves->push_back({map, number_at(map, wire, position)});
        }
        return moves;
    }

    [[nodiscard]] Message message_of(const Move& move, const Message& midi) const {
        const MapMidi& map = move.map;
        Message message = midi;
        message.kind = map.target;
        message.flags = (part_of(map.message_flags) != 0 ? map.message_flags : midi.flags) & delivery::part;
        message.payload = payloads_.at(map.place);
        if (map.field == MidiField::none) return message;
        of_type(map.field, [&]<class Number>(Number) {
            constexpr bool is_whole = std::numeric_limits<Number>::is_integer;
            const auto number = static_cast<Number>(is_whole ? std::round(move.number) : move.number);
            std::memcpy(message.payload.data() + map.address, &number, sizeof number);
        });
        return message;
    }

  private:
    static bool is_sound(const MapMidi& map) {
        if (map.place >= max_midi_maps || map.status < 0x80 || map.status >= 0xF0 || map.number > 127) return false;
        if (map.curve > MidiCurve::relative || map.field > MidiField::f64) return false;
        if (!std::isfinite(map.low) || !std::isfinite(map.high)) return false;
        const double ratio = map.high / map.low;
        if (map.curve == MidiCurve::exponential &&
            !(map.low > 0 && map.high > 0 && ratio > 0 && std::isfinite(ratio))) {
            return false;
        }
        const bool is_control = map.status / 16 == 0xB;
        if (map.target == kind::none) {
            return map.address < parameters && map.field == MidiField::none &&
                   (map.curve != MidiCurve::relative || is_control);
        }
        if (map.target < kind::set_tempo || map.curve == MidiCurve::relative) return false;
        if (map.target > kind::set_loop && map.target < kind::first_processor) return false;
        if (map.field == MidiField::none) return map.address <= payload_bytes;
        return of_type(map.field, [&map]<class Number>(Number) {
            constexpr auto lowest = static_cast<double>(std::numeric_limits<Number>::lowest());
            constexpr auto highest = static_cast<double>(std::numeric_limits<Number>::max());
            return map.address + sizeof(Number) <= payload_bytes && map.low >= lowest && map.low <= highest &&
                   map.high >= lowest && map.high <= highest;
        });
    }

    static bool is_of(const MapMidi& map, const MidiWire& wire, std::uint8_t port) {
        const unsigned type = map.status / 16;
        if (type != wire.bytes[0] / 16) return false;
        if (map.omni == 0 && (map.status != wire.bytes[0] || map.port != port)) return false;
        return type == 0xD || type == 0xE || map.number == wire.bytes[1];
    }

    static double position_of(const MidiWire& wire) {
        switch (wire.bytes[0] / 16) {
            case 0xC:
                return 1;
            case 0xD:
                return wire.bytes[1] / 127.0;
            case 0xE:
                return (wire.bytes[1] + 128 * wire.bytes[2]) / 16'383.0;
            default:
                return wire.bytes[2] / 127.0;
        }
    }

    /// The formulas are the engine's to the last bit, because a field of a message holds all bits.
    static double number_at(const MapMidi& map, const MidiWire& wire, double position) {
        const int value = wire.bytes[2];
        switch (map.curve) {
            case MidiCurve::relative:
                return (value < 64 ? value : value - 128) * (map.high - map.low) / 127;
            case MidiCurve::exponential:
                if (position < 1) return map.low + map.low * expm1(position * log1p(map.high / map.low - 1));
                return map.high;
            default:
                return position < 1 ? map.low * (1 - position) + map.high * position : map.high;
        }
    }

    std::map<std::uint8_t, MapMidi> maps_;  // by place
    std::array<std::array<std::byte, payload_bytes>, max_midi_maps> payloads_{};
    std::size_t left_ = 0;  // moves in this block
};

}  // namespace cueline::fuzz
