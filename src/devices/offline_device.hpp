// offline_device.hpp: renders on the caller's thread, without a clock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string_view>

#include <cueline/device.hpp>

#include "devices/audio_buffers.hpp"
#include "devices/callback_load.hpp"

namespace cueline {

/// Renders as fast as it can. The same messages give the same audio: for tests, and for rendering to disk.
class OfflineDevice final : public Device {
  public:
    /// `loopback`: see AudioBuffers.
    explicit OfflineDevice(const Format& format, std::span<const std::uint32_t> loopback = {})
        : format_{format}, buffers_{format, loopback} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "offline"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] DeviceStats stats() const noexcept override;
    [[nodiscard]] DeviceLatency latency() const noexcept override { return {.input = buffers_.loop_frames()}; }
    void require_on_demand() const override {}

    [[nodiscard]] std::mutex* rendering() noexcept override { return &rendering_; }

    /// Renders whole blocks and a shorter last one. Each block reads all commands that were sent before it. A second
    /// thread waits until the first is done.
    std::size_t render(std::span<float> outputs, std::span<const float> inputs = {}) override;

  private:
    [[nodiscard]] std::size_t frames_of(std::span<float> outputs, std::span<const float> inputs) const;

    Format format_;
    AudioBuffers buffers_;
    std::mutex rendering_;  // allowed, because no thread here is a real-time thread
    /// The number of stop() calls that wait. Without it, a thread that renders in a loop could always take the mutex
    /// before them.
    std::atomic<int> stopping_ = 0;
    BlockCallback* callback_ = nullptr;
    CallbackLoad load_;
};

}  // namespace cueline
