// portaudio_device.cpp: starts and stops a stream, with a helper that notices when the stream ends by itself.
#include "devices/portaudio/portaudio_device.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/error.hpp>

#include "devices/portaudio/portaudio.hpp"
#include "system/quiet_stderr.hpp"

namespace cueline {

namespace {

using namespace std::chrono_literals;

constexpr auto max_wait = 500ms;  // for the first block

std::uint32_t samplerate_of(const DeviceRequest& request, const PortAudioPair& devices) {
    return request.samplerate.value_or(devices.first().samplerate);
}

}  // namespace

PortAudioDevice::PortAudioDevice(PortAudioLibrary& library, const DeviceRequest& request)
    : library_{library}, request_{request} {
    const PortAudioSession session{library};
    chosen_ = chosen_pair(portaudio_entries(session), request);
    const PortAudioParameters parameters{chosen_, request};
    samplerate_ = samplerate_of(request, chosen_);
    const PortAudioSession::Turn call = session.turn();
    const QuietStderr quiet;
    const PaError error = call->is_format_supported(parameters.input(), parameters.output(), samplerate_);
    if (error != paFormatIsSupported) throw DeviceError{refusal_of(*call, error, chosen_, format())};
}

DeviceLatency PortAudioDevice::latency() const noexcept {
    return {.input = input_latency_.load(std::memory_order_relaxed),  // both relaxed: a report
            .output = output_latency_.load(std::memory_order_relaxed)};
}

Format PortAudioDevice::format() const noexcept {
    Format format = request_.format();
    format.samplerate = samplerate_.load(std::memory_order_relaxed);  // relaxed: no other read depends on it
    return format;
}

void PortAudioDevice::start(BlockCallback& callback) {
    auto session = std::make_unique<PortAudioSession>(library_);
    const PortAudioPair devices = found_again(*session);
    const std::uint32_t samplerate = samplerate_of(request_, devices);
    samplerate_.store(samplerate, std::memory_order_relaxed);  // relaxed: see format()
    callback.prepare(format());
    stream_ = std::make_unique<PortAudioStream>(std::move(session), devices, request_, samplerate, callback, stats_);
    input_latency_.store(stream_->latency().input, std::memory_order_relaxed);  // both relaxed: a report
    output_latency_.store(stream_->latency().output, std::memory_order_relaxed);
    for (auto waited = 0ms; !stream_->has_run() && waited < max_wait; waited += 1ms) {
        std::this_thread::sleep_for(1ms);
    }
    note_priority();
    try {
        helper_.start("the PortAudio device", [this, &callback] { watch(callback); });
    } catch (...) {
        stream_.reset();
        throw;
    }
}

void PortAudioDevice::stop() noexcept {
    stop_requested_.release();
    helper_.join();
    static_cast<void>(stop_requested_.try_acquire());  // the helper may have ended by itself
    stream_.reset();
}

/// The chosen devices, with their present numbers. Throws DeviceError if one is gone.
PortAudioPair PortAudioDevice::found_again(const PortAudioSession& session) const {
    const std::vector<PortAudioEntry> entries = portaudio_entries(session);
    const auto found = [&](const PortAudioEntry& chosen, PortAudioUse use) {
        const auto is_it = [&](const PortAudioEntry& entry) {
            return entry.label() == chosen.label() && entry.side(use).channels > 0;
        };
        const auto number = static_cast<std::size_t>(chosen.number);
        if (number < entries.size() && is_it(entries[number])) return entries[number];
        const auto other = std::ranges::find_if(entries, is_it);
        if (other != entries.end()) return *other;
        throw DeviceError{"PortAudio's device '" + chosen.label() +
                          "' is gone: plug it in, start its server, or make an engine on another device"};
    };
    PortAudioPair pair;
    if (chosen_.input) pair.input = found(*chosen_.input, PortAudioUse::input);
    if (chosen_.output) pair.output = found(*chosen_.output, PortAudioUse::output);
    return pair;
}

void PortAudioDevice::watch(BlockCallback& callback) noexcept {
    while (!stop_requested_.try_acquire_for(BlockWatch::interval)) {
        note_priority();  // the first block may have come late
        if (stream_->stalled()) {
            lose(callback, "calls for no more blocks: its server hangs or is gone, or its card fails");
            return;
        }
        if (stream_->ended()) {
            lose(callback, "ended by itself: its card was unplugged or its server is gone");
            return;
        }
    }
}

void PortAudioDevice::lose(BlockCallback& callback, const std::string& why) noexcept {
    stream_->end_blocks();
    callback.lost("PortAudio's device " + chosen_.label() + " " + why + "; call start() to try again");
    stream_.reset();  // last: it may wait for a server that hangs
}

void PortAudioDevice::note_priority() noexcept {
    realtime_priority_.store(stream_->request_realtime_priority(), std::memory_order_relaxed);  // relaxed: a report
}

DeviceStats PortAudioDevice::stats() const noexcept {
    return {.xruns = stats_.xruns.get(),
            .load_mean = stats_.load.mean(),
            .load_peak = stats_.load.peak(),
            .realtime_priority = realtime_priority_.load(std::memory_order_relaxed)};  // relaxed: a report
}

std::unique_ptr<Device> open_portaudio(const DeviceRequest& request) {
    return std::make_unique<PortAudioDevice>(PortAudioLibrary::of_the_system(), request);
}

std::vector<DeviceInfo> list_portaudio() {
    const PortAudioSession session{PortAudioLibrary::of_the_system()};
    const std::vector<PortAudioEntry> entries = portaudio_entries(session);
    std::vector<DeviceInfo> devices;
    for (const PortAudioEntry& entry : entries) {
        const PortAudioEntry::Side& side = entry.output.channels > 0 ? entry.output : entry.input;
        if (side.channels == 0) continue;
        devices.push_back({.device = std::to_string(entry.number),
                           .host_api = entry.host_api,
                           .name = entry.name,
                           .inputs = entry.input.channels,
                           .outputs = entry.output.channels,
                           .samplerate = entry.samplerate,
                           .blocksize = Format{}.blocksize,
                           .low_latency_s = side.low_latency_s,
                           .high_latency_s = side.high_latency_s,
                           .is_default = entry.output.is_default,
                           .is_default_input = entry.input.is_default});
    }
    if (devices.empty()) static_cast<void>(chosen_entry(entries, std::nullopt, PortAudioUse::output));  // throws
    return devices;
}

}  // namespace cueline
