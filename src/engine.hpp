// engine.hpp: a link, a processor and a device, run together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <cueline/device.hpp>
#include <cueline/link.hpp>
#include <cueline/processor.hpp>

#include "fork_generation.hpp"
#include "locked_memory.hpp"
#include "panel.hpp"

namespace cueline {

/// How an engine fares. Each number is a snapshot of its own, taken while the audio goes on.
struct EngineStats {
    std::string device;
    Format format;
    std::uint64_t blocks = 0;
    std::uint64_t frames = 0;
    std::uint64_t unhandled = 0;  ///< commands of a kind that nobody knew
    DeviceStats device_stats;     ///< memory_locked: the engine's own memory too
    RingCounts commands;
    RingCounts events;
};

/// Drains commands, answers pings, hands other messages to the processor, renders: once per block, called by
/// its device. Frames are counted from construction on, across stops.
/// It begins on a page of its own, so that locking it locks nothing else.
class alignas(page_bytes) Engine final : BlockCallback {
  public:
    /// Prepares `processor` for the device's format. The engine stands still until start().
    /// Thread: control. Throws ArgumentError for a budget outside 1 to 1024 messages a block, and what
    /// Processor::prepare throws.
    Engine(std::unique_ptr<Device> device, std::unique_ptr<Processor> processor, std::int64_t budget = default_budget);

    /// Stops, and frees the device before the processor.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Runs the device; nothing to do when it runs. What was sent before waits in the ring and comes first. When the
    /// device was lost, it tries to have it back.
    /// Thread: control, any of them. May block. Throws ClosedError, ForkedError, DeviceError, and what
    /// Processor::prepare throws when the device comes back in another format.
    void start();

    /// Stops the device; nothing to do when it stands. When it returns, no block runs.
    /// Thread: control, any of them. Blocks for as long as a block takes. In a forked child it does nothing.
    void stop() noexcept;

    /// Stops the device for good: start() throws from now on. Otherwise as stop().
    void close() noexcept;

    [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }  // relaxed: a hint

    /// Whether this process is a fork of the one that made the engine: its audio thread is not here.
    [[nodiscard]] bool forked() const noexcept { return fork_generation() != generation_; }

    /// Throws ForkedError when this process has not the engine's audio thread. Thread: control.
    void require_own_process() const;

    /// Throws ForkedError or ClosedError when the engine is of no use any more. Thread: control.
    void require_open() const;

    /// Throws as require_open(), and DeviceError while the device is lost: nobody reads what is sent then, until the
    /// next start(). Thread: control.
    void require_usable() const;

    /// The control side of this engine's link. Thread: control, one at a time.
    [[nodiscard]] ControlSide& control() noexcept { return control_; }

    /// The control side's parameters and meters. Thread: control, any; what moves them, one at a time.
    [[nodiscard]] Panel& panel() noexcept { return panel_; }

    /// How blocks come now. Thread: any.
    [[nodiscard]] Format format() const noexcept { return device_->format(); }

    /// Thread: any but the audio thread (it allocates).
    [[nodiscard]] EngineStats stats() const;

  private:
    void stop_locked() noexcept;
    void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override;
    void prepare(const Format& format) override;
    void lost(std::string_view why) noexcept override;
    void handle(const Message& command, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING;

    Link link_;
    ControlSide control_;
    AudioSide audio_;
    Panel panel_{link_};
    Context context_{audio_.events(), panel_.parameters(), panel_.meters()};
    Counter blocks_;  // these three are the audio thread's to write
    Counter frames_;
    Counter unhandled_;
    LockedMemory locked_;  // all of this object

    std::unique_ptr<Processor> processor_;
    std::unique_ptr<Device> device_;
    std::mutex running_mutex_;  // control threads only: the audio thread knows nothing of it
    bool running_ = false;
    std::atomic<bool> lost_ = false;
    mutable std::mutex lost_mutex_;  // its own: stop() waits for the device's helper, which may be in lost()
    std::string lost_why_;
    std::atomic<bool> closed_ = false;  // set under running_mutex_, so that no start comes after it
    unsigned generation_ = fork_generation();
};

}  // namespace cueline
