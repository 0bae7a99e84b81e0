// portaudio_search.hpp: lists PortAudio's devices, and finds the one that a user means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <cueline/engine/device_request.hpp>

#include "devices/portaudio/portaudio_library.hpp"

namespace cueline {

/// What a stream uses a device for.
enum class PortAudioUse : std::uint8_t { input, output };

/// A device as PortAudio reports it.
struct PortAudioEntry {
    /// One direction of it.
    struct Side {
        std::uint32_t channels = 0;  ///< the most that it records or plays
        double low_latency_s = 0;
        double high_latency_s = 0;
        bool is_default = false;
    };

    PaDeviceIndex number = paNoDevice;
    std::string name;  ///< as valid UTF-8
    std::string host_api;
    std::uint32_t samplerate = 0;
    Side input;
    Side output;

    /// "NAME, HOST API": the text that words are searched in.
    [[nodiscard]] std::string label() const { return name + ", " + host_api; }

    [[nodiscard]] const Side& side(PortAudioUse use) const { return use == PortAudioUse::input ? input : output; }
};

/// The devices of a stream. If it has no inputs or no outputs, it has no device for them.
struct PortAudioPair {
    std::optional<PortAudioEntry> input;
    std::optional<PortAudioEntry> output;

    /// The one whose sample rate and number stand for both.
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): a pair has one of them at least
    [[nodiscard]] const PortAudioEntry& first() const { return output ? *output : *input; }

    [[nodiscard]] bool is_one() const { return !input || !output || input->number == output->number; }

    /// "'NAME, HOST API'", or two of them.
    [[nodiscard]] std::string label() const;
};

/// All devices at the moment, in the order of their numbers. [control threads]
std::vector<PortAudioEntry> portaudio_entries(const PortAudioSession& session);

/// Finds the device for this use that `asked` means: a number; words that all occur in its label in this order, in
/// upper or lower case; "portaudio" or nothing for the default device. A device whose whole name or label matches comes
/// first. Throws ArgumentError, with the list of devices, if none or several match; NoDeviceError if there is no device
/// for this use.
const PortAudioEntry& chosen_entry(const std::vector<PortAudioEntry>& entries,
                                   const std::optional<std::variant<std::string, std::int64_t>>& asked,
                                   PortAudioUse use);

/// Finds the devices that `request` means. Throws what chosen_entry() throws, and ArgumentError if they have two host
/// APIs.
PortAudioPair chosen_pair(const std::vector<PortAudioEntry>& entries, const DeviceRequest& request);

}  // namespace cueline
