// portaudio_device.cpp: starts and stops a stream, with a helper that notices when the stream ends by itself.
#include "devices/portaudio/portaudio_device.hpp"

#include <algorithm>
#include <chrono>
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

double latency_of(const DeviceRequest& request, const PortAudioEntry& device) {
    if (!request.latency) return device.low_latency_s;
    if (const auto* const seconds = std::get_if<double>(&*request.latency)) return *seconds;
    const auto& word = std::get<std::string>(*request.latency);
    if (word == "low") return device.low_latency_s;
    if (word == "high") return device.high_latency_s;
    throw ArgumentError{"latency must be 'low', 'high', or in seconds, got '" + word + "'"};
}

Format format_of(const DeviceRequest& request, const PortAudioEntry& device) {
    Format its_own;
    its_own.samplerate = device.samplerate;
    return request.format(its_own);
}

}  // namespace

PortAudioDevice::PortAudioDevice(PortAudioLibrary& library, const DeviceRequest& request)
    : library_{library}, request_{request} {
    const PortAudioSession session{library};
    chosen_ = chosen_entry(portaudio_entries(session), request.device);
    const Format format = format_of(request, chosen_);
    const PaStreamParameters parameters = stream_parameters(chosen_, format, latency_of(request, chosen_));
    const PortAudioSession::Turn call = session.turn();
    const QuietStderr quiet;
    const PaError error = format.channels > chosen_.channels
                              ? paInvalidChannelCount
                              : call->is_format_supported(nullptr, &parameters, format.samplerate);
    if (error != paFormatIsSupported) throw DeviceError{refusal_of(*call, error, chosen_, format)};
    samplerate_ = format.samplerate;
}

Format PortAudioDevice::format() const noexcept {
    Format format = request_.format();
    format.samplerate = samplerate_.load(std::memory_order_relaxed);  // relaxed: no other read depends on it
    return format;
}

void PortAudioDevice::start(BlockCallback& callback) {
    auto session = std::make_unique<PortAudioSession>(library_);
    const PortAudioEntry device = found_again(*session);
    const Format format = format_of(request_, device);
    samplerate_.store(format.samplerate, std::memory_order_relaxed);  // relaxed: see format()
    callback.prepare(format);
    stream_ = std::make_unique<PortAudioStream>(std::move(session), device, format, latency_of(request_, device),
                                                callback, stats_);
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

/// The chosen device, with its present number. Throws DeviceError if it is gone.
PortAudioEntry PortAudioDevice::found_again(const PortAudioSession& session) const {
    const std::vector<PortAudioEntry> entries = portaudio_entries(session);
    const auto is_it = [this](const PortAudioEntry& entry) {
        return entry.label() == chosen_.label() && entry.channels > 0;
    };
    const auto number = static_cast<std::size_t>(chosen_.number);
    if (number < entries.size() && is_it(entries[number])) return entries[number];
    const auto found = std::ranges::find_if(entries, is_it);
    if (found != entries.end()) return *found;
    throw DeviceError{"PortAudio's device '" + chosen_.label() +
                      "' is gone: plug it in, start its server, or make an engine on another device"};
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
    callback.lost("PortAudio's device '" + chosen_.label() + "' " + why + "; call start() to try again");
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
        if (entry.channels == 0) continue;
        devices.push_back({.device = std::to_string(entry.number),
                           .host_api = entry.host_api,
                           .name = entry.name,
                           .channels = entry.channels,
                           .samplerate = entry.samplerate,
                           .blocksize = Format{}.blocksize,
                           .low_latency_s = entry.low_latency_s,
                           .high_latency_s = entry.high_latency_s,
                           .is_default = entry.is_default});
    }
    if (devices.empty()) static_cast<void>(chosen_entry(entries, std::nullopt));  // throws
    return devices;
}

}  // namespace cueline
