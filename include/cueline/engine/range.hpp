// range.hpp: the ranges of what a user may ask for, and the refusal that names them.
#pragma once

#include <cstdint>
#include <string_view>

#include <cueline/audio.hpp>

namespace cueline {

struct Range {
    std::int64_t least;
    std::int64_t most;
    std::string_view unit;
};

inline constexpr Range samplerate_range{1'000, 768'000, "frames a second"};
inline constexpr Range blocksize_range{1, 8'192, "frames"};
inline constexpr Range channels_range{1, max_channels, "channels"};
inline constexpr Range budget_range{1, 1'024, "messages a block"};
inline constexpr Range buffer_channels_range{1, 1'024, "channels"};
inline constexpr Range buffer_samples_range{1, 2'147'483'647, "samples"};

/// Returns `value` when it lies in `range`. Throws ArgumentError, with the value and the range, otherwise.
/// Thread: control.
std::uint32_t checked_range(std::string_view name, std::int64_t value, const Range& range);

/// The format of these numbers, each checked. Throws ArgumentError. Thread: control.
Format checked_format(std::int64_t samplerate, std::int64_t blocksize, std::int64_t channels);

}  // namespace cueline
