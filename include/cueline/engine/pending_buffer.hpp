// pending_buffer.hpp: a buffer that is made but not yet published.
#pragma once

#include <cstdint>
#include <memory>

#include <cueline/buffer.hpp>

namespace cueline {

/// Engine::make_buffer() makes one, and Engine::publish() takes it. If it is not published, its destructor frees the
/// buffer. Destroy it before its engine.
class PendingBuffer {
  public:
    PendingBuffer() noexcept;
    PendingBuffer(PendingBuffer&& other) noexcept;
    PendingBuffer& operator=(PendingBuffer&& other) noexcept;
    ~PendingBuffer();

    /// False if it is empty. Engine::make_buffer() returns an empty one if no more can be in use.
    explicit operator bool() const noexcept { return pool_ != nullptr; }

  private:
    friend class BufferPool;
    class BufferPool* pool_ = nullptr;
    BufferHandle handle_ = no_buffer;
    std::uint32_t channels_ = 0;
    std::unique_ptr<class LockedSamples> samples_;
};

}  // namespace cueline
