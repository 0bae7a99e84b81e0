// portaudio_search.hpp: PortAudio's devices, and which of them a user means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "devices/portaudio/portaudio_library.hpp"

namespace cueline {

/// A device as PortAudio tells it. One without output channels is listed too: numbers count it.
struct PortAudioEntry {
    PaDeviceIndex number = paNoDevice;
    std::string name;
    std::string host_api;
    std::uint32_t channels = 0;  ///< most that it plays
    std::uint32_t samplerate = 0;
    double low_latency_s = 0;
    double high_latency_s = 0;
    bool is_default = false;

    /// "NAME, HOST API": what words are looked for in.
    [[nodiscard]] std::string label() const { return name + ", " + host_api; }
};

/// All of its devices at the moment, in the order of their numbers. Thread: control.
std::vector<PortAudioEntry> portaudio_entries(const PortAudioSession& session);

/// The output device that is meant by `asked`: a number; words, all of which occur in its label in that order, in
/// whatever case (a whole name before a part of one); "portaudio" or nothing for the default.
/// Throws ArgumentError, with what there is, for what is none or several; NoDeviceError where there is no output
/// device.
const PortAudioEntry& chosen_entry(const std::vector<PortAudioEntry>& entries,
                                   const std::optional<std::variant<std::string, std::int64_t>>& asked);

}  // namespace cueline
