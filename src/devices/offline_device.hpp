// offline_device.hpp: no thread and no clock: the caller's thread renders frames now.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>

#include <cueline/device.hpp>

#include "devices/audio_buffers.hpp"
#include "devices/callback_load.hpp"

namespace cueline {

/// Renders as fast as it can, always the same from the same messages: for tests, and for bouncing to disk.
class OfflineDevice final : public Device {
  public:
    explicit OfflineDevice(const Format& format) : format_{format}, buffers_{format} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "offline"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] DeviceStats stats() const noexcept override;

    /// Renders whole blocks, and a shorter last one, into `interleaved`: frames times channels samples, one
    /// frame after the other. The calling thread is the audio thread meanwhile.
    /// Thread: any; a second one waits for the first to end. Returns how many samples it rendered: fewer when stop()
    /// came in between. Throws DeviceError while the engine stands still, ArgumentError for samples that make no whole
    /// number of frames.
    std::size_t render(std::span<float> interleaved);

  private:
    Format format_;
    AudioBuffers buffers_;
    std::mutex rendering_;  // no thread here is a real-time one
    /// How many want to stop: who renders without end would have the mutex again before they do.
    std::atomic<int> stopping_ = 0;
    BlockCallback* callback_ = nullptr;
    CallbackLoad load_;
};

}  // namespace cueline
