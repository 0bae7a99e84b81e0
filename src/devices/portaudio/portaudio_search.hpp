// portaudio_search.hpp: lists PortAudio's devices, and finds the one that a user means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "devices/portaudio/portaudio_library.hpp"

namespace cueline {

/// A device as PortAudio reports it. Devices without output channels are included, because PortAudio's numbers count
/// them.
struct PortAudioEntry {
    PaDeviceIndex number = paNoDevice;
    std::string name;  ///< as valid UTF-8
    std::string host_api;
    std::uint32_t channels = 0;  ///< the most that it plays
    std::uint32_t samplerate = 0;
    double low_latency_s = 0;
    double high_latency_s = 0;
    bool is_default = false;

    /// "NAME, HOST API": the text that words are searched in.
    [[nodiscard]] std::string label() const { return name + ", " + host_api; }
};

/// All devices at the moment, in the order of their numbers. [control threads]
std::vector<PortAudioEntry> portaudio_entries(const PortAudioSession& session);

/// Finds the output device that `asked` means: a number; words that all occur in its label in this order, in upper or
/// lower case; "portaudio" or nothing for the default device. A device whose whole name or label matches comes first.
/// Throws ArgumentError, with the list of devices, if none or several match; NoDeviceError if there is no output
/// device.
const PortAudioEntry& chosen_entry(const std::vector<PortAudioEntry>& entries,
                                   const std::optional<std::variant<std::string, std::int64_t>>& asked);

}  // namespace cueline
