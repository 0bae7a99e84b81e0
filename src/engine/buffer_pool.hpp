// buffer_pool.hpp: the buffers that are handed to the audio thread, as the control side makes, keeps and frees them.
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
/// Several control threads may call at once. The lock is held only to look at a few handles: memory is allocated,
/// copied and freed outside. The audio thread does not use it.
class BufferPool {
  public:
    /// Both must outlive it.
    BufferPool(BufferSlots::Table& table, BufferSlots::Returns& returns) : table_{&table}, handles_{returns} {}

    /// Copies `interleaved`, at least one whole frame of `channels` channels, into locked memory. If max_buffers are in
    /// use, returns an empty PendingBuffer and counts a refusal. Throws std::bad_alloc.
    PendingBuffer make(std::span<const float> interleaved, std::uint32_t channels);

    /// Fills the buffer's place in the table, and returns its handle for the command that takes it to the audio thread.
    /// `buffer` must not be empty. Throws ClosedError after close().
    BufferHandle hand_over(PendingBuffer buffer);

    /// Frees the buffer of a command that the ring refused.
    void take_back(BufferHandle handle);

    /// Frees the buffers that came back.
    void collect();

    /// Frees all buffers that were handed over. Call it when no block runs and none will.
    void close();

    /// Frees the buffers that came back, and then counts.
    [[nodiscard]] BufferStats stats();

  private:
    friend class PendingBuffer;  // it gives its handle back
    using Freed = std::vector<std::unique_ptr<LockedSamples>>;

    void collect_locked(Freed& freed) noexcept;
    std::unique_ptr<LockedSamples> clear_locked(BufferHandle handle) noexcept;

    BufferSlots::Table* table_;
    std::mutex mutex_;
    BufferHandles<max_buffers> handles_;
    std::array<std::unique_ptr<LockedSamples>, max_buffers> samples_;  // by handle; of what was handed over
    std::uint64_t serial_ = 0;
    std::uint64_t taken_back_ = 0;
    std::uint64_t refused_ = 0;
    bool closed_ = false;
};

}  // namespace cueline
