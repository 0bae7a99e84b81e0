// stream_memory.hpp: the memory of a stream: what both sides share, the audio side's end, and the samples.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <cueline/buffer.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/playback.hpp>
#include <cueline/recording.hpp>

#include "system/locked_pages.hpp"

namespace cueline {

/// What the audio thread uses of a stream. It lies on locked pages. No destructor runs, because a forked child finds
/// zeros there.
struct StreamParts {
    static constexpr std::size_t of_engine = max_streams;

    std::atomic<bool> closed = false;  // stored by the control side
    std::uint32_t samplerate = 0;      // of the device when it was opened
    std::size_t number = of_engine;    // among those that the processor declares for its direction

    [[nodiscard]] bool is_of_processor() const noexcept CUELINE_NONBLOCKING { return number < max_streams; }
};
struct PlaybackParts : StreamParts {
    SharedPlayback<> shared;
    PlaybackConsumer<> consumer;
    bool closing = false;  // the audio side's: it fades out
};
struct RecordingParts : StreamParts {
    SharedRecording<> shared;
    RecordingProducer<> producer;
    RecordingSource source = RecordingSource::inputs;
};

/// What the handle of a stream stands for: one of the two.
struct StreamPlace {
    PlaybackParts* playback = nullptr;
    RecordingParts* recording = nullptr;
};

[[nodiscard]] inline StreamParts& parts_of(const StreamPlace& place) noexcept CUELINE_NONBLOCKING {
    if (place.playback != nullptr) return *place.playback;
    return *place.recording;
}

using StreamTable = BufferTable<StreamPlace>;

/// Locked pages with the parts of a stream, its marks and its samples. [control threads]
template <class Parts>
class StreamPages {
    using MarkCell = RecordingProducer<>::MarkCell;

  public:
    /// Throws std::bad_alloc.
    StreamPages(std::size_t samples, std::size_t marks)
        : pages_{sizeof(Parts) + marks * sizeof(MarkCell) + samples * sizeof(float)} {
        static_assert(sizeof(Parts) % alignof(MarkCell) == 0 && sizeof(MarkCell) % alignof(float) == 0);
        std::byte* const bytes = pages_.bytes().data();
        parts_ = std::construct_at(reinterpret_cast<Parts*>(bytes));
        const auto* const cells = bytes + sizeof(Parts);
        marks_ = {reinterpret_cast<MarkCell*>(const_cast<std::byte*>(cells)), marks};
        std::ranges::uninitialized_default_construct(marks_);
        samples_ = {reinterpret_cast<float*>(bytes + sizeof(Parts) + marks_.size_bytes()), samples};
    }

    [[nodiscard]] Parts& parts() const noexcept { return *parts_; }
    [[nodiscard]] std::span<MarkCell> marks() const noexcept { return marks_; }
    [[nodiscard]] std::span<float> samples() const noexcept { return samples_; }

  private:
    LockedPages pages_;
    Parts* parts_ = nullptr;
    std::span<MarkCell> marks_;
    std::span<float> samples_;
};

/// A playback's memory and its producer. [control threads]
class PlaybackMemory {
  public:
    /// `frames` is a power of two. `number` is that of a stream of the processor, or StreamParts::of_engine. A stream
    /// of the processor does not fade out when it is cleared: its samples need not be sound.
    PlaybackMemory(std::size_t frames, std::uint32_t its_channels, std::uint32_t samplerate, std::size_t number)
        : pages{frames * its_channels, 0},
          producer{pages.parts().shared, pages.samples(), its_channels},
          channels{its_channels} {
        pages.parts().samplerate = samplerate;
        pages.parts().number = number;
        pages.parts().consumer = {pages.parts().shared, pages.samples(), channels,
                                  pages.parts().is_of_processor() ? 0 : clear_fade_frames};
    }

    [[nodiscard]] StreamPlace place() const noexcept { return {.playback = &pages.parts()}; }

    StreamPages<PlaybackParts> pages;
    PlaybackProducer<> producer;
    std::uint32_t channels;
};

/// A recording's memory and its consumer. [control threads]
class RecordingMemory {
  public:
    /// `frames` is a power of two. `number`: see PlaybackMemory. If it is a stream of the processor, `source` means
    /// nothing.
    RecordingMemory(std::size_t frames, std::uint32_t its_channels, RecordingSource source, std::uint32_t samplerate,
                    std::size_t number)
        : pages{frames * its_channels, recording_marks},
          consumer{pages.parts().shared, pages.samples(), pages.marks(), its_channels},
          channels{its_channels} {
        pages.parts().samplerate = samplerate;
        pages.parts().source = source;
        pages.parts().number = number;
        pages.parts().producer = {pages.parts().shared, pages.samples(), pages.marks(), channels};
    }

    [[nodiscard]] StreamPlace place() const noexcept { return {.recording = &pages.parts()}; }

    StreamPages<RecordingParts> pages;
    RecordingConsumer<> consumer;
    std::uint32_t channels;
};

}  // namespace cueline
