// portaudio_device.hpp: one or two devices of PortAudio: a sound card, or the system's replacement for one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

#include "devices/portaudio/portaudio_library.hpp"
#include "devices/portaudio/portaudio_search.hpp"
#include "devices/portaudio/portaudio_stream.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// Plays and records through PortAudio. It initialises PortAudio and holds the card only while it is started. So other
/// programs can use the card of a stopped device, and the next start finds cards that were plugged in meanwhile. A
/// helper thread checks twenty times a second whether the stream still runs, and whether its blocks still come.
class PortAudioDevice final : public Device {
  public:
    /// Finds the device and checks that it can do what was requested, without holding it.
    /// Throws NoDeviceError, ArgumentError, DeviceError: see open_portaudio().
    PortAudioDevice(PortAudioLibrary& library, const DeviceRequest& request);
    ~PortAudioDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "portaudio"; }
    [[nodiscard]] Format format() const noexcept override;
    [[nodiscard]] DeviceLatency latency() const noexcept override;
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] bool is_heard() const noexcept override { return true; }

    /// memory_locked is false: the buffers and the thread's stack belong to PortAudio.
    [[nodiscard]] DeviceStats stats() const noexcept override;

  private:
    [[nodiscard]] PortAudioPair found_again(const PortAudioSession& session) const;
    void note_priority() noexcept;

    // Helper thread.
    void watch(BlockCallback& callback) noexcept;
    void lose(BlockCallback& callback, const std::string& why) noexcept;

    PortAudioLibrary& library_;
    DeviceRequest request_;
    PortAudioPair chosen_;
    std::atomic<std::uint32_t> samplerate_ = 0;  // the only part of the format that may change
    PortAudioStats stats_;
    std::unique_ptr<PortAudioStream> stream_;  // while the helper runs, only the helper uses it
    OwnThread helper_;
    std::binary_semaphore stop_requested_{0};
    std::atomic<bool> realtime_priority_ = false;
    std::atomic<std::uint32_t> input_latency_ = 0;
    std::atomic<std::uint32_t> output_latency_ = 0;
};

}  // namespace cueline
