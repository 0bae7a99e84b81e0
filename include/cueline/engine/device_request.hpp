// device_request.hpp: what a user requests of a device, and what list_devices() reports about one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <cueline/audio.hpp>

namespace cueline {

/// Channels of a device: how many, from its first one on, or a list of their numbers. The first one is number 1.
using Channels = std::variant<std::int64_t, std::vector<std::int64_t>>;

/// Returns how many channels these are.
[[nodiscard]] inline std::uint32_t count_of(const Channels& channels) noexcept {
    if (const auto* const count = std::get_if<std::int64_t>(&channels)) return static_cast<std::uint32_t>(*count);
    const auto* const list = std::get_if<1>(&channels);
    return list == nullptr ? 0 : static_cast<std::uint32_t>(list->size());
}

/// Returns their numbers on the device, counted from 0.
[[nodiscard]] inline std::vector<std::uint32_t> indices_of(const Channels& channels) {
    std::vector<std::uint32_t> indices(count_of(channels));
    const auto* const list = std::get_if<1>(&channels);
    for (std::uint32_t index = 0; index < indices.size(); ++index) {
        indices[index] = list == nullptr ? index : static_cast<std::uint32_t>((*list)[index] - 1);
    }
    return indices;
}

/// What a user requests. The device chooses what is left out. Check the numbers first: see range.hpp.
struct DeviceRequest {
    /// "null", "offline", "jack", "portaudio" (its default device), words of a PortAudio device's name and host API, or
    /// the number of one. Left out: the best device that is there.
    std::optional<std::variant<std::string, std::int64_t>> device = std::nullopt;
    std::optional<std::uint32_t> samplerate = std::nullopt;  ///< frames a second
    std::optional<std::uint32_t> blocksize = std::nullopt;   ///< frames in a block
    Channels inputs = Format{}.inputs;
    Channels outputs = Format{}.outputs;

    // For the null and the offline device.
    bool loopback = false;  ///< each output comes back, one block later, as the input with the same number

    // For JACK.
    std::optional<std::string> client_name = std::nullopt;  ///< the server may add a number to it
    /// The server's name. Left out: the one in JACK_DEFAULT_SERVER, or "default". A process uses one server at a time.
    std::optional<std::string> server = std::nullopt;
    /// A regular expression: our ports are connected, in order, to the ports of others whose names match it. True or
    /// left out: to the physical ones. False: to none. If `outputs` is the number 1, it goes to the first two.
    std::optional<std::variant<std::string, bool>> connect = std::nullopt;
    std::optional<std::variant<std::string, bool>> connect_inputs = std::nullopt;  ///< left out: as `connect`

    // For MIDI.
    std::int64_t midi_inputs = 0;   ///< ports for MIDI, at most max_midi_ports; for JACK, the null device and PortAudio
    std::int64_t midi_outputs = 0;  ///< the same; for JACK
    /// A regular expression: our ports for MIDI are connected to those of others whose names match it. True: to the
    /// physical ones. False: to none. If we have one input, all these ports are connected to it. If we have several,
    /// each gets one, in order. The same holds for outputs. Left out: inputs to the physical ports, and outputs to
    /// none, because a physical port may send back what it gets.
    std::optional<std::variant<std::string, bool>> midi_connect = std::nullopt;
    std::optional<std::variant<std::string, bool>> midi_connect_inputs = std::nullopt;  ///< left out: as `midi_connect`
    /// For the null device and PortAudio: seconds from when a MIDI message comes to when it plays. Left out: two
    /// blocks.
    std::optional<double> midi_delay_s = std::nullopt;

    // For PortAudio.
    /// The device for the inputs, of the same host API. Left out: as `device`, whose words may match an input device
    /// and an output device.
    std::optional<std::variant<std::string, std::int64_t>> input_device = std::nullopt;
    /// "low", "high", or seconds. Left out: "low".
    std::optional<std::variant<std::string, double>> latency = std::nullopt;

    /// The requested format, with `fallback` for what was left out.
    [[nodiscard]] Format format(const Format& fallback = {}) const {
        return {.samplerate = samplerate.value_or(fallback.samplerate),
                .inputs = count_of(inputs),
                .outputs = count_of(outputs),
                .blocksize = blocksize.value_or(fallback.blocksize)};
    }
};

/// A device that could be opened now.
struct DeviceInfo {
    std::string device;    ///< for DeviceRequest::device: "jack", "null", or a PortAudio device's number
    std::string host_api;  ///< "JACK", "ALSA", or "cueline" for a device that needs no library
    std::string name;
    std::uint32_t inputs = 0;      ///< the most that it records
    std::uint32_t outputs = 0;     ///< the most that it plays
    std::uint32_t samplerate = 0;  ///< the one you get if you request none
    std::uint32_t blocksize = 0;   ///< the one you get if you request none
    double low_latency_s = 0;      ///< of its output, as the device reports it; of its input, if it has no output
    double high_latency_s = 0;
    bool is_default = false;        ///< whether open_device() takes it if you request no device
    bool is_default_input = false;  ///< whether open_device() takes it for the inputs
};

/// What list_devices() finds.
struct DeviceList {
    std::vector<DeviceInfo> devices;
    std::vector<std::string> absent;  ///< why JACK or PortAudio has no device here: "jack: no JACK server runs here"
};

}  // namespace cueline
