// engine.hpp: a link, a processor and a device, run together.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/control_side.hpp>
#include <cueline/device.hpp>
#include <cueline/latest.hpp>
#include <cueline/monotonic.hpp>
#include <cueline/processor.hpp>
#include <cueline/schedule.hpp>

#include "engine/buffer_pool.hpp"
#include "engine/cancel_progress.hpp"
#include "engine/joined_processor.hpp"
#include "engine/processor_controls.hpp"
#include "system/fork_generation.hpp"
#include "system/locked_memory.hpp"

namespace cueline {

/// How the commands fared that were sent for a frame. Each number is a snapshot of its own.
struct CueStats {
    std::uint64_t pending = 0;       ///< that wait in the schedule, as the last block ended
    std::uint64_t late = 0;          ///< applied after their frame, for they were read after it
    std::uint64_t dropped_late = 0;  ///< left out for that, as their sender wished
    std::uint64_t refused = 0;       ///< for which the schedule had no room
    std::uint64_t cancelled = 0;
};

/// How an engine fares. Each number is a snapshot of its own, taken while the audio goes on.
struct EngineStats {
    std::string device;
    Format format;
    std::uint64_t blocks = 0;
    std::uint64_t frames = 0;
    std::uint64_t unhandled = 0;  ///< commands of a kind that nobody knew
    DeviceStats device_stats;     ///< memory_locked: the engine's own memory too
    RingStats commands;
    RingStats events;
    RingStats confirmations;
    CueStats cues;
    BufferStats buffers;
};

/// Drains commands, answers pings, keeps cues until their frame, hands other messages to the processor, renders: once
/// per block, called by its device. Frames are counted from construction on, across stops.
/// It begins on a page of its own, so that locking it locks nothing else.
class alignas(page_bytes) Engine final : BlockCallback {
  public:
    /// Prepares `processor` for the device's format. The engine stands still until start(). The processor is this
    /// engine's alone until close(); who else has a share in it must not touch what the audio thread uses.
    /// Thread: control. Throws ArgumentError for a budget outside 1 to 1024 messages a block and for a processor that
    /// is another engine's, or none; and what Processor::prepare throws.
    Engine(std::unique_ptr<Device> device, std::shared_ptr<Processor> processor, std::int64_t budget = default_budget);

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
    [[nodiscard]] ProcessorControls& controls() noexcept { return controls_; }

    /// A line of its own for another thread. Thread: control, any of them. Throws LinesTakenError when all
    /// max_lines - 1 are open. It must not outlive the engine.
    [[nodiscard]] CommandSender open_line() { return cueline::open_line(link_); }

    /// How the commands of a line fared. Thread: any.
    [[nodiscard]] RingStats command_stats(std::size_t line) const noexcept { return link_.command_stats(line); }

    /// The first frame of the next block: the earliest that a command sent now can apply at. Thread: any.
    [[nodiscard]] std::uint64_t now() const noexcept { return frames_.get(); }

    /// Frames by the clock, as the last block that began has it.
    /// Thread: control, any of them. Throws DeviceError when no block has begun yet.
    [[nodiscard]] BlockTime block_time() const;
    /// How many slots the processor has for buffers. Thread: any.
    [[nodiscard]] std::uint32_t buffer_slots() const noexcept { return slots_; }

    /// Hands the processor a buffer, in place of what lies in `slot`: a copy of `interleaved`, one frame of `channels`
    /// samples after the other, on pages that are touched and, where that is permitted, locked. The command that swaps
    /// them is applied as any other. The one that lay there is freed here, by a later publish(), by stats() or by
    /// close().
    /// Thread: control, one at a time, together with what else sends. Allocates, copies and frees.
    /// Returns Status::full when the command ring is full, or when max_buffers are in slots and under way: nothing
    /// changed, and it is counted.
    /// Throws ArgumentError (see make_buffer()), std::bad_alloc, and what require_usable() throws.
    Status publish(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels,
                   const Delivery& delivery = {});

    /// The first half of publish(), which takes long: for who has to keep other senders away from the second.
    /// Thread: control, any of them at once. Throws ArgumentError for a slot that there is not, for channels outside 1
    /// to 1024, and for samples that are none, no whole frames, or more than 2^31 - 1.
    BufferPool::PendingBuffer make_buffer(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels);

    /// The second half: sends it. Thread: control, one at a time, together with what else sends.
    Status publish(std::int64_t slot, BufferPool::PendingBuffer made, const Delivery& delivery = {});

    /// Has `slot` be empty. As publish(), but that it makes nothing.
    Status publish_nothing(std::int64_t slot, const Delivery& delivery = {});

    /// How blocks come now. Thread: any.
    [[nodiscard]] Format format() const noexcept { return device_->format(); }

    /// Thread: any but the audio thread (it allocates).
    [[nodiscard]] EngineStats stats() const;

  private:
    void stop_locked() noexcept;
    void require_slot(std::int64_t slot) const;
    void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override;
    void prepare(const Format& format) override;
    void prepare_processor(const Format& format);
    void lost(std::string_view why) noexcept override;

    void read_commands() noexcept CUELINE_NONBLOCKING;
    void accept(const Message& command, bool cancelled) noexcept CUELINE_NONBLOCKING;
    void accept_transaction(const Message& header, bool cancelled) noexcept CUELINE_NONBLOCKING;
    void refuse(const Message& command, Reason reason) noexcept CUELINE_NONBLOCKING;
    void discard(const Message& command) noexcept CUELINE_NONBLOCKING;
    void apply_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING;
    void apply(const Message& command, bool late) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool handle(const Message& command) noexcept CUELINE_NONBLOCKING;
    void cancel(const Message& command) noexcept CUELINE_NONBLOCKING;
    void cancel_all(const Message& command) noexcept CUELINE_NONBLOCKING;
    void forget(const Message& cue) noexcept CUELINE_NONBLOCKING;
    void render(const AudioBlock& block) noexcept CUELINE_NONBLOCKING;

    Link link_;
    ControlSide control_;
    AudioSide audio_;
    BufferSlots::Returns returned_buffers_;
    BufferSlots::Table buffer_table_;
    BufferSlots buffers_{buffer_table_, returned_buffers_};  // the audio thread's
    ProcessorControls controls_{link_};
    ProcessContext context_{audio_.events(), controls_.parameters(), controls_.meters(), &buffers_};
    Schedule schedule_;  // the audio thread's alone, as the next four
    CancelProgress cancel_progress_;
    std::array<float*, max_channels> segment_{};  // where the channels of a part of a block begin
    std::uint64_t block_ns_ = 0;
    std::uint32_t samplerate_ = 0;
    mutable Latest<BlockTime> block_time_;
    mutable std::mutex block_time_mutex_;  // of those who read it
    Counter blocks_;                       // these are the audio thread's to write
    Counter frames_;
    Counter unhandled_;
    Counter cues_pending_;
    Counter cues_late_;
    Counter cues_dropped_late_;
    Counter cues_refused_;
    Counter cues_cancelled_;
    LockedMemory locked_;  // all of this object

    mutable BufferPool pool_{buffer_table_, returned_buffers_};  // to look at it is to free what came back
    std::uint32_t slots_ = 0;
    JoinedProcessor processor_;
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
