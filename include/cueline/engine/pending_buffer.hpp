// pending_buffer.hpp: a buffer that was made and not published yet.
#pragma once

#include <cstdint>
#include <memory>

#include <cueline/buffer.hpp>

namespace cueline {

/// Engine::make_buffer() makes one, and Engine::publish() takes it. Destroy it before its engine; a buffer that was not
/// published is freed then.
class PendingBuffer {
  public:
    PendingBuffer() noexcept;
    PendingBuffer(PendingBuffer&& other) noexcept;
    PendingBuffer& operator=(PendingBuffer&& other) noexcept;
    ~PendingBuffer();

    /// False if the engine refused to make one, because max_buffers are in use.
    explicit operator bool() const noexcept { return pool_ != nullptr; }

  private:
    friend class BufferPool;
    class BufferPool* pool_ = nullptr;
    BufferHandle handle_ = no_buffer;
    std::uint32_t channels_ = 0;
    std::unique_ptr<class LockedSamples> samples_;
};

}  // namespace cueline
