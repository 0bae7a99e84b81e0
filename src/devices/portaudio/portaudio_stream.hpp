// portaudio_stream.hpp: a running stream of PortAudio, and the work of its audio thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <portaudio.h>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

#include "devices/block_watch.hpp"
#include "devices/callback_load.hpp"
#include "devices/gate.hpp"
#include "devices/portaudio/portaudio_library.hpp"
#include "devices/portaudio/portaudio_search.hpp"
#include "system/thread_priority.hpp"

namespace cueline {

/// What the audio threads of a device's streams measure, one stream after the other.
struct PortAudioStats {
    Counter xruns;
    CallbackLoad load;
};

/// A stream that runs for as long as this object lives. [control threads, one at a time]
class PortAudioStream {
  public:
    /// `callback` and `stats` must outlive it. Throws DeviceError if the device cannot do this, or cannot do it now.
    PortAudioStream(std::unique_ptr<PortAudioSession> session, const PortAudioPair& devices,
                    const DeviceRequest& request, std::uint32_t samplerate, BlockCallback& callback,
                    PortAudioStats& stats);

    /// When it returns, no block runs, none will, and the session has ended. In a forked child, it touches nothing.
    ~PortAudioStream();
    PortAudioStream(const PortAudioStream&) = delete;
    PortAudioStream& operator=(const PortAudioStream&) = delete;

    /// Whether the stream ended by itself, as PortAudio reports it. False if another thread is in a call to PortAudio:
    /// such a call may never return.
    [[nodiscard]] bool ended() const;

    /// Whether the blocks have stopped coming, whatever PortAudio reports. Call it at each wake-up of BlockWatch.
    [[nodiscard]] bool stalled() noexcept;

    /// Requests real-time priority for the audio thread, once. JACK has its own threads, and decides for them. Returns
    /// whether the audio thread has it: false before the first block.
    [[nodiscard]] bool request_realtime_priority() noexcept;

    /// What PortAudio reports.
    [[nodiscard]] DeviceLatency latency() const noexcept { return latency_; }

    /// When it returns, no block runs and none will.
    void end_blocks() noexcept { audio_->gate.shut(); }

    /// Whether a block has run. [any thread]
    [[nodiscard]] bool has_run() const noexcept { return audio_->has_run.load(std::memory_order_acquire); }

  private:
    /// All that the audio thread touches. It outlives the stream if PortAudio may still use it.
    struct Audio {
        BlockCallback& callback;
        PortAudioStats& stats;
        std::uint64_t period_ns;
        std::vector<std::uint32_t> input_channels;   // of the device, that we use
        std::vector<std::uint32_t> output_channels;  // the same
        std::uint32_t outputs_open;                  // we use all of them, or silence the others
        std::vector<float> silence;                  // for inputs without samples
        std::array<const float*, max_channels> inputs{};
        std::array<float*, max_channels> outputs{};
        Gate gate{};
        BlockWatch watch{};
        std::atomic<bool> has_run = false;
        ThreadHandle thread{};  // the audio thread: the release of `has_run` publishes it

        int run_block(const float* const* input, std::span<float* const> output, std::uint32_t frames,
                      PaStreamCallbackFlags flags) noexcept CUELINE_NONBLOCKING;
    };

    static int run_block(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                         PaStreamCallbackFlags flags, void* audio) noexcept CUELINE_NONBLOCKING;
    void close(bool its_server_answers) noexcept;

    std::unique_ptr<PortAudioSession> session_;
    std::shared_ptr<Audio> audio_;
    DeviceLatency latency_;
    bool on_jack_ = false;
    bool stalled_ = false;
    bool priority_requested_ = false;
    PaStream* stream_ = nullptr;
};

/// Explains PortAudio's `error` to a user who requested this format of `devices`. `call` comes from a turn.
std::string refusal_of(const PortAudioFunctions& call, PaError error, const PortAudioPair& devices,
                       const Format& format);

/// The parameters of a stream of float samples, one array per channel, as PortAudio takes them: null pointers for a
/// side that is not used.
class PortAudioParameters {
  public:
    /// Throws DeviceError if a device has too few channels, and ArgumentError for an unknown latency.
    PortAudioParameters(const PortAudioPair& devices, const DeviceRequest& request);

    [[nodiscard]] const PaStreamParameters* input() const { return input_ ? &*input_ : nullptr; }
    [[nodiscard]] const PaStreamParameters* output() const { return output_ ? &*output_ : nullptr; }

    /// The longer one of both sides.
    [[nodiscard]] double latency_s() const;

  private:
    std::optional<PaStreamParameters> input_;
    std::optional<PaStreamParameters> output_;
};

}  // namespace cueline
