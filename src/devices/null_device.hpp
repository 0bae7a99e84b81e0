// null_device.hpp: a clocked thread without a sound card: what runs when there is none.
#pragma once

#include <atomic>
#include <cstdint>

#include <cueline/counter.hpp>
#include <cueline/device.hpp>

#include "devices/audio_buffers.hpp"
#include "devices/callback_load.hpp"
#include "devices/lateness.hpp"
#include "system/locked_memory.hpp"
#include "system/own_thread.hpp"

namespace cueline {

/// Calls back once per block, on the beat, and throws the audio away. The beat is kept by absolute deadlines
/// on the monotonic clock. A thread that falls behind by more than a block counts an xrun, leaves out the
/// blocks it missed, and takes up the beat again.
class alignas(page_bytes) NullDevice final : public Device {
  public:
    explicit NullDevice(const Format& format) : format_{format}, buffers_{format} {}
    ~NullDevice() override { stop(); }

    [[nodiscard]] std::string_view name() const noexcept override { return "null"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override;
    void stop() noexcept override;
    [[nodiscard]] DeviceStats stats() const noexcept override;

    /// How late each block began, since the device was made. Those left out are not in it: missed_blocks counts them.
    /// Thread: any, while the audio runs too.
    [[nodiscard]] const Lateness& lateness() const noexcept { return lateness_; }

  private:
    void run(BlockCallback& callback) noexcept;
    void carry_blocks(BlockCallback& callback) noexcept;
    [[nodiscard]] bool sleep_until(std::uint64_t deadline_ns) const noexcept;

    Format format_;
    AudioBuffers buffers_;
    LockedMemory locked_{memory_of(*this)};  // all of this object
    OwnThread thread_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> ready_ = false;  // set once the thread knows what it was granted
    std::atomic<bool> priority_granted_ = false;
    std::atomic<bool> stack_locked_ = false;
    Counter xruns_;
    Counter missed_blocks_;
    CallbackLoad load_;
    Lateness lateness_;
};

}  // namespace cueline
