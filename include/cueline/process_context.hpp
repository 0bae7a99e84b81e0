// process_context.hpp: what a processor can use during a call: events, parameters, meters, buffers.
#pragma once

#include <cstddef>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

namespace cueline {

/// The engine passes one to each call of a processor. It is valid only during that call. All calls are for the audio
/// thread, and wait-free.
class ProcessContext {
  public:
    explicit ProcessContext(EventSender& events, std::span<Parameter> parameters = {}, std::span<Meter> meters = {},
                            const BufferSlots* buffers = nullptr) noexcept
        : events_{&events}, parameters_{parameters}, meters_{meters}, buffers_{buffers} {}

    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return *events_; }

    /// Returns the parameter at this address: the index in Processor::parameters(), or, if arrays come before it, the
    /// first_address() of its spec; an array's elements have the addresses from there on.
    [[nodiscard]] Parameter& parameter(std::size_t address) noexcept CUELINE_NONBLOCKING {
        return parameters_[address];
    }

    /// Returns the `count` parameters of an array whose first address is `first`.
    [[nodiscard]] std::span<Parameter> parameters(std::size_t first, std::size_t count) noexcept CUELINE_NONBLOCKING {
        return parameters_.subspan(first, count);
    }

    /// Returns the meter at this address, which follows from Processor::meters() in the same way.
    [[nodiscard]] Meter& meter(std::size_t address) noexcept CUELINE_NONBLOCKING { return meters_[address]; }

    /// Returns the buffer in `slot`, or nullptr if the slot is empty or does not exist. Do not keep pointers into it
    /// after the call: the engine may free it before the next one. If its serial changes, another buffer was swapped
    /// in.
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
