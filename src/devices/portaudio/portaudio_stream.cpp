// portaudio_stream.cpp: opens and closes a stream, and runs its blocks.
#include "devices/portaudio/portaudio_stream.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/quiet_stderr.hpp"

namespace cueline {

namespace {

/// PortAudio cannot choose among a device's channels, so the stream has all of them up to the last one that is used.
std::uint32_t channels_to_open(const Channels& channels) {
    const std::vector<std::uint32_t> indices = indices_of(channels);
    return indices.empty() ? 0 : std::ranges::max(indices) + 1;
}

double latency_of(const DeviceRequest& request, const PortAudioEntry::Side& side) {
    if (!request.latency) return side.low_latency_s;
    if (const auto* const seconds = std::get_if<double>(&*request.latency)) return *seconds;
    const auto& word = std::get<std::string>(*request.latency);
    if (word == "low") return side.low_latency_s;
    if (word == "high") return side.high_latency_s;
    throw ArgumentError{"latency must be 'low', 'high', or in seconds, got '" + word + "'"};
}

PaStreamParameters parameters_of(const PortAudioEntry& device, PortAudioUse use, const DeviceRequest& request) {
    const PortAudioEntry::Side& side = device.side(use);
    const bool records = use == PortAudioUse::input;
    const std::uint32_t channels = channels_to_open(records ? request.inputs : request.outputs);
    if (channels > side.channels) {
        throw DeviceError{"PortAudio's device " + std::to_string(device.number) + " '" + device.label() + "' " +
                          (records ? "records" : "plays") + " up to " + std::to_string(side.channels) +
                          " channels, got " + std::to_string(channels)};
    }
    PaStreamParameters parameters{};
    parameters.device = device.number;
    parameters.channelCount = static_cast<int>(channels);
    parameters.sampleFormat = paFloat32 | paNonInterleaved;
    parameters.suggestedLatency = latency_of(request, side);
    return parameters;
}

}  // namespace

PortAudioStream::PortAudioStream(std::unique_ptr<PortAudioSession> session, const PortAudioPair& devices,
                                 const DeviceRequest& request, std::uint32_t samplerate, BlockCallback& callback,
                                 PortAudioStats& stats)
    : session_{std::move(session)},
      audio_{new Audio{.callback = callback,
                       .stats = stats,
                       .period_ns = duration_ns(request.format().blocksize, samplerate),
                       .input_channels = indices_of(request.inputs),
                       .output_channels = indices_of(request.outputs),
                       .outputs_open = channels_to_open(request.outputs),
                       .silence = std::vector<float>(request.format().blocksize)}} {
    const Format format = request.format({.samplerate = samplerate});
    const PortAudioParameters parameters{devices, request};
    const PortAudioSession::Turn call = session_->turn();
    const QuietStderr quiet;
    on_jack_ = call->host_api_info(call->device_info(devices.first().number)->hostApi)->type == paJACK;
    session_->mark_streamed();
    PaError error = call->open_stream(&stream_, parameters.input(), parameters.output(), format.samplerate,
                                      format.blocksize, paNoFlag, &PortAudioStream::run_block, audio_.get());
    if (error != paNoError) throw DeviceError{refusal_of(*call, error, devices, format)};
    if (const PaStreamInfo* const info = call->stream_info(stream_); info != nullptr) {
        const auto frames_in = [&](PaTime seconds) {
            return static_cast<std::uint32_t>(std::lround(std::max(seconds, 0.0) * format.samplerate));
        };
        latency_ = {.input = frames_in(info->inputLatency), .output = frames_in(info->outputLatency)};
    }
    audio_->watch.begin(audio_->period_ns + static_cast<std::uint64_t>(parameters.latency_s() * 1e9));
    audio_->gate.open();
    error = call->start_stream(stream_);
    if (error == paNoError) return;
    const std::string refusal = refusal_of(*call, error, devices, format);
    audio_->gate.shut();
    close(session_->jack_answers());
    throw DeviceError{refusal};
}

PortAudioStream::~PortAudioStream() {
    if (session_->is_the_parents()) return;
    audio_->gate.shut();
    const PortAudioSession::Turn call = session_->turn();
    const QuietStderr quiet;
    close(!stalled_ && call->is_stream_active(stream_) == 1);
}

/// Needs a turn and a shut gate.
void PortAudioStream::close(bool its_server_answers) noexcept {
    if (on_jack_ && !its_server_answers) {
        session_->give_up(audio_);
        return;
    }
    const PortAudioFunctions& call = session_->functions();
    call.abort_stream(stream_);  // at once: PortAudio drops what was rendered ahead
    call.close_stream(stream_);
}

bool PortAudioStream::ended() const {
    const PortAudioSession::Turn call = session_->turn_if_free();
    return call && call->is_stream_active(stream_) != 1;
}

bool PortAudioStream::stalled() noexcept {
    stalled_ = audio_->watch.blocks_stopped();
    return stalled_;
}

bool PortAudioStream::request_realtime_priority() noexcept {
    // The handle is good until the stream is closed: PortAudio and JACK join their threads only then.
    if (!has_run()) return false;
    if (audio_->thread.has_realtime_priority()) return true;
    return !on_jack_ && !std::exchange(priority_requested_, true) && audio_->thread.request_realtime_priority();
}

int PortAudioStream::run_block(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                               PaStreamCallbackFlags flags, void* audio) noexcept CUELINE_NONBLOCKING {
    auto& self = *static_cast<Audio*>(audio);
    return self.run_block(static_cast<const float* const*>(input),
                          {static_cast<float* const*>(output), self.outputs_open}, static_cast<std::uint32_t>(frames),
                          flags);
}

int PortAudioStream::Audio::run_block(const float* const* input, std::span<float* const> output, std::uint32_t frames,
                                      PaStreamCallbackFlags flags) noexcept CUELINE_NONBLOCKING {
    watch.count_block();
    const bool entered = gate.try_enter();
    if (!entered || output.size() > output_channels.size()) {
        for (float* const channel : output) std::fill_n(channel, frames, 0.0F);
    }
    if (!entered) return paContinue;  // the control side ends the stream
    for (std::size_t channel = 0; channel < input_channels.size(); ++channel) {
        // PortAudio may have no samples. Blocks have the size that was requested.
        inputs[channel] = input == nullptr ? silence.data() : input[input_channels[channel]];
    }
    for (std::size_t channel = 0; channel < output_channels.size(); ++channel) {
        outputs[channel] = output[output_channels[channel]];
    }
    if (!has_run.load(std::memory_order_relaxed)) {  // relaxed: only this thread writes it
        thread = ThreadHandle::current();
        has_run.store(true, std::memory_order_release);  // pairs with the acquire in PortAudioStream::has_run()
    }
    const PaStreamCallbackFlags xrun =
        paOutputUnderflow | (input_channels.empty() ? 0 : paInputUnderflow | paInputOverflow);
    if ((flags & xrun) != 0) stats.xruns.add(1);
    const std::uint64_t began_ns = block_clock_ns();
    callback.process({.inputs = std::span{inputs}.first(input_channels.size()),
                      .outputs = std::span{outputs}.first(output_channels.size()),
                      .frames = frames},
                     began_ns);
    stats.load.record(block_clock_ns() - began_ns, period_ns);
    gate.leave();
    return paContinue;
}

std::string refusal_of(const PortAudioFunctions& call, PaError error, const PortAudioPair& devices,
                       const Format& format) {
    const std::string number = devices.is_one() ? std::to_string(devices.first().number) + " " : "";
    const std::string named = "PortAudio's device " + number + devices.label();
    switch (error) {
        case paInvalidSampleRate:
            return named + " does not support " + std::to_string(format.samplerate) +
                   " frames a second; its own rate is " + std::to_string(devices.first().samplerate) +
                   ": leave samplerate out";
        case paDeviceUnavailable:
            return named + " is gone, or another program holds it: end that program, or use another device";
        default:
            break;
    }
    std::string why = call.error_text(error);
    if (error == paUnanticipatedHostError) why += std::string{": "} + call.last_host_error()->errorText;
    return named + " cannot be opened (" + why + ", " + std::to_string(error) +
           "): it may be gone, or unable to run blocks of " + std::to_string(format.blocksize) + " frames";
}

PortAudioParameters::PortAudioParameters(const PortAudioPair& devices, const DeviceRequest& request) {
    if (devices.input) input_ = parameters_of(*devices.input, PortAudioUse::input, request);
    if (devices.output) output_ = parameters_of(*devices.output, PortAudioUse::output, request);
}

double PortAudioParameters::latency_s() const {
    return std::max(input_ ? input_->suggestedLatency : 0, output_ ? output_->suggestedLatency : 0);
}

}  // namespace cueline
