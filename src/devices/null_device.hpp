// null_device.hpp: a clocked thread for machines without a sound card.
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <span>
#include <string_view>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>
#include <cueline/lateness.hpp>

#include "devices/audio_buffers.hpp"
#include "devices/callback_load.hpp"
#include "system/locked_memory.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// Calls back once per block. Its inputs are silent, or its own outputs, one block later. Deadlines are absolute times
/// on the monotonic clock, so that they do not drift. If the thread falls behind by more than a block, it counts an
/// xrun and leaves out the missed blocks.
class alignas(page_bytes) NullDevice final : public Device {
  public:
    /// `loopback`: see AudioBuffers.
    explicit NullDevice(const Format& format, std::span<const std::uint32_t> loopback = {})
        : format_{format}, buffers_{format, loopback} {}
    ~NullDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "null"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] DeviceStats stats() const noexcept override;
    [[nodiscard]] DeviceLatency latency() const noexcept override { return {.input = buffers_.loop_frames()}; }

    /// Missed blocks are not in it: DeviceStats::missed_blocks counts them.
    [[nodiscard]] const Lateness* lateness() const noexcept override { return &lateness_; }

  private:
    void run(BlockCallback& callback) noexcept;
    void run_blocks(BlockCallback& callback) noexcept;
    [[nodiscard]] bool wait_until(std::uint64_t deadline_ns) const noexcept;

    Format format_;
    AudioBuffers buffers_;
    LockedMemory locked_{memory_of(*this)};  // all of this object
    OwnThread thread_;
    std::atomic<bool> stopping_ = false;
    // Publishes the next two. Not std::atomic::wait(): where a system has no futex, libstdc++ may lose its wake-up.
    std::promise<void> ready_;
    std::atomic<bool> priority_granted_ = false;
    std::atomic<bool> stack_locked_ = false;
    Counter xruns_;
    Counter missed_blocks_;
    CallbackLoad load_;
    Lateness lateness_;
};

}  // namespace cueline
