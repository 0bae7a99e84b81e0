// processor_streams.hpp: a processor's own streams: what it declares, and what it reads and writes in a block.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cueline/playback.hpp>
#include <cueline/recording.hpp>
#include <cueline/ring.hpp>
#include <cueline/stream.hpp>

namespace cueline {

/// A playback or a recording that a processor declares. Control threads open it by its name, once at a time.
struct StreamSpec {
    std::string_view name;       ///< not empty, and different from the names of its other streams of this kind
    std::uint32_t channels = 1;  ///< 1 to max_channels
};

/// A playback, as its processor reads it. If nobody has opened it, nothing waits and nothing is missing.
/// [audio thread, wait-free]
class ProcessorPlayback {
  public:
    explicit ProcessorPlayback(PlaybackConsumer<>* stream) noexcept CUELINE_NONBLOCKING : stream_{stream} {}

    /// Returns the frames that wait, `most` at most. Read them, and then pop(). None wait before the stream's start and
    /// after its stop. Do not keep the run after the call of the processor.
    [[nodiscard]] PlaybackRun<> waiting(std::size_t most) const noexcept CUELINE_NONBLOCKING {
        return stream_ == nullptr ? PlaybackRun<>{} : stream_->waiting(most);
    }

    /// Gives the next `frames` frames back, and counts them as played. If fewer wait, the missing ones are an underrun:
    /// so pass as many as you needed, and not as many as you found.
    void pop(std::size_t frames) const noexcept CUELINE_NONBLOCKING {
        if (stream_ != nullptr) stream_->use(frames);
    }

  private:
    PlaybackConsumer<>* stream_;
};

/// A recording, as its processor writes it. If nobody has opened it, write() does nothing. [audio thread, wait-free]
class ProcessorRecording {
  public:
    ProcessorRecording(RecordingProducer<>* stream, std::uint64_t end) noexcept CUELINE_NONBLOCKING : stream_{stream},
                                                                                                      end_{end} {}

    /// Records `frames` samples of each channel. The first ones are of the engine's frame `frame`, usually that of the
    /// block. Call it in render(), in the order of the frames. Frames of a block that you do not write are lost: the
    /// reader finds a gap. Frames of other blocks are ignored. Missing channels are silence.
    void write(std::span<const float* const> channels, std::uint64_t frame, std::size_t frames) const noexcept
        CUELINE_NONBLOCKING {
        if (stream_ == nullptr || frame >= end_) return;
        stream_->record(channels, frame, static_cast<std::size_t>(std::min<std::uint64_t>(frames, end_ - frame)));
    }

  private:
    RecordingProducer<>* stream_;
    std::uint64_t end_;
};

/// The open streams of a processor, by their numbers, and the frame at which the present block ends. The engine sets
/// it.
struct ProcessorStreams {
    std::array<PlaybackConsumer<>*, max_streams> playbacks{};
    std::array<RecordingProducer<>*, max_streams> recordings{};
    std::uint64_t end = 0;
};

}  // namespace cueline
