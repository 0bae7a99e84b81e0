// buffer_pool.hpp: makes, keeps and frees the buffers that are handed to the audio thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine/engine_stats.hpp>
#include <cueline/engine/pending_buffer.hpp>

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

/// Makes buffers, fills their places in the table, and frees them when they come back.
/// Several control threads may call at once. Only bookkeeping happens under the lock: memory is allocated, copied and
/// freed outside it, except in close(). The audio thread does not use this class.
class BufferPool {
  public:
    /// `table` and `returns` must outlive it. Throws EndTakenError if `returns` has a consumer.
    BufferPool(BufferSlots::Table& table, BufferSlots::Returns& returns) : table_{&table}, handles_{returns} {}

    /// Copies `interleaved`, at least one whole frame of `channels` channels, into locked memory. If max_buffers are in
    /// use, returns an empty PendingBuffer. Throws std::bad_alloc.
    PendingBuffer make(std::span<const float> interleaved, std::uint32_t channels);

    /// Fills the buffer's place in the table, and returns the handle for the command to the audio thread. The ring must
    /// have room for that command. `buffer` must not be empty. Throws ClosedError after close().
    BufferHandle hand_over(PendingBuffer buffer);

    /// Counts a buffer that was refused because max_buffers were in use.
    void count_refused();

    /// Frees the buffers that came back.
    void collect();

    /// Frees all buffers that were handed over. Call it when no block runs and none will.
    void close();

    /// Frees the buffers that came back, and then counts.
    [[nodiscard]] BufferStats stats();

  private:
    friend class PendingBuffer;  // its destructor gives the handle back
    using Freed = std::vector<std::unique_ptr<LockedSamples>>;

    void collect_locked(Freed& freed) noexcept;
    std::unique_ptr<LockedSamples> clear_locked(BufferHandle handle) noexcept;

    BufferSlots::Table* table_;
    std::mutex mutex_;
    BufferHandles<max_buffers> handles_;
    std::array<std::unique_ptr<LockedSamples>, max_buffers> samples_;  // by place; empty until hand_over()
    std::uint64_t serial_ = 0;
    std::uint64_t refused_ = 0;
    bool closed_ = false;
};

}  // namespace cueline
