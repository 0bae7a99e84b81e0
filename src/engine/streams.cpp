// streams.cpp: hands streams over and back, and mixes and records them.
#include "engine/streams.hpp"

#include <algorithm>
#include <atomic>

namespace cueline {

namespace {

/// Ends a stream whose device has another samplerate now.
void end_for_samplerate(const StreamPlace& place, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    if (place.playback != nullptr) {
        place.playback->consumer.end(StreamPhase::new_samplerate);
        place.playback->consumer.publish(frame);
    } else {
        place.recording->producer.stop(frame, StreamPhase::new_samplerate);
        place.recording->producer.publish();
    }
}

[[nodiscard]] bool is_closed(const StreamPlace& place) noexcept CUELINE_NONBLOCKING {
    return parts_of(place).closed.load(std::memory_order_relaxed);  // relaxed: it publishes nothing
}

}  // namespace

void Streams::set_samplerate(std::uint32_t samplerate, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    samplerate_ = samplerate;
    for (std::size_t number = 0; number < count_; ++number) {
        const StreamPlace& place = table_[handles_[number]];
        if (parts_of(place).samplerate != samplerate) end_for_samplerate(place, frame);
    }
}

Outcome Streams::apply(const Message& command, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    const StreamPlace* const place = find(handle_of(command));
    if (place == nullptr) {
        if (!table_.had(handle_of(command))) return false;
        return Outcome::refused(Reason::cancelled);  // its stream is closed, so its sender misses nothing
    }
    if (parts_of(*place).samplerate != samplerate_) end_for_samplerate(*place, frame);
    if (PlaybackParts* const playback = place->playback; playback != nullptr) {
        if (command.kind == kind::start_stream) return playback->consumer.start();
        if (command.kind == kind::stop_stream) return playback->consumer.stop();
        return playback->consumer.clear(command.as<ClearPlayback>().up_to);
    }
    if (command.kind == kind::start_stream) return place->recording->producer.start(frame);
    if (command.kind == kind::stop_stream) return place->recording->producer.stop(frame);
    return false;
}

void Streams::note(const Message& command) noexcept CUELINE_NONBLOCKING {
    static_cast<void>(find(handle_of(command)));
}

/// Returns the stream of a handle, which may be any number. The first time, it accepts the stream.
const StreamPlace* Streams::find(BufferHandle handle) noexcept CUELINE_NONBLOCKING {
    const auto open = std::span{handles_}.first(count_);
    if (std::ranges::find(open, handle) == open.end()) {
        if (!table_.accept(handle)) return nullptr;
        handles_[count_++] = handle;  // there is room: the table has as many places
        const StreamPlace& place = table_[handle];
        if (parts_of(place).is_of_processor()) show(place, place);
    }
    return &table_[handle];
}

void Streams::begin_block() noexcept CUELINE_NONBLOCKING {
    for (std::size_t number = count_; number-- > 0;) {
        const StreamPlace& place = table_[handles_[number]];
        if (!is_closed(place)) continue;
        if (place.playback != nullptr && !place.playback->closing) {
            place.playback->closing = true;
            place.playback->consumer.clear();  // it fades out
        }
        if (place.playback == nullptr || !place.playback->consumer.fades_out()) send_back(number);
    }
}

void Streams::end_segment(const AudioBlock& segment) noexcept CUELINE_NONBLOCKING {
    for (const BufferHandle handle : std::span{handles_}.first(count_)) {
        const StreamPlace& place = table_[handle];
        if (parts_of(place).is_of_processor()) continue;
        if (place.playback != nullptr) {
            place.playback->consumer.mix(segment.outputs, segment.frames);
        } else if (place.recording->source == RecordingSource::inputs) {
            place.recording->producer.record(segment.inputs, segment.frame, segment.frames);
        }
    }
}

void Streams::end_block(const AudioBlock& block, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    for (const BufferHandle handle : std::span{handles_}.first(count_)) {
        const StreamPlace& place = table_[handle];
        if (place.playback != nullptr) {
            place.playback->consumer.publish(frame + block.frames);
            continue;
        }
        if (place.recording->is_of_processor()) {
            place.recording->producer.lose_up_to(frame + block.frames);
        } else if (place.recording->source == RecordingSource::outputs) {
            place.recording->producer.record(block.outputs, frame, block.frames);
        }
        place.recording->producer.publish();
    }
}

/// Shows the processor `shown` as its stream with the number of `place`.
void Streams::show(const StreamPlace& place, const StreamPlace& shown) noexcept CUELINE_NONBLOCKING {
    const std::size_t number = parts_of(place).number;
    if (place.playback != nullptr) {
        of_processor_.playbacks[number] = shown.playback == nullptr ? nullptr : &shown.playback->consumer;
    } else {
        of_processor_.recordings[number] = shown.recording == nullptr ? nullptr : &shown.recording->producer;
    }
}

void Streams::send_back(std::size_t number) noexcept CUELINE_NONBLOCKING {
    const StreamPlace& place = table_[handles_[number]];
    if (parts_of(place).is_of_processor()) show(place, {});
    const RingPlaces room = returns_.room(1);  // never none: there is a place for every handle
    table_.return_cells()[room.first].write(ReturnedBuffer{handles_[number]});
    returns_.push(1);
    handles_[number] = handles_[--count_];
}

}  // namespace cueline
