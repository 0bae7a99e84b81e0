// device.hpp: what calls the engine once per block, and what it can say about how that went.
#pragma once

#include <cstdint>
#include <string_view>

#include <cueline/audio.hpp>

namespace cueline {

/// What a device calls. Its calls never overlap, and each sees what the one before it did.
class BlockCallback {
  public:
    /// Fills one block, of at most the format's block size. `block_ns` is the monotonic clock as the block began: the
    /// callback reads no clock.
    /// Thread: the device's audio thread. Real-time: neither allocates, locks, blocks, calls the system nor
    /// throws.
    virtual void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING = 0;

    /// The device's format is another one now: gets ready for it. A device whose format stays never calls it.
    /// Thread: control, inside Device::start, or a helper of the device's; never the audio thread. May allocate, throw
    /// and block. What it throws out of a helper's call ends the device's calls: see lost().
    virtual void prepare(const Format& /*format*/) {}

    /// The device ended its calls by itself: its server is gone, its card was pulled out. `why` is a sentence that
    /// tells it, and the way out. No call comes after this one until Device::start. Thread: a helper of the device's.
    /// May allocate and block.
    virtual void lost(std::string_view /*why*/) noexcept {}

  protected:
    ~BlockCallback() = default;
};

/// A device's own account. Each number is a snapshot of its own.
struct DeviceStats {
    std::uint64_t xruns = 0;          ///< times the device missed its beat
    std::uint64_t missed_blocks = 0;  ///< blocks left out by them
    double load_mean = 0;             ///< time the callback took, as a fraction of the block: mean
    double load_peak = 0;             ///< ... and the most in any one block
    bool realtime_priority = false;   ///< whether the audio thread was granted it
    bool memory_locked = false;       ///< whether the audio thread's memory was locked
};

/// Something that runs blocks. To add a kind of device, derive from this and give Engine one.
class Device {
  public:
    Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    virtual ~Device() = default;

    /// The kind of device it is: "null", "jack". Thread: any. Constant from construction on.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// How it delivers its blocks now. Where it may change, it does so before the call of BlockCallback::prepare that
    /// tells it. Thread: any.
    [[nodiscard]] virtual Format format() const noexcept = 0;

    /// Begins to call `callback`, which must live until stop() has returned. Not while started. After
    /// BlockCallback::lost and stop(), it tries to have the device back.
    /// Thread: control. May allocate and block. Throws DeviceError, and what BlockCallback::prepare throws.
    virtual void start(BlockCallback& callback) = 0;

    /// Ends the calls: when it returns, no call runs and none will. Nothing to do when not started; after
    /// BlockCallback::lost it lets go of what is left.
    /// Thread: control. May block for as long as a block takes.
    virtual void stop() noexcept = 0;

    /// Thread: any.
    [[nodiscard]] virtual DeviceStats stats() const noexcept = 0;
};

}  // namespace cueline
