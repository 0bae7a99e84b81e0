// process_context.hpp: what a processor can use during a call: events, parameters, meters, buffers, its streams, the
// schedule, the timeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/meter.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/processor_streams.hpp>
#include <cueline/stream.hpp>
#include <cueline/timeline.hpp>

namespace cueline {

/// What an engine does with its schedule for a processor: see ProcessContext. [audio thread, wait-free]
class Scheduler {
  public:
    virtual Scheduled schedule(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING = 0;
    virtual bool cancel(Cause cause) noexcept CUELINE_NONBLOCKING = 0;

  protected:
    Scheduler() = default;
    Scheduler(const Scheduler&) = default;
    Scheduler& operator=(const Scheduler&) = default;
    ~Scheduler() = default;
};

/// A range of places in a list.
struct Places {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

/// Where the parameters, meters, slots and streams of one part lie among those of all parts: see
/// ProcessContext::part().
struct PartPlaces {
    Places parameters;  ///< each element of an array counts
    Places meters;      ///< each element of an array counts
    Places slots;
    Places playbacks;
    Places recordings;
};

/// The engine passes one to each call of a processor. It is valid only during that call. All calls are for the audio
/// thread, and wait-free.
class ProcessContext {
  public:
    explicit ProcessContext(EventSender& events, std::span<Parameter> parameters = {}, std::span<Meter> meters = {},
                            BufferSlots* buffers = nullptr, Scheduler* scheduler = nullptr,
                            const ProcessorStreams* streams = nullptr, const Timeline* timeline = nullptr) noexcept
        : events_{&events},
          parameters_{parameters},
          meters_{meters},
          buffers_{buffers},
          scheduler_{scheduler},
          streams_{streams},
          timeline_{timeline == nullptr ? &default_timeline : timeline} {}

    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return *events_; }

    /// Returns the context for one of several processors that run as one. The addresses, slots and streams of that
    /// processor begin at 0, as if it ran alone. What it schedules goes through `scheduler`, which must live as long as
    /// the returned context.
    [[nodiscard]] ProcessContext part(const PartPlaces& places, Scheduler& scheduler) const noexcept
        CUELINE_NONBLOCKING {
        ProcessContext context{*this};
        context.parameters_ = parameters_.subspan(places.parameters.first, places.parameters.count);
        context.meters_ = meters_.subspan(places.meters.first, places.meters.count);
        context.slots_ = places.slots;
        context.playbacks_ = places.playbacks;
        context.recordings_ = places.recordings;
        context.scheduler_ = &scheduler;
        return context;
    }

    /// Returns the parameter at this address. The address is the index in Processor::parameters() or, if arrays come
    /// before it, the first_address() of its spec. The elements of an array have the addresses from there on.
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
        return buffers_ == nullptr || slot >= slots_.count ? nullptr : buffers_->at(slots_.first + slot);
    }

    /// Returns the buffer without a slot that Engine::load_buffer() loaded under this handle, or nullptr if it is not
    /// loaded any more, or never was. `handle` may be any number; 0 is never a handle. Look the buffer up in each call:
    /// a command may release it before the next call.
    [[nodiscard]] const Buffer* loaded_buffer(BufferHandle handle) const noexcept CUELINE_NONBLOCKING {
        return buffers_ == nullptr ? nullptr : buffers_->loaded(handle);
    }

    /// Releases a buffer without a slot: from now on, nobody finds it under this handle, and a control thread frees it.
    /// Returns false, and does nothing, if it is not loaded.
    bool release_buffer(BufferHandle handle) noexcept CUELINE_NONBLOCKING {
        return buffers_ != nullptr && buffers_->release(handle);
    }

    /// Returns the playback at this index in Processor::playbacks(). Nothing waits in it if it is not open, or does not
    /// exist.
    [[nodiscard]] ProcessorPlayback playback(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        if (streams_ == nullptr || index >= playbacks_.count) return ProcessorPlayback{nullptr};
        return ProcessorPlayback{streams_->playbacks[playbacks_.first + index]};
    }

    /// Returns the recording at this index in Processor::recordings(). It takes nothing if it is not open, or does not
    /// exist.
    [[nodiscard]] ProcessorRecording recording(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        if (streams_ == nullptr || index >= recordings_.count) return {nullptr, 0};
        return {streams_->recordings[recordings_.first + index], streams_->end};
    }

    /// Returns the timeline as it is in this call: timeline().beat_at(block.frame) is the beat at which a render()
    /// begins. A context without a timeline returns default_timeline, which runs at 48 kHz.
    [[nodiscard]] const Timeline& timeline() const noexcept CUELINE_NONBLOCKING { return *timeline_; }

    /// Schedules `message`: handle() gets it at `frame`, as a command of the line and the sequence of the one that is
    /// being handled. So cancels and the line's quotas hold for it, and events that answer it go to that line. If
    /// handle() then returns Outcome::deferred(), the command's confirmation comes with the outcome of `message`.
    /// `frame` must be later than the frame that is rendered next. A block may schedule as many messages as it may read
    /// commands; some of these are reserved for each line. This limit stops a message that schedules itself again for
    /// each next frame. A message of a MIDI input counts as one of line 0, and no command cancels what it schedules.
    /// Call this only in handle().
    Scheduled schedule(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        return scheduler_ == nullptr ? Scheduled::not_handling : scheduler_->schedule(message, frame);
    }

    /// Cancels the command `cause`, if it waits in the schedule, and the messages that were scheduled for it. Also
    /// cancels what is scheduled for it later in this block. Each of them comes to discarded() before the next block
    /// has rendered. A block may cancel as often as it may read commands: after that, returns false and does nothing.
    /// Do not call it in discarded().
    bool cancel(Cause cause) noexcept CUELINE_NONBLOCKING { return scheduler_ != nullptr && scheduler_->cancel(cause); }

  private:
    EventSender* events_;
    std::span<Parameter> parameters_;
    std::span<Meter> meters_;
    BufferSlots* buffers_;
    Scheduler* scheduler_;
    const ProcessorStreams* streams_;
    const Timeline* timeline_;
    Places slots_{.first = 0, .count = max_buffer_slots};
    Places playbacks_{.first = 0, .count = max_streams};
    Places recordings_{.first = 0, .count = max_streams};
};

}  // namespace cueline
