// fake_portaudio.hpp: a PortAudio that a test controls, for what a real one does not do on demand.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <portaudio.h>

#include "devices/portaudio/portaudio_library.hpp"

namespace cueline::test {

/// Use one at a time: PortAudio's functions have no object to tell two apart.
class FakePortAudio {
  public:
    struct Card {
        std::string name;
        std::string host_api;
        int inputs = 0;
        int outputs = 2;
        double samplerate = 48'000;
    };

    /// The first device with inputs and the first one with outputs are the default ones. A host API with the name
    /// "JACK" counts as JACK.
    explicit FakePortAudio(std::vector<Card> devices);
    ~FakePortAudio();
    FakePortAudio(const FakePortAudio&) = delete;
    FakePortAudio& operator=(const FakePortAudio&) = delete;

    /// The library for a PortAudioDevice.
    PortAudioLibrary& library() { return *library_; }

    /// Lets the newest stream call for one block, on this thread. A start calls for one too, on an audio thread that
    /// lives until the stream is closed, as PortAudio's does. Returns the output channels, or one empty channel. Each
    /// sample of input channel n is n / 8, from n = 1; with has_input = false, PortAudio has no samples.
    // NOLINTNEXTLINE(modernize-use-nodiscard): most tests look at other effects
    std::vector<std::vector<float>> play_all(PaStreamCallbackFlags flags = 0, std::size_t frames = 128) const;
    /// The same. Returns the first channel.
    // NOLINTNEXTLINE(modernize-use-nodiscard)
    std::vector<float> play(PaStreamCallbackFlags flags = 0, std::size_t frames = 128) const {
        return play_all(flags, frames).front();
    }

    /// Lets the newest stream end by itself: it is not active from now on.
    void end_stream() { active = false; }

    std::vector<Card> devices;  // PortAudio reads them when it initialises
    std::atomic<bool> active = false;
    bool has_input = true;
    bool calls_at_once = true;  ///< whether a stream calls for a block when it starts
    PaError format_error = paFormatIsSupported;
    PaError open_error = paNoError;
    PaError start_error = paNoError;

    // The calls so far.
    std::atomic<int> initialized = 0;
    std::atomic<int> open_streams = 0;
    std::atomic<int> overlaps = 0;  ///< calls during another call
    std::size_t copies = 0;         ///< how often the functions were loaded
    double latency = 0;             ///< of the output, or the input
    PaDeviceIndex device = paNoDevice;
    PaDeviceIndex input_device = paNoDevice;
    double samplerate = 0;
    unsigned long blocksize = 0;

    // What the functions return pointers to, while PortAudio is initialised.
    std::vector<PaDeviceInfo> device_infos;
    std::vector<PaHostApiInfo> host_apis;
    PaStreamCallback* callback = nullptr;
    void* user_data = nullptr;
    int input_channels = 0;
    int channels = 0;
    PaStreamInfo stream_info{.structVersion = 1, .inputLatency = 0.01, .outputLatency = 0.02, .sampleRate = 0};
    std::list<std::jthread> streams;  // their audio threads

  private:
    std::unique_ptr<PortAudioLibrary> library_;
};

}  // namespace cueline::test
