// stream_pool.cpp: places for streams; and what control threads do with a stream.
#include "engine/stream_pool.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <cueline/engine/engine.hpp>
#include <cueline/error.hpp>

namespace cueline {

bool StreamPool::is_taken_locked(const StreamPlace& place) const noexcept {
    const bool plays = place.playback != nullptr;
    return std::ranges::any_of(taken_, [&](const Taken& taken) {
        if (taken.memory == nullptr) return false;
        const StreamPlace& other = table_[taken.handle];
        return (other.playback != nullptr) == plays && parts_of(other).number == parts_of(place).number;
    });
}

BufferHandle StreamPool::add(const StreamPlace& place, std::shared_ptr<const void> memory) {
    Freed freed;  // its destructor frees after the lock
    const std::scoped_lock lock{mutex_};
    if (closed_) throw ClosedError{"this engine is closed: make a new one"};
    collect_locked(freed);
    if (parts_of(place).is_of_processor() && is_taken_locked(place)) {
        throw StreamsTakenError{
            "this stream of the processor is open: close it. Two blocks later, you can open it again"};
    }
    const auto handle = handles_.take();
    if (!handle) {
        throw StreamsTakenError{"all " + std::to_string(max_streams) +
                                " streams are open: close one. Two blocks later, its place is free"};
    }
    table_[*handle] = place;
    taken_[place_of(*handle)] = {.memory = std::move(memory), .handle = *handle};
    return *handle;
}

void StreamPool::offer(BufferHandle handle) {
    const std::scoped_lock lock{mutex_};
    if (place_of(handle) >= places) return;
    Taken& taken = taken_[place_of(handle)];
    if (taken.memory == nullptr || taken.handle != handle || taken.offered) return;
    taken.offered = true;
    table_.offer(handle);
}

void StreamPool::close_stream(BufferHandle handle) noexcept {
    if (fork_generation() != generation_) return;  // before the lock: a thread of the parent may have held it
    Freed freed;
    const std::scoped_lock lock{mutex_};
    if (closed_) return;
    Taken& taken = taken_[place_of(handle)];
    parts_of(table_[handle]).closed.store(true, std::memory_order_relaxed);  // relaxed: it publishes nothing
    if (!taken.offered) {
        freed[0] = std::exchange(taken, Taken{}).memory;
        handles_.give_back(handle);
    }
    collect_locked(freed);
}

void StreamPool::close() noexcept {
    Freed freed;
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    for (std::size_t place = 0; place < places; ++place) freed[place] = std::exchange(taken_[place].memory, nullptr);
}

std::size_t StreamPool::open() {
    Freed freed;
    const std::scoped_lock lock{mutex_};
    collect_locked(freed);
    return closed_ ? 0 : handles_.taken();
}

void StreamPool::collect_locked(Freed& freed) noexcept {
    std::size_t place = 1;  // close_stream() uses the first one; it has collected before
    handles_.collect(handles_.returned(), [&](BufferHandle handle) noexcept {
        table_[handle] = {};
        freed[place++ % max_streams] = std::exchange(taken_[place_of(handle)], Taken{}).memory;
    });
}

// Streams. The public classes are here, because they are thin.

Stream::Stream(Engine& engine, std::shared_ptr<StreamPool> pool, std::uint32_t handle) noexcept
    : engine_{&engine}, pool_{std::move(pool)}, handle_{handle} {}

Stream::Stream(Stream&& other) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
    std::swap(engine_, other.engine_);
    std::swap(pool_, other.pool_);
    std::swap(handle_, other.handle_);
    return *this;
}

Stream::~Stream() {
    if (pool_ != nullptr) pool_->close_stream(handle_);
}

Status Stream::start(const Delivery& delivery) {
    return send(Message::of(StartStream{handle_}), delivery);
}

Status Stream::stop(const Delivery& delivery) {
    return send(Message::of(StopStream{handle_}), delivery);
}

Status Stream::send(Message command, const Delivery& delivery) {
    engine_->require_usable();
    Line& line = engine_->control();
    if (delivery.is_cue()) engine_->make_room(line.number());
    if (line.room() == 0) {  // before the stream is offered: only a command lets the audio thread give it back
        line.count_dropped(1);
        return Status::full;
    }
    engine_->hand_over_stream(command);
    command.frame = delivery.frame;
    command.flags = delivery.flags;
    return line.try_send(command);
}

Playback::Playback(Stream stream, std::shared_ptr<PlaybackMemory> memory) noexcept
    : Stream{std::move(stream)}, memory_{std::move(memory)} {}
Playback::Playback(Playback&& other) noexcept = default;
Playback& Playback::operator=(Playback&& other) noexcept {
    std::swap(memory_, other.memory_);
    Stream::operator=(std::move(other));
    return *this;
}
Playback::~Playback() = default;

std::uint32_t Playback::channels() const noexcept {
    return memory_->channels;
}

std::size_t Playback::capacity() const noexcept {
    return memory_->pages.samples().size() / memory_->channels;
}

std::uint64_t Playback::clear_up_to() noexcept {
    return memory_->producer.clear_up_to();
}

std::size_t Playback::write(std::span<const float> interleaved, bool last) noexcept {
    return memory_->producer.write(interleaved, last);
}

std::array<std::span<float>, 2> Playback::room(std::size_t most) noexcept {
    return memory_->producer.room(most);
}

void Playback::push(std::size_t frames, bool last) noexcept {
    memory_->producer.push(frames, last);
}

std::shared_ptr<const void> Playback::memory() const noexcept {
    return memory_;
}

void Playback::complete() noexcept {
    memory_->producer.complete();
}

Status Playback::clear(const Delivery& delivery) {
    return send(Message::of(ClearPlayback{clear_up_to(), handle()}), delivery);
}

PlaybackPosition Playback::position() const noexcept {
    PlaybackPosition position;
    while (!read_position(memory_->pages.parts().shared, position)) std::this_thread::yield();
    return position;
}

Recording::Recording(Stream stream, std::shared_ptr<RecordingMemory> memory) noexcept
    : Stream{std::move(stream)}, memory_{std::move(memory)} {}
Recording::Recording(Recording&& other) noexcept = default;
Recording& Recording::operator=(Recording&& other) noexcept {
    std::swap(memory_, other.memory_);
    Stream::operator=(std::move(other));
    return *this;
}
Recording::~Recording() = default;

std::uint32_t Recording::channels() const noexcept {
    return memory_->channels;
}

std::size_t Recording::capacity() const noexcept {
    return memory_->pages.samples().size() / memory_->channels;
}

RecordedRun<> Recording::waiting(std::size_t most) noexcept {
    return memory_->consumer.waiting(most);
}

void Recording::pop(std::size_t frames) noexcept {
    memory_->consumer.pop(frames);
}

RecordedRun<> Recording::read(std::span<float> interleaved) noexcept {
    return memory_->consumer.read(interleaved);
}

std::shared_ptr<const void> Recording::memory() const noexcept {
    return memory_;
}

RecordingState Recording::state() const noexcept {
    RecordingState state;
    while (!memory_->pages.parts().shared.state.read(state)) std::this_thread::yield();
    return state;
}

}  // namespace cueline
