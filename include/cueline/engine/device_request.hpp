// device_request.hpp: what a user requests of a device, and what list_devices() reports about one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <cueline/audio.hpp>

namespace cueline {

/// What a user requests. The device chooses what is left out. Check the numbers before: see range.hpp.
struct DeviceRequest {
    /// "null", "offline", "jack", "portaudio" (its default device), words of a PortAudio device's name and host API, or
    /// the number of one. Left out: the best device that is there.
    std::optional<std::variant<std::string, std::int64_t>> device = std::nullopt;
    std::optional<std::uint32_t> samplerate = std::nullopt;  ///< frames a second
    std::optional<std::uint32_t> blocksize = std::nullopt;   ///< frames in a block
    std::uint32_t channels = Format{}.channels;

    // For JACK.
    std::optional<std::string> client_name = std::nullopt;  ///< the server may add a number to it
    /// The server's name. Left out: the one in JACK_DEFAULT_SERVER, or "default". A process uses one server at a time.
    std::optional<std::string> server = std::nullopt;
    /// A regular expression: our ports are connected, in order, to the input ports whose names match it. True or left
    /// out: to the physical ones. False: to none. A single channel goes to the first two.
    std::optional<std::variant<std::string, bool>> connect = std::nullopt;

    // For PortAudio.
    /// "low", "high", or seconds. Left out: "low".
    std::optional<std::variant<std::string, double>> latency = std::nullopt;

    /// The requested format, with `fallback` for what was left out.
    [[nodiscard]] Format format(const Format& fallback = {}) const {
        return {.samplerate = samplerate.value_or(fallback.samplerate),
                .channels = channels,
                .blocksize = blocksize.value_or(fallback.blocksize)};
    }
};

/// A device that could be opened now.
struct DeviceInfo {
    std::string device;    ///< for DeviceRequest::device: "jack", "null", or a PortAudio device's number
    std::string host_api;  ///< "JACK", "ALSA", or "cueline" for a device that needs no library
    std::string name;
    std::uint32_t channels = 0;    ///< the most that it plays
    std::uint32_t samplerate = 0;  ///< the one you get if you request none
    std::uint32_t blocksize = 0;   ///< the one you get if you request none
    double low_latency_s = 0;      ///< of its output, as the device reports it
    double high_latency_s = 0;
    bool is_default = false;  ///< whether open_device() takes it if you request no device
};

/// What list_devices() finds.
struct DeviceList {
    std::vector<DeviceInfo> devices;
    std::vector<std::string> absent;  ///< why JACK or PortAudio has no device here: "jack: no JACK server runs here"
};

}  // namespace cueline
