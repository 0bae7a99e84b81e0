// portaudio_stream.cpp: opens and closes a stream, and runs its blocks.
#include "devices/portaudio/portaudio_stream.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include "system/clock.hpp"
#include "system/quiet_stderr.hpp"

namespace cueline {

PortAudioStream::PortAudioStream(std::unique_ptr<PortAudioSession> session, const PortAudioEntry& device,
                                 const Format& format, double latency_s, BlockCallback& callback, PortAudioStats& stats)
    : session_{std::move(session)},
      audio_{new Audio{.callback = callback,
                       .stats = stats,
                       .channels = format.channels,
                       .period_ns = duration_ns(format.blocksize, format.samplerate)}} {
    const PortAudioSession::Turn call = session_->turn();
    const QuietStderr quiet;
    on_jack_ = call->host_api_info(call->device_info(device.number)->hostApi)->type == paJACK;
    session_->mark_streamed();
    const PaStreamParameters parameters = stream_parameters(device, format, latency_s);
    PaError error = call->open_stream(&stream_, nullptr, &parameters, format.samplerate, format.blocksize, paNoFlag,
                                      &PortAudioStream::run_block, audio_.get());
    if (error != paNoError) throw DeviceError{refusal_of(*call, error, device, format)};
    audio_->watch.begin(audio_->period_ns + static_cast<std::uint64_t>(latency_s * 1e9));
    audio_->gate.open();
    error = call->start_stream(stream_);
    if (error == paNoError) return;
    const std::string refusal = refusal_of(*call, error, device, format);
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

int PortAudioStream::run_block(const void*, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                               PaStreamCallbackFlags flags, void* audio) noexcept CUELINE_NONBLOCKING {
    auto& self = *static_cast<Audio*>(audio);
    return self.run_block({static_cast<float* const*>(output), self.channels}, static_cast<std::uint32_t>(frames),
                          flags);
}

int PortAudioStream::Audio::run_block(std::span<float* const> output, std::uint32_t frames,
                                      PaStreamCallbackFlags flags) noexcept CUELINE_NONBLOCKING {
    watch.count_block();
    if (!gate.try_enter()) {
        for (float* const channel : output) std::fill_n(channel, frames, 0.0F);
        return paContinue;  // the control side ends the stream
    }
    if (!has_run.load(std::memory_order_relaxed)) {  // relaxed: only this thread writes it
        thread = ThreadHandle::current();
        has_run.store(true, std::memory_order_release);  // pairs with the acquire in PortAudioStream::has_run()
    }
    if ((flags & paOutputUnderflow) != 0) stats.xruns.add(1);
    const std::uint64_t began_ns = block_clock_ns();
    callback.process({.channels = output, .frames = frames}, began_ns);
    stats.load.record(block_clock_ns() - began_ns, period_ns);
    gate.leave();
    return paContinue;
}

std::string refusal_of(const PortAudioFunctions& call, PaError error, const PortAudioEntry& device,
                       const Format& format) {
    const std::string named = "PortAudio's device " + std::to_string(device.number) + " '" + device.label() + "'";
    switch (error) {
        case paInvalidSampleRate:
            return named + " does not support " + std::to_string(format.samplerate) +
                   " frames a second; its own rate is " + std::to_string(device.samplerate) + ": leave samplerate out";
        case paInvalidChannelCount:
            return named + " plays up to " + std::to_string(device.channels) + " channels, got " +
                   std::to_string(format.channels);
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

PaStreamParameters stream_parameters(const PortAudioEntry& device, const Format& format, double latency_s) {
    PaStreamParameters parameters{};
    parameters.device = device.number;
    parameters.channelCount = static_cast<int>(format.channels);
    parameters.sampleFormat = paFloat32 | paNonInterleaved;
    parameters.suggestedLatency = latency_s;
    return parameters;
}

}  // namespace cueline
