// fake_portaudio.hpp: a PortAudio that does what a test says: what a real one cannot be made to do.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <portaudio.h>

#include "devices/portaudio/portaudio_library.hpp"

namespace cueline::test {

/// One at a time: PortAudio's functions have no object to tell one from another.
class FakePortAudio {
  public:
    struct Output {
        std::string name;
        std::string host_api;
        int channels = 2;
        double samplerate = 48'000;
    };

    /// Its first device with channels is the default one. A host API called "JACK" is JACK.
    explicit FakePortAudio(std::vector<Output> devices);
    ~FakePortAudio();
    FakePortAudio(const FakePortAudio&) = delete;
    FakePortAudio& operator=(const FakePortAudio&) = delete;

    /// What a PortAudioDevice is given.
    PortAudioLibrary& library() { return *library_; }

    /// Has the newest stream ask for one block, as PortAudio's audio thread would; it has asked for one when it was
    /// started. Returns its first channel.
    // NOLINTNEXTLINE(modernize-use-nodiscard): mostly it is what else happens that counts
    std::vector<float> play(PaStreamCallbackFlags flags = 0, std::size_t frames = 128) const;

    /// Ends the newest stream by itself: from now on it is not active.
    void end_stream() { active = false; }

    std::vector<Output> devices;  // read as PortAudio is initialised
    std::atomic<bool> active = false;
    PaError format_error = paFormatIsSupported;
    PaError open_error = paNoError;
    PaError start_error = paNoError;

    // What was asked of it.
    std::atomic<int> initialized = 0;
    std::atomic<int> open_streams = 0;
    std::atomic<int> overlaps = 0;  ///< calls that came while another one was under way
    std::size_t copies = 0;         ///< times that its functions were loaded
    double latency = 0;
    PaDeviceIndex device = paNoDevice;
    double samplerate = 0;
    unsigned long blocksize = 0;

    // What the functions give out, as long as PortAudio is initialised.
    std::vector<PaDeviceInfo> device_infos;
    std::vector<PaHostApiInfo> host_apis;
    PaStreamCallback* callback = nullptr;
    void* user_data = nullptr;
    int channels = 0;

  private:
    std::unique_ptr<PortAudioLibrary> library_;
};

}  // namespace cueline::test
