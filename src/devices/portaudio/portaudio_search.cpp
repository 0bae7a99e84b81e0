// portaudio_search.cpp: finds a device by number, by words, or by default.
#include "devices/portaudio/portaudio_search.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

#include <cueline/engine/device_request.hpp>
#include <cueline/error.hpp>

#include "system/utf8.hpp"

namespace cueline {

namespace {

using Entries = std::vector<PortAudioEntry>;

bool has_words_in_order(const std::string& label, const std::string& words) {
    std::istringstream rest{words};
    std::size_t from = 0;
    for (std::string word; rest >> word;) {
        const std::size_t found = label.find(word, from);
        if (found == std::string::npos) return false;
        from = found + word.size();
    }
    return true;
}

/// "0 'Speakers, ALSA', 3 'system, JACK Audio Connection Kit'".
std::string listed(std::span<const PortAudioEntry> entries, PortAudioUse use) {
    std::string text;
    for (const PortAudioEntry& entry : entries) {
        if (entry.side(use).channels == 0) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(entry.number) + " '" + entry.label() + "'";
    }
    return text.empty() ? "none at the moment" : text;
}

/// "output device", or "input device".
std::string kind(PortAudioUse use) {
    return use == PortAudioUse::input ? "input device" : "output device";
}

NoDeviceError no_device(PortAudioUse use) {
    return NoDeviceError{"PortAudio has no " + kind(use) +
                         " at the moment: plug in a sound card, start a JACK server, or use device 'null'"};
}

const PortAudioEntry& by_number(const Entries& entries, std::int64_t number, PortAudioUse use) {
    if (std::ranges::all_of(entries, [&](const PortAudioEntry& entry) { return entry.side(use).channels == 0; })) {
        throw no_device(use);
    }
    if (number < 0 || std::cmp_greater_equal(number, entries.size())) {
        throw ArgumentError{"device must be the number of one of PortAudio's " + kind(use) + "s (" +
                            listed(entries, use) + "), got " + std::to_string(number)};
    }
    const PortAudioEntry& entry = entries[static_cast<std::size_t>(number)];
    if (entry.side(use).channels > 0) return entry;
    throw ArgumentError{"device " + std::to_string(number) + " '" + entry.label() + "' only " +
                        (use == PortAudioUse::input ? "plays" : "records") + ": PortAudio's " + kind(use) + "s are " +
                        listed(entries, use)};
}

/// The devices for this use for which `matches` returns true. It gets the label and the name in lower case.
template <class Matches>
Entries filtered(const Entries& entries, PortAudioUse use, Matches matches) {
    Entries found;
    std::ranges::copy_if(entries, std::back_inserter(found), [&](const PortAudioEntry& entry) {
        return entry.side(use).channels > 0 && matches(lower_case(entry.label()), lower_case(entry.name));
    });
    return found;
}

const PortAudioEntry& by_words(const Entries& entries, const std::string& asked, PortAudioUse use) {
    const std::string words = lower_case(asked);
    Entries found = filtered(entries, use, [&](const std::string& label, const std::string& name) {
        return words == label || words == name;
    });
    if (found.empty()) {
        found = filtered(entries, use, [&](const std::string& label, const std::string&) {
            return has_words_in_order(label, words);
        });
    }
    if (found.empty()) {
        throw ArgumentError{"device must be 'null', 'offline', 'jack', 'portaudio', or words of one of PortAudio's " +
                            kind(use) + "s (" + listed(entries, use) + "), got '" + asked + "'"};
    }
    if (found.size() > 1) {
        throw ArgumentError{"device '" + asked + "' matches " + std::to_string(found.size()) + " of PortAudio's " +
                            kind(use) + "s: " + listed(found, use) + "; add words, or pass the number"};
    }
    return entries[static_cast<std::size_t>(found.front().number)];
}

}  // namespace

std::vector<PortAudioEntry> portaudio_entries(const PortAudioSession& session) {
    const PortAudioSession::Turn call = session.turn();
    const PaDeviceIndex default_input = call->default_input();
    const PaDeviceIndex default_output = call->default_output();
    Entries entries;
    for (PaDeviceIndex number = 0; number < call->device_count(); ++number) {
        const PaDeviceInfo& info = *call->device_info(number);
        entries.push_back({.number = number,
                           .name = valid_utf8(info.name),
                           .host_api = valid_utf8(call->host_api_info(info.hostApi)->name),
                           .samplerate = static_cast<std::uint32_t>(std::lround(info.defaultSampleRate)),
                           .input = {.channels = static_cast<std::uint32_t>(std::max(info.maxInputChannels, 0)),
                                     .low_latency_s = info.defaultLowInputLatency,
                                     .high_latency_s = info.defaultHighInputLatency,
                                     .is_default = number == default_input},
                           .output = {.channels = static_cast<std::uint32_t>(std::max(info.maxOutputChannels, 0)),
                                      .low_latency_s = info.defaultLowOutputLatency,
                                      .high_latency_s = info.defaultHighOutputLatency,
                                      .is_default = number == default_output}});
    }
    return entries;
}

const PortAudioEntry& chosen_entry(const std::vector<PortAudioEntry>& entries,
                                   const std::optional<std::variant<std::string, std::int64_t>>& asked,
                                   PortAudioUse use) {
    if (asked) {
        if (const auto* const number = std::get_if<std::int64_t>(&*asked)) return by_number(entries, *number, use);
        if (const auto& words = std::get<std::string>(*asked); words != "portaudio") {
            return by_words(entries, words, use);
        }
    }
    const auto found = std::ranges::find_if(entries, [&](const PortAudioEntry& entry) {
        return entry.side(use).is_default && entry.side(use).channels > 0;
    });
    if (found == entries.end()) throw no_device(use);
    return *found;
}

PortAudioPair chosen_pair(const std::vector<PortAudioEntry>& entries, const DeviceRequest& request) {
    PortAudioPair pair;
    if (count_of(request.inputs) > 0) {
        pair.input =
            chosen_entry(entries, request.input_device ? request.input_device : request.device, PortAudioUse::input);
    }
    if (count_of(request.outputs) > 0) pair.output = chosen_entry(entries, request.device, PortAudioUse::output);
    if (!pair.input && !pair.output)
        throw ArgumentError{"a stream of PortAudio needs inputs or outputs: request outputs=2"};
    if (pair.input && pair.output && pair.input->host_api != pair.output->host_api) {
        throw ArgumentError{"PortAudio opens two devices together only if they have one host API, got " + pair.label()};
    }
    return pair;
}

std::string PortAudioPair::label() const {
    const auto quoted = [](const PortAudioEntry& entry) {
        return std::string{"'"}.append(entry.label()).append("'");  // with + instead, g++ 12 warns wrongly at -O3
    };
    if (is_one() || !input || !output) return quoted(first());
    return quoted(*input) + " and " + quoted(*output);
}

}  // namespace cueline
