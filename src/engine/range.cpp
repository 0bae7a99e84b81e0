// range.cpp: checks what a user asked for, once, with the numbers in the refusal.
#include <cueline/engine/range.hpp>

#include <string>

#include <cueline/error.hpp>

namespace cueline {

std::uint32_t checked_range(std::string_view name, std::int64_t value, const Range& range) {
    if (value < range.least || value > range.most) {
        throw ArgumentError{std::string{name} + " must be from " + std::to_string(range.least) + " to " +
                            std::to_string(range.most) + " " + std::string{range.unit} + ", got " +
                            std::to_string(value)};
    }
    return static_cast<std::uint32_t>(value);
}

Format checked_format(std::int64_t samplerate, std::int64_t blocksize, std::int64_t channels) {
    return {.samplerate = checked_range("samplerate", samplerate, samplerate_range),
            .channels = checked_range("channels", channels, channels_range),
            .blocksize = checked_range("blocksize", blocksize, blocksize_range)};
}

}  // namespace cueline
