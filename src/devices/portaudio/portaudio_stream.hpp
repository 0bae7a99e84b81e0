// portaudio_stream.hpp: one stream of PortAudio's that runs, and what its audio thread does.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <portaudio.h>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>

#include "devices/callback_load.hpp"
#include "devices/gate.hpp"
#include "devices/portaudio/portaudio_library.hpp"
#include "devices/portaudio/portaudio_search.hpp"

namespace cueline {

/// What the audio thread notes, of one stream after the other.
struct PortAudioAccount {
    Counter xruns;
    CallbackLoad load;
};

/// Opens a stream and lets it run, for as long as it lives. Thread: control, one at a time.
class PortAudioStream {
  public:
    /// `callback` and `account` must outlive it. Throws DeviceError when the device cannot do this, or not now.
    PortAudioStream(std::unique_ptr<PortAudioSession> session, const PortAudioEntry& device, const Format& format,
                    double latency_s, BlockCallback& callback, PortAudioAccount& account);

    /// When it returns, no block runs and none will; the session has ended. In a forked child it only forgets.
    ~PortAudioStream();
    PortAudioStream(const PortAudioStream&) = delete;
    PortAudioStream& operator=(const PortAudioStream&) = delete;

    /// Whether PortAudio still calls for blocks. It never stops by our wish.
    [[nodiscard]] bool active() const;

    /// Whether its audio thread is a real-time one: no, until there was a block.
    [[nodiscard]] bool realtime_priority() const noexcept;

    /// Whether there was a block. Thread: any.
    [[nodiscard]] bool carries() const noexcept { return audio_->carries.load(std::memory_order_acquire); }

  private:
    /// All that the audio thread touches. Where PortAudio cannot be made to forget its address, it outlives us.
    struct Audio {
        BlockCallback& callback;
        PortAudioAccount& account;
        std::uint32_t channels;
        std::uint64_t period_ns;
        Gate gate{};
        std::atomic<bool> carries = false;
        pthread_t thread{};  // the audio thread's own handle: published by the release of `carries`

        int carry(std::span<float* const> output, std::uint32_t frames, PaStreamCallbackFlags flags) noexcept
            CUELINE_NONBLOCKING;
    };

    static int carry(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                     PaStreamCallbackFlags flags, void* audio) noexcept CUELINE_NONBLOCKING;
    void close(bool its_server_answers) noexcept;

    std::unique_ptr<PortAudioSession> session_;
    std::shared_ptr<Audio> audio_;
    bool on_jack_ = false;
    PaStream* stream_ = nullptr;
};

/// What PortAudio's `error` means for who wanted `format` of `device`. Needs a turn, which `call` is.
std::string refusal_of(const PortAudioFunctions& call, PaError error, const PortAudioEntry& device,
                       const Format& format);

/// What PortAudio is to do: float samples, each channel by itself.
PaStreamParameters stream_parameters(const PortAudioEntry& device, const Format& format, double latency_s);

}  // namespace cueline
