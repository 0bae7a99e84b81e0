// engine_parts.hpp: the parts of an engine: shared memory, the audio thread's part, the control threads' part.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include <cueline/buffer.hpp>
#include <cueline/device.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine/owned_processor.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/line.hpp>
#include <cueline/monotonic.hpp>

#include "engine/buffer_pool.hpp"
#include "engine/device_loss.hpp"
#include "engine/engine_block.hpp"
#include "engine/engine_report.hpp"
#include "engine/link_memory.hpp"
#include "engine/sequences.hpp"
#include "engine/stream_pool.hpp"
#include "system/fork_generation.hpp"
#include "system/fork_private.hpp"
#include "system/locked_memory.hpp"

namespace cueline {

/// What the audio thread reads and writes, on pages of their own. A forked child finds zeros there: it may destroy
/// this, and must not use it otherwise.
struct alignas(page_bytes) AudioParts {
    AudioParts(const Link& link, std::uint32_t budget, DeviceLoss& loss)
        : block_{std::in_place, link, budget, report, loss} {}

    // Both sides share these.
    BufferSlots::Table::Returns returned_buffers;
    BufferSlots::Table::Returns returned_curves;
    EngineReport report;

    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): only a forked child finds it empty, and does not call this
    EngineBlock& block() noexcept { return *block_; }

  private:
    // The audio thread's. A forked child finds it empty, so it does not call the destructor of zeros.
    std::optional<EngineBlock> block_;
};

/// It begins on a page of its own, so that locking it locks nothing else.
struct alignas(page_bytes) Engine::Parts {
    Parts(std::unique_ptr<Device> device, OwnedProcessor processor, std::uint32_t budget, std::uint32_t lines);

    /// Claims and prepares the processor, and returns the shape of the link for what it declares.
    LinkShape prepared_shape(std::uint32_t lines);
    [[nodiscard]] std::uint32_t declared_slots() const;
    [[nodiscard]] std::uint32_t declared_loaded() const;

    /// Needs running_mutex.
    void stop_locked() noexcept;
    void fade_out() noexcept;
    void give_back_commands() noexcept;
    [[nodiscard]] bool makes_own_blocks() const noexcept;

    void require_slot(std::int64_t slot) const;
    void require_loading() const;
    [[nodiscard]] PendingBuffer make_buffer(std::span<const float> interleaved, std::int64_t channels);
    [[nodiscard]] std::optional<BlockTime> last_block() const noexcept;

    OwnedProcessor processor;
    std::unique_ptr<Device> device;  // freed before the processor
    LinkMemory memory;
    DeviceLoss loss;
    std::shared_ptr<StreamPool> streams = std::make_shared<StreamPool>();  // freed after the audio thread's part
    AudioParts audio;
    WipedOnFork wiped{memory_of(audio)};
    LockedMemory locked{memory_of(*this)};

    // The control threads'.
    Line control{memory.link()};
    ProcessorControls controls{memory.link()};
    std::uint32_t slots = declared_slots();
    std::uint32_t loaded = declared_loaded();
    BufferPool pool{slots, loaded, audio.returned_buffers, processor.hand_over()};
    BufferPool curves{0, max_curves, audio.returned_curves};
    Sequences sequences{memory.link(), audio.report, *device, *streams};
    std::uint32_t budget;
    std::mutex running_mutex;
    std::atomic<bool> running = false;  // set under running_mutex
    std::atomic<bool> started = false;  // once at least
    std::atomic<bool> closed = false;   // set under running_mutex, so that no start comes after it
    unsigned generation = fork_generation();
};

}  // namespace cueline
