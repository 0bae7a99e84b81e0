// stream_pool.hpp: the control side of streams: it hands their memory to the audio thread, and frees what came back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine/streams.hpp>

#include "engine/stream_memory.hpp"
#include "engine/streams.hpp"
#include "system/fork_generation.hpp"
#include "system/locked_array.hpp"

namespace cueline {

/// Owns the memory of both sides, and the streams that the audio thread has. Several control threads may call at once.
/// Streams share it with their engine, and may outlive that.
class StreamPool {
  public:
    /// Throws std::bad_alloc.
    StreamPool() = default;

    /// Makes the side that the audio thread uses. There can be one. It must not outlive this.
    [[nodiscard]] Streams audio_side() { return Streams{table_}; }

    [[nodiscard]] bool granted() const noexcept {
        return entries_.granted() && return_cells_.granted() && returns_.granted();
    }

    /// Takes a place for a stream, and keeps its memory. Returns its handle. Throws StreamsTakenError if all places are
    /// taken, or if it is a stream of the processor that is open already; and ClosedError after close().
    [[nodiscard]] BufferHandle add(const StreamPlace& place, std::shared_ptr<const void> memory);

    /// Lets the audio thread accept the stream with this handle, which may be any number. Call it when there is room
    /// for a command that names it. After the first time, it does nothing.
    void offer(BufferHandle handle);

    /// Closes a stream: the audio thread gives it back in its next block.
    void close_stream(BufferHandle handle) noexcept;

    /// Frees all that the audio thread has. Call it when no block runs and none will.
    void close() noexcept;

    /// Returns how many places are taken.
    [[nodiscard]] std::size_t open();

  private:
    using Freed = std::array<std::shared_ptr<const void>, max_streams>;
    static constexpr std::size_t places = max_streams;

    [[nodiscard]] bool is_taken_locked(const StreamPlace& place) const noexcept;
    void collect_locked(Freed& freed) noexcept;

    LockedArray<StreamTable::Entry> entries_{places};
    LockedArray<StreamTable::ReturnCell> return_cells_{StreamTable::return_places(places)};
    LockedArray<StreamTable::Returns> returns_{1};
    StreamTable table_{entries_.all(), return_cells_.all(), returns_.all().front()};

    std::mutex mutex_;
    BufferHandles<StreamPlace> handles_{table_};
    /// A place that is taken.
    struct Taken {
        std::shared_ptr<const void> memory;
        BufferHandle handle = no_buffer;
        bool offered = false;
    };
    std::array<Taken, places> taken_;
    bool closed_ = false;
    unsigned generation_ = fork_generation();
};

}  // namespace cueline
