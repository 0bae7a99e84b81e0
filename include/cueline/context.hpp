// context.hpp: what a processor has to do with while it handles a command or renders: the engine's side of the line.
#pragma once

#include <cstddef>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>

namespace cueline {

/// Thread: audio, inside the call that it was handed to. Real-time: every call is wait-free.
class Context {
  public:
    explicit Context(EventSender& events, const BufferSlots* buffers = nullptr) noexcept
        : events_{&events}, buffers_{buffers} {}

    /// Where events are sent.
    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return *events_; }

    /// What was published into `slot`, nullptr when nothing was. It is the processor's to read until the call that the
    /// context was handed to returns: nothing of it may be kept, for by the next call it may have been freed. That it
    /// is another one than last time shows in its serial.
    [[nodiscard]] const Buffer* buffer(std::size_t slot) const noexcept CUELINE_NONBLOCKING {
        return buffers_ == nullptr ? nullptr : buffers_->at(slot);
    }

  private:
    EventSender* events_;
    const BufferSlots* buffers_;
};

}  // namespace cueline
