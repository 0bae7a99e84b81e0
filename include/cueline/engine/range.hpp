// range.hpp: the ranges of the numbers that a user may request, and the check of a number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <cueline/audio.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/ring.hpp>

namespace cueline {

struct Range {
    std::int64_t least;
    std::int64_t most;
    std::string_view unit;  ///< empty if the value's name says it
};

inline constexpr Range samplerate_range{1'000, 768'000, "frames a second"};
inline constexpr Range blocksize_range{1, 8'192, "frames"};
inline constexpr Range channels_range{0, max_channels, ""};
inline constexpr Range channel_range{1, 1'024, ""};  // the number of a device's channel
inline constexpr Range midi_ports_range{0, max_midi_ports, ""};
inline constexpr Range budget_range{1, 1'024, "messages a block"};
inline constexpr Range lines_range{1, max_lines, ""};
inline constexpr Range buffer_channels_range{1, 1'024, ""};
inline constexpr Range buffer_samples_range{1, 2'147'483'647, "samples"};

/// Returns `value` if it lies in `range`. Otherwise throws ArgumentError, with the value and the range.
inline std::uint32_t checked_range(std::string_view name, std::int64_t value, const Range& range) {
    if (value < range.least || value > range.most) {
        throw_or_end(ArgumentError{std::string{name} + " must be from " + std::to_string(range.least) + " to " +
                                   std::to_string(range.most) + (range.unit.empty() ? "" : " ") +
                                   std::string{range.unit} + ", got " + std::to_string(value)});
    }
    return static_cast<std::uint32_t>(value);
}

/// Returns the format with these numbers. Throws ArgumentError if one is out of range.
inline Format checked_format(std::int64_t samplerate, std::int64_t blocksize, std::int64_t inputs,
                             std::int64_t outputs) {
    return {.samplerate = checked_range("samplerate", samplerate, samplerate_range),
            .inputs = checked_range("inputs", inputs, channels_range),
            .outputs = checked_range("outputs", outputs, channels_range),
            .blocksize = checked_range("blocksize", blocksize, blocksize_range)};
}

}  // namespace cueline
