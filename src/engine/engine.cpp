// engine.cpp: an engine's life on the control side: made, started, stopped, lost and closed.
#include "engine/engine.hpp"

#include <string>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/monotonic.hpp>

#include <cueline/engine/range.hpp>

namespace cueline {

Engine::Engine(std::unique_ptr<Device> device, std::shared_ptr<Processor> processor, std::int64_t budget)
    : control_{link_},
      audio_{link_, checked_range("budget", budget, budget_range)},
      locked_{memory_of(*this)},
      processor_{std::move(processor)},
      device_{std::move(device)} {
    prepare_processor(device_->format());
    slots_ = processor_->buffer_slots();
    if (slots_ > max_buffer_slots) {
        throw ArgumentError{"a processor has at most " + std::to_string(max_buffer_slots) +
                            " slots for buffers, and this one wants " + std::to_string(slots_)};
    }
    buffers_.set_count(slots_);
    controls_.declare(*processor_);
    controls_.prepare(device_->format());
}

Engine::~Engine() {
    close();
}

void Engine::start() {
    require_own_process();  // before the lock, which a thread of the parent may have held as it forked
    const std::scoped_lock lock{running_mutex_};
    require_open();
    const bool was_lost = lost_.exchange(false, std::memory_order_relaxed);  // relaxed: see require_usable()
    if (was_lost) stop_locked();
    if (running_) return;
    try {
        device_->start(*this);
    } catch (...) {
        if (was_lost) lost_.store(true, std::memory_order_relaxed);  // it still is
        throw;
    }
    running_ = true;
}

void Engine::stop() noexcept {
    if (forked()) return;  // likewise
    const std::scoped_lock lock{running_mutex_};
    stop_locked();
}

void Engine::close() noexcept {
    if (forked()) return;  // likewise
    const std::scoped_lock lock{running_mutex_};
    closed_.store(true, std::memory_order_relaxed);  // relaxed: those who must see it hold the lock
    stop_locked();
    processor_.leave();
    pool_.close();
}

void Engine::stop_locked() noexcept {
    if (running_) device_->stop();
    running_ = false;
    lost_.store(false, std::memory_order_relaxed);  // it stands still because we said so: what is sent waits
}

void Engine::require_own_process() const {
    if (!forked()) return;
    throw ForkedError{"this engine belongs to the parent process, where its audio thread is: make a new one here"};
}

void Engine::require_open() const {
    require_own_process();
    if (closed()) throw ClosedError{"this engine is closed: make a new one"};
}

void Engine::require_usable() const {
    require_open();
    if (!lost_.load(std::memory_order_relaxed)) return;  // relaxed: the text has a lock of its own
    const std::scoped_lock lock{lost_mutex_};
    throw DeviceError{lost_why_};
}

Status Engine::publish(std::int64_t slot, std::span<const float> interleaved, std::int64_t channels,
                       const Delivery& delivery) {
    return publish(slot, make_buffer(slot, interleaved, channels), delivery);
}

BufferPool::PendingBuffer Engine::make_buffer(std::int64_t slot, std::span<const float> interleaved,
                                              std::int64_t channels) {
    require_usable();
    require_slot(slot);
    const std::uint32_t count = checked_range("channels", channels, buffer_channels_range);
    const auto samples = static_cast<std::int64_t>(interleaved.size());
    checked_range("a buffer", samples, buffer_samples_range);
    if (samples % count != 0) {
        throw ArgumentError{"a buffer of " + std::to_string(count) + " channels must have whole frames, got " +
                            std::to_string(samples) + " samples"};
    }
    return pool_.make(interleaved, count);
}

Status Engine::publish(std::int64_t slot, BufferPool::PendingBuffer made, const Delivery& delivery) {
    require_usable();
    require_slot(slot);
    if (!made) return Status::full;
    const BufferHandle handle = pool_.hand_over(std::move(made));
    const Status status =
        control_.send(kind::publish_buffer, PublishBuffer{static_cast<std::uint32_t>(slot), handle}, delivery);
    if (status == Status::full) pool_.take_back(handle);
    return status;
}

Status Engine::publish_nothing(std::int64_t slot, const Delivery& delivery) {
    require_usable();
    require_slot(slot);
    return control_.send(kind::publish_buffer, PublishBuffer{static_cast<std::uint32_t>(slot), no_buffer}, delivery);
}

void Engine::require_slot(std::int64_t slot) const {
    if (slots_ == 0) throw ArgumentError{"this engine's processor has no slots for buffers: it is not handed any"};
    if (slot >= 0 && slot < std::int64_t{slots_}) return;
    throw ArgumentError{"slot must be from 0 to " + std::to_string(slots_ - 1) + ", got " + std::to_string(slot)};
}

void Engine::prepare_processor(const Format& format) {
    checked_range("channels", format.channels, channels_range);
    samplerate_ = format.samplerate;
    processor_->prepare(format);
    controls_.prepare(format);
}

BlockTime Engine::block_time() const {
    BlockTime time;
    {
        const std::scoped_lock lock{block_time_mutex_};
        block_time_.read(time);
    }
    if (time.samplerate == 0) {
        throw DeviceError{
            "no block has been rendered yet, so that no frame has a time: start the engine, and wait for "
            "a block"};
    }
    return time;
}

void Engine::prepare(const Format& format) {
    prepare_processor(format);
    // Between two blocks, ordered with them by the device: the audio side is ours as long as this takes.
    audio_.events().send(kind::format_changed, FormatChanged{format.samplerate, format.channels, format.blocksize});
}

void Engine::lost(std::string_view why) noexcept {
    {
        const std::scoped_lock lock{lost_mutex_};
        lost_why_ = why;
    }
    audio_.events().send(kind::device_lost, DeviceLost{monotonic_ns()});  // likewise: no block comes any more
    lost_.store(true, std::memory_order_relaxed);
}

EngineStats Engine::stats() const {
    EngineStats stats;
    stats.device = device_->name();
    stats.format = device_->format();
    stats.blocks = blocks_.get();
    stats.frames = frames_.get();
    stats.unhandled = unhandled_.get();
    stats.device_stats = device_->stats();
    stats.device_stats.memory_locked = stats.device_stats.memory_locked && locked_.granted();
    stats.commands = link_.command_stats();
    stats.events = link_.event_stats();
    stats.confirmations = link_.confirmation_stats();
    stats.buffers = pool_.stats();
    stats.cues = {.pending = cues_pending_.get(),
                  .late = cues_late_.get(),
                  .dropped_late = cues_dropped_late_.get(),
                  .refused = cues_refused_.get(),
                  .cancelled = cues_cancelled_.get()};
    return stats;
}

}  // namespace cueline
