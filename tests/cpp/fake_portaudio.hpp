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
    struct Output {
        std::string name;
        std::string host_api;
        int channels = 2;
        double samplerate = 48'000;
    };

    /// The first device with channels is the default. A host API with the name "JACK" counts as JACK.
    explicit FakePortAudio(std::vector<Output> devices);
    ~FakePortAudio();
    FakePortAudio(const FakePortAudio&) = delete;
    FakePortAudio& operator=(const FakePortAudio&) = delete;

    /// The library for a PortAudioDevice.
    PortAudioLibrary& library() { return *library_; }

    /// Lets the newest stream call for one block, on this thread. A start calls for one too, on an audio thread that
    /// lives until the stream is closed, as PortAudio's does. Returns the block's first channel.
    // NOLINTNEXTLINE(modernize-use-nodiscard): most tests look at other effects
    std::vector<float> play(PaStreamCallbackFlags flags = 0, std::size_t frames = 128) const;

    /// Lets the newest stream end by itself: it is not active from now on.
    void end_stream() { active = false; }

    std::vector<Output> devices;  // PortAudio reads them when it initialises
    std::atomic<bool> active = false;
    bool calls_at_once = true;  ///< whether a stream calls for a block when it starts
    PaError format_error = paFormatIsSupported;
    PaError open_error = paNoError;
    PaError start_error = paNoError;

    // The calls so far.
    std::atomic<int> initialized = 0;
    std::atomic<int> open_streams = 0;
    std::atomic<int> overlaps = 0;  ///< calls during another call
    std::size_t copies = 0;         ///< how often the functions were loaded
    double latency = 0;
    PaDeviceIndex device = paNoDevice;
    double samplerate = 0;
    unsigned long blocksize = 0;

    // What the functions return pointers to, while PortAudio is initialised.
    std::vector<PaDeviceInfo> device_infos;
    std::vector<PaHostApiInfo> host_apis;
    PaStreamCallback* callback = nullptr;
    void* user_data = nullptr;
    int channels = 0;
    std::list<std::jthread> streams;  // their audio threads

  private:
    std::unique_ptr<PortAudioLibrary> library_;
};

}  // namespace cueline::test
