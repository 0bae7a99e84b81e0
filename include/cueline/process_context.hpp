// context.hpp: what a processor has to do with while it handles a command or renders: the engine's side of the line.
#pragma once

#include <cstddef>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

namespace cueline {

/// Thread: audio, inside the call that it was handed to. Real-time: every call is wait-free.
class ProcessContext {
  public:
    explicit ProcessContext(EventSender& events, std::span<Parameter> parameters = {}, std::span<Meter> meters = {},
                            const BufferSlots* buffers = nullptr) noexcept
        : events_{&events}, parameters_{parameters}, meters_{meters}, buffers_{buffers} {}

    /// Where events are sent.
    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return *events_; }

    /// The parameter of that number, from 0 on, as Processor::parameters() lists them. `index` is one of theirs.
    [[nodiscard]] Parameter& parameter(std::size_t index) noexcept CUELINE_NONBLOCKING { return parameters_[index]; }

    /// The meter of that number, as Processor::meters() lists them. Likewise.
    [[nodiscard]] Meter& meter(std::size_t index) noexcept CUELINE_NONBLOCKING { return meters_[index]; }

    /// What was published into `slot`, nullptr when nothing was. It is the processor's to read until the call that the
    /// context was handed to returns: nothing of it may be kept, for by the next call it may have been freed. That it
    /// is another one than last time shows in its serial.
    [[nodiscard]] const Buffer* buffer(std::size_t slot) const noexcept CUELINE_NONBLOCKING {
        return buffers_ == nullptr ? nullptr : buffers_->at(slot);
    }

  private:
    EventSender* events_;
    std::span<Parameter> parameters_;
    std::span<Meter> meters_;
    const BufferSlots* buffers_;
};

}  // namespace cueline
