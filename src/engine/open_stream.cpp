// open_stream.cpp: opens playbacks and recordings: checks what is requested, and makes their memory.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <cueline/buffer.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine/range.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/error.hpp>
#include <cueline/processor_streams.hpp>

#include "engine/engine_parts.hpp"
#include "engine/stream_memory.hpp"
#include "engine/streams.hpp"

namespace cueline {

namespace {

/// Where a stream is: at the device, or at the processor.
struct StreamEnd {
    std::uint32_t channels;
    std::size_t number = StreamParts::of_engine;  // of the processor's stream
};

/// At a device with `count` inputs or outputs.
StreamEnd end_at_device(std::int64_t channels, std::uint32_t count, const std::string& ends) {
    if (count == 0) throw ArgumentError{"this engine has no " + ends + ": make it with " + ends + "=1"};
    const std::string unit = "(the engine's " + ends + ")";
    return {.channels = checked_range("a stream's channels", channels, {1, count, unit})};
}

/// At a processor that declares these streams. `what`: "playback" or "recording", for the errors.
StreamEnd end_at_processor(std::string_view name, std::optional<std::int64_t> channels,
                           std::span<const StreamSpec> declared, const std::string& what) {
    const std::string named = what + " '" + std::string{name} + "'";
    const auto found = std::ranges::find(declared, name, &StreamSpec::name);
    if (found == declared.end()) {
        std::string names;
        for (const StreamSpec& spec : declared) names.append(names.empty() ? "'" : ", '").append(spec.name).append("'");
        throw ArgumentError{"no " + named + ": the processor has " + (names.empty() ? "none" : names) +
                            (what == "recording" ? ", and the engine has 'inputs' and 'outputs'" : "")};
    }
    if (channels && std::cmp_not_equal(*channels, found->channels)) {
        throw ArgumentError{named + " of the processor has " + std::to_string(found->channels) + " channels, got " +
                            std::to_string(*channels) + ": leave them out"};
    }
    return {.channels = found->channels, .number = static_cast<std::size_t>(found - declared.begin())};
}

/// Returns the frames of a stream's ring: at least those requested, and a power of two.
std::size_t stream_frames(std::int64_t frames, std::uint32_t channels) {
    constexpr std::int64_t most_samples = std::int64_t{1} << 30U;
    checked_range("a stream's buffer", frames, {1, most_samples / channels, "frames"});
    return std::bit_ceil(static_cast<std::size_t>(frames));
}

}  // namespace

Playback Engine::open_playback(const PlaybackRequest& request) {
    require_usable();
    const Format format = parts_->device->format();
    const StreamEnd end =
        request.stream.empty()
            ? end_at_device(request.channels.value_or(1), format.outputs, "outputs")
            : end_at_processor(request.stream, request.channels, controls().playback_specs(), "playback");
    const std::size_t frames = stream_frames(request.frames, end.channels);
    auto memory = std::make_shared<PlaybackMemory>(frames, end.channels, format.samplerate, end.number);
    const BufferHandle handle = parts_->streams->add(memory->place(), memory);
    return {Stream{*this, parts_->streams, handle}, std::move(memory)};
}

Recording Engine::open_recording(const RecordingRequest& request) {
    require_usable();
    const Format format = parts_->device->format();
    const bool of_inputs = request.source == RecordingSource::inputs;
    const StreamEnd end =
        request.stream.empty()
            ? end_at_device(request.channels.value_or(1), of_inputs ? format.inputs : format.outputs,
                            of_inputs ? "inputs" : "outputs")
            : end_at_processor(request.stream, request.channels, controls().recording_specs(), "recording");
    const std::size_t frames = stream_frames(request.frames, end.channels);
    auto memory =
        std::make_shared<RecordingMemory>(frames, end.channels, request.source, format.samplerate, end.number);
    const BufferHandle handle = parts_->streams->add(memory->place(), memory);
    return {Stream{*this, parts_->streams, handle}, std::move(memory)};
}

void Engine::hand_over_stream(const Message& command) {
    if (Streams::takes(command.kind)) parts_->streams->offer(Streams::handle_of(command));
}

}  // namespace cueline
