// buffer_pool.hpp: makes, keeps and frees the buffers that are handed to the audio thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine/engine_stats.hpp>
#include <cueline/engine/pending_buffer.hpp>

#include "system/locked_array.hpp"
#include "system/locked_pages.hpp"

namespace cueline {

/// A copy of some samples, on locked pages. [control threads]
class LockedSamples {
  public:
    /// Throws std::bad_alloc.
    explicit LockedSamples(std::span<const float> from);

    [[nodiscard]] std::span<const float> samples() const noexcept { return samples_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return pages_.bytes().size(); }
    [[nodiscard]] bool locked() const noexcept { return pages_.granted(); }

  private:
    LockedPages pages_;
    std::span<const float> samples_;
};

/// Owns the memory of both sides. Makes buffers, fills their places in the table, and frees them when they come back.
/// Several control threads may call at once. Only bookkeeping happens under the lock: samples are allocated, copied and
/// freed outside it, except in close(). The audio thread does not use this class, but what audio_side() returns.
class BufferPool {
  public:
    /// For a processor with `slots` slots, and `loaded` buffers without one. With none of both, it has no memory.
    /// `returns` must outlive it. The numbers of hand-overs begin at `hand_over`. Throws std::bad_alloc, and
    /// EndTakenError if `returns` has a consumer.
    BufferPool(std::uint32_t slots, std::uint32_t loaded, BufferSlots::Table::Returns& returns,
               std::uint32_t hand_over = 1);

    /// Makes the side that the audio thread uses, with all slots empty. There can be one. It may live until the pool
    /// ends.
    [[nodiscard]] BufferSlots audio_side() { return {table_, slots_.all()}; }

    /// Whether what the audio side reads and writes is locked, besides the samples.
    [[nodiscard]] bool granted() const noexcept {
        return entries_.granted() && return_cells_.granted() && slots_.granted();
    }

    /// Copies `interleaved`, at least one whole frame of `channels` channels, into locked memory. If no handle is free,
    /// returns an empty PendingBuffer. Throws std::bad_alloc.
    PendingBuffer make(std::span<const float> interleaved, std::uint32_t channels);

    /// Fills the buffer's place in the table, and returns the handle for the command to the audio thread. The ring must
    /// have room for that command. `buffer` must not be empty. Throws ClosedError after close().
    BufferHandle hand_over(PendingBuffer buffer);

    /// Counts a buffer that was refused because no handle was free.
    void count_refused();

    /// Whether buffers came back that collect() would free. [any thread]
    [[nodiscard]] bool has_returned() const noexcept { return returns_->head() != returns_->tail(); }

    /// Frees the buffers that came back. The time is proportional to their number.
    void collect();

    /// Frees all buffers that were handed over. Call it when no block runs and none will. Returns the number of a
    /// hand-over that is later than all of this pool, or 1 if the numbers begin again.
    std::uint32_t close();

    /// Frees the buffers that came back, and then counts.
    [[nodiscard]] BufferStats stats();

  private:
    friend class PendingBuffer;  // its destructor gives the handle back
    using Freed = std::vector<std::unique_ptr<LockedSamples>>;

    [[nodiscard]] Freed collect_locked();
    std::unique_ptr<LockedSamples> clear_locked(BufferHandle handle) noexcept;

    BufferSlots::Table::Returns* returns_;
    LockedArray<BufferSlots::Table::Entry> entries_;
    LockedArray<BufferSlots::Table::ReturnCell> return_cells_;
    LockedArray<BufferHandle> slots_;
    BufferSlots::Table table_{entries_.all(), return_cells_.all(), *returns_};

    std::mutex mutex_;
    BufferHandles<Buffer> handles_;
    std::vector<std::unique_ptr<LockedSamples>> samples_;  // by place; empty until hand_over()
    std::uint32_t last_hand_over_;
    std::uint64_t serial_ = 0;
    std::uint64_t refused_ = 0;
    bool closed_ = false;
};

}  // namespace cueline
