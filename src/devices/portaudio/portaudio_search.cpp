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
std::string listed(std::span<const PortAudioEntry> entries) {
    std::string text;
    for (const PortAudioEntry& entry : entries) {
        if (entry.channels == 0) continue;
        text += (text.empty() ? "" : ", ") + std::to_string(entry.number) + " '" + entry.label() + "'";
    }
    return text.empty() ? "none at the moment" : text;
}

NoDeviceError no_output() {
    return NoDeviceError{
        "PortAudio has no output device at the moment: plug in a sound card, start a JACK server, or use device "
        "'null'"};
}

const PortAudioEntry& by_number(const Entries& entries, std::int64_t number) {
    if (std::ranges::all_of(entries, [](const PortAudioEntry& entry) { return entry.channels == 0; })) {
        throw no_output();
    }
    if (number < 0 || std::cmp_greater_equal(number, entries.size())) {
        throw ArgumentError{"device must be the number of one of PortAudio's output devices (" + listed(entries) +
                            "), got " + std::to_string(number)};
    }
    const PortAudioEntry& entry = entries[static_cast<std::size_t>(number)];
    if (entry.channels > 0) return entry;
    throw ArgumentError{"device " + std::to_string(number) + " '" + entry.label() +
                        "' only records: PortAudio's output devices are " + listed(entries)};
}

/// The output devices for which `matches` returns true. It gets the label and the name in lower case.
template <class Matches>
Entries filtered(const Entries& entries, Matches matches) {
    Entries found;
    std::ranges::copy_if(entries, std::back_inserter(found), [&](const PortAudioEntry& entry) {
        return entry.channels > 0 && matches(lower_case(entry.label()), lower_case(entry.name));
    });
    return found;
}

const PortAudioEntry& by_words(const Entries& entries, const std::string& asked) {
    const std::string words = lower_case(asked);
    Entries found = filtered(
        entries, [&](const std::string& label, const std::string& name) { return words == label || words == name; });
    if (found.empty()) {
        found = filtered(
            entries, [&](const std::string& label, const std::string&) { return has_words_in_order(label, words); });
    }
    if (found.empty()) {
        throw ArgumentError{
            "device must be 'null', 'offline', 'jack', 'portaudio', or words of one of PortAudio's output "
            "devices (" +
            listed(entries) + "), got '" + asked + "'"};
    }
    if (found.size() > 1) {
        throw ArgumentError{"device '" + asked + "' matches " + std::to_string(found.size()) +
                            " of PortAudio's output devices: " + listed(found) + "; add words, or pass the number"};
    }
    return entries[static_cast<std::size_t>(found.front().number)];
}

}  // namespace

std::vector<PortAudioEntry> portaudio_entries(const PortAudioSession& session) {
    const PortAudioSession::Turn call = session.turn();
    const PaDeviceIndex default_output = call->default_output();
    Entries entries;
    for (PaDeviceIndex number = 0; number < call->device_count(); ++number) {
        const PaDeviceInfo& info = *call->device_info(number);
        entries.push_back({.number = number,
                           .name = valid_utf8(info.name),
                           .host_api = valid_utf8(call->host_api_info(info.hostApi)->name),
                           .channels = static_cast<std::uint32_t>(std::max(info.maxOutputChannels, 0)),
                           .samplerate = static_cast<std::uint32_t>(std::lround(info.defaultSampleRate)),
                           .low_latency_s = info.defaultLowOutputLatency,
                           .high_latency_s = info.defaultHighOutputLatency,
                           .is_default = number == default_output});
    }
    return entries;
}

const PortAudioEntry& chosen_entry(const std::vector<PortAudioEntry>& entries,
                                   const std::optional<std::variant<std::string, std::int64_t>>& asked) {
    if (asked) {
        if (const auto* const number = std::get_if<std::int64_t>(&*asked)) return by_number(entries, *number);
        if (const auto& words = std::get<std::string>(*asked); words != "portaudio") {
            return by_words(entries, words);
        }
    }
    const auto found = std::ranges::find_if(
        entries, [](const PortAudioEntry& entry) { return entry.is_default && entry.channels > 0; });
    if (found == entries.end()) throw no_output();
    return *found;
}

}  // namespace cueline
