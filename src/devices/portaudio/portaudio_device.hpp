// portaudio_device.hpp: an output device of PortAudio's: a sound card, or what else the system has for one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

#include "devices/portaudio/portaudio_library.hpp"
#include "devices/portaudio/portaudio_search.hpp"
#include "devices/portaudio/portaudio_stream.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// Plays through PortAudio. PortAudio is initialised, and the device held, only while it is started: a device that
/// stands still keeps neither a card from others nor PortAudio from seeing what was plugged in. A helper thread looks a
/// hundred times a second whether the stream still runs.
class PortAudioDevice final : public Device {
  public:
    /// Finds the device and asks whether it can do what is wanted, without holding it.
    /// Throws NoDeviceError, ArgumentError, DeviceError: see open_portaudio().
    PortAudioDevice(PortAudioLibrary& library, const DeviceRequest& request);
    ~PortAudioDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "portaudio"; }
    [[nodiscard]] Format format() const noexcept override;
    void start(BlockCallback& callback) override;
    void stop() noexcept override;

    /// No memory is said to be locked: PortAudio's buffers and its thread's stack are its own.
    [[nodiscard]] DeviceStats stats() const noexcept override;

  private:
    [[nodiscard]] PortAudioEntry found_again(const PortAudioSession& session) const;
    void watch(BlockCallback& callback) noexcept;

    PortAudioLibrary& library_;
    DeviceRequest request_;
    PortAudioEntry chosen_;
    std::atomic<std::uint32_t> samplerate_ = 0;  // the one number of the format that may change
    PortAudioAccount account_;
    std::unique_ptr<PortAudioStream> stream_;  // the helper's while it runs
    OwnThread helper_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> realtime_priority_ = false;
};

}  // namespace cueline
