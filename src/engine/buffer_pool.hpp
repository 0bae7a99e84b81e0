// buffer_pool.hpp: the buffers that are handed to the audio thread, as the control side makes, keeps and frees them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <vector>

#include <cueline/buffer.hpp>

#include "system/locked_memory.hpp"

namespace cueline {

/// How the buffers of an engine fare.
struct BufferStats {
    std::uint64_t published = 0;  ///< accepted so far
    std::uint64_t refused = 0;    ///< refused because `max_buffers` were under way or in slots
    std::uint32_t in_use = 0;     ///< under way, in slots, or on their way back
    std::uint64_t bytes = 0;      ///< of memory that they take
    bool memory_locked = true;    ///< whether all of that memory is locked
};

/// A copy of some samples, on pages of its own that are there and, where that is permitted, locked.
class LockedSamples {
  public:
    /// Thread: control. Throws std::bad_alloc.
    explicit LockedSamples(std::span<const float> from);

    [[nodiscard]] std::span<const float> samples() const noexcept { return samples_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool locked() const noexcept { return locked_.granted(); }

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept { ::operator delete(memory); }
    };

    std::size_t bytes_;
    std::unique_ptr<std::byte, Free> memory_;  // with room to begin at a page: the heap reuses such pieces readily
    std::span<std::byte> pages_;
    LockedMemory locked_;
    std::span<const float> samples_;
};

/// Makes buffers, fills their places in the table, and frees them once they came back.
/// Thread: control, any of them at once. It holds its lock for no longer than it takes to look at a few handles: memory
/// is allocated, copied and freed outside. The audio thread knows nothing of it.
class BufferPool {
  public:
    /// A buffer that was made, or a refusal. If it is not put on its way it is freed, in time before the pool.
    class PendingBuffer {
      public:
        PendingBuffer() = default;
        PendingBuffer(PendingBuffer&& other) noexcept;
        PendingBuffer& operator=(PendingBuffer&& other) noexcept;
        ~PendingBuffer();

        /// False: as many as there may be are under way.
        explicit operator bool() const noexcept { return pool_ != nullptr; }

      private:
        friend class BufferPool;
        BufferPool* pool_ = nullptr;
        BufferHandle handle_ = no_buffer;
        std::uint32_t channels_ = 0;
        std::unique_ptr<LockedSamples> samples_;
    };

    /// Both must outlive it.
    BufferPool(BufferSlots::Table& table, BufferSlots::Returns& returns) : table_{&table}, handles_{returns} {}

    /// Copies `interleaved`, one or more whole frames of `channels` channels, into locked memory. Refuses, and counts
    /// it, when as many as there may be are under way. Throws std::bad_alloc.
    PendingBuffer make(std::span<const float> interleaved, std::uint32_t channels);

    /// Fills the table's place, and returns the handle, for the command that takes it to the audio thread. `made` is
    /// not a refusal; it is one afterwards. Throws ClosedError after close().
    BufferHandle hand_over(PendingBuffer made);

    /// The command with this handle was refused: frees the buffer.
    void take_back(BufferHandle handle);

    /// Frees what came back.
    void collect();

    /// Frees all that was handed over. No block runs, and none will.
    void close();

    /// After it has freed what came back.
    [[nodiscard]] BufferStats stats();

  private:
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
