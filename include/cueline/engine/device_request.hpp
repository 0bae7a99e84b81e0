// device_request.hpp: what a user may ask of a device, and what the list of devices says of one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <cueline/audio.hpp>
#include <cueline/error.hpp>

namespace cueline {

/// What a user asks for. What is left out is the device's to choose. Every number is in its range: see range.hpp.
struct DeviceRequest {
    /// "null", "offline", "jack", "portaudio" (its default device), words of a PortAudio device's name and host API, or
    /// the number of one. Left out: the best there is.
    std::optional<std::variant<std::string, std::int64_t>> device = std::nullopt;
    std::optional<std::uint32_t> samplerate = std::nullopt;  ///< frames a second
    std::optional<std::uint32_t> blocksize = std::nullopt;   ///< frames in a block
    std::uint32_t channels = Format{}.channels;

    // JACK's.
    std::optional<std::string> client_name = std::nullopt;  ///< the server may add a number to it
    std::optional<std::string> server =
        std::nullopt;  ///< by name; left out: what JACK_DEFAULT_SERVER says, or "default"
    /// Which input ports to connect ours to, in their order: those whose names match this regular expression. True, and
    /// left out: the physical ones; false: none.
    std::optional<std::variant<std::string, bool>> connect = std::nullopt;

    // PortAudio's.
    std::optional<std::variant<std::string, double>> latency =
        std::nullopt;  ///< "low" or "high", or seconds; left out: "low"

    /// The format asked for, with `fallback` where something was left out.
    [[nodiscard]] Format format(const Format& fallback = {}) const {
        return {.samplerate = samplerate.value_or(fallback.samplerate),
                .channels = channels,
                .blocksize = blocksize.value_or(fallback.blocksize)};
    }
};

/// A device that could be opened now.
struct DeviceInfo {
    std::string device;    ///< what to ask for, to get it: "jack", "null", or a PortAudio device's number
    std::string host_api;  ///< "JACK", "ALSA", or "cueline" for what needs no library
    std::string name;
    std::uint32_t channels = 0;    ///< most that it plays
    std::uint32_t samplerate = 0;  ///< the one it would have, if none were asked for; 0: any
    std::uint32_t blocksize = 0;   ///< likewise
    double low_latency_s = 0;      ///< of its output, as it says itself
    double high_latency_s = 0;
    bool is_default = false;  ///< whether it is what open_device takes when no device is asked for
};

/// There is no such device at the moment: no library, no server, no sound card. The text says what to do about it.
struct NoDeviceError : DeviceError {
    using DeviceError::DeviceError;
};

}  // namespace cueline
