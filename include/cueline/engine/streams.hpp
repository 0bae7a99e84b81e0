// streams.hpp: playbacks and recordings of an engine, for control threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/message.hpp>
#include <cueline/playback.hpp>
#include <cueline/recording.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// What to play. The ring has room for at least `frames` frames.
struct PlaybackRequest {
    std::int64_t frames = 0;
    /// How many channels. A single channel goes to all outputs; otherwise each goes to the output with its number. By
    /// default 1, or as many as the processor declared for this stream.
    std::optional<std::int64_t> channels = {};
    std::string_view stream = {};  ///< one of Processor::playbacks(), which the processor plays; empty: the engine does
};

enum class RecordingSource : std::uint8_t {
    inputs,   ///< as the processor gets them
    outputs,  ///< as the device gets them
};

/// What to record: the first `channels` channels of the source. The ring has room for at least `frames` frames.
struct RecordingRequest {
    std::int64_t frames = 0;
    std::optional<std::int64_t> channels = {};  ///< by default 1, or those that the processor declared
    RecordingSource source = RecordingSource::inputs;
    std::string_view stream = {};  ///< one of Processor::recordings(), which then is the source; empty: `source` is
};

/// What playbacks and recordings have in common. Its destructor closes the stream. It is movable and not copyable.
/// After its engine is destroyed, only its destructor may be called.
class Stream {
  public:
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&& other) noexcept;
    ~Stream();

    /// Begins, at the frame of `delivery`. A recording begins once. Returns Status::full, and counts a dropped command,
    /// if the command ring is full. Throws what Engine::require_usable() throws. One sender at a time.
    Status start(const Delivery& delivery = {});

    /// Stops, at the frame of `delivery`: a recording ends, and a playback keeps what waits for the next start().
    /// Returns and throws what start() does. One sender at a time.
    Status stop(const Delivery& delivery = {});

    /// The handle by which commands name this stream.
    [[nodiscard]] std::uint32_t handle() const noexcept { return handle_; }

  protected:
    Status send(Message command, const Delivery& delivery);

  private:
    friend class Engine;
    Stream(class Engine& engine, std::shared_ptr<class StreamPool> pool, std::uint32_t handle) noexcept;

    Engine* engine_;
    std::shared_ptr<StreamPool> pool_;  // empty if it was moved
    std::uint32_t handle_;
};

/// Samples that are mixed into the engine's outputs, or that its processor plays. One thread at a time writes; any
/// thread may read the position.
class Playback : public Stream {
  public:
    Playback(Playback&& other) noexcept;
    Playback& operator=(Playback&& other) noexcept;
    ~Playback();

    [[nodiscard]] std::uint32_t channels() const noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept;  ///< in frames

    /// Writes as many frames of `interleaved` as there is room for. Returns how many. If they are the `last` ones for
    /// now, no underrun is counted after them. Before start(), frames wait.
    std::size_t write(std::span<const float> interleaved, bool last = false) noexcept;

    /// Returns the memory of the free frames, `most` at most. Fill it, and then push().
    [[nodiscard]] std::array<std::span<float>, 2> room(std::size_t most) noexcept;

    /// Hands the first `frames` frames of room() to the audio thread. `last`: see write().
    void push(std::size_t frames, bool last = false) noexcept;

    /// Marks what was written so far as complete: no underrun is counted after it.
    void complete() noexcept;

    /// Drops what was written so far, at the frame of `delivery`; what is being played fades out in clear_fade_frames
    /// frames. What is written after this call stays. Returns and throws what start() does. One sender at a time.
    Status clear(const Delivery& delivery = {});

    /// Returns the index for a ClearPlayback that drops what was written so far. clear() does this itself.
    [[nodiscard]] std::uint64_t clear_up_to() noexcept;

    [[nodiscard]] PlaybackPosition position() const noexcept;

    /// Returns an owner of the memory of room(): hold it to use that memory after this stream is destroyed.
    [[nodiscard]] std::shared_ptr<const void> memory() const noexcept;

  private:
    friend class Engine;
    Playback(Stream stream, std::shared_ptr<class PlaybackMemory> memory) noexcept;
    std::shared_ptr<PlaybackMemory> memory_;
};

/// Samples of the engine's inputs or outputs, or of its processor. One thread at a time reads; any thread may read the
/// state.
class Recording : public Stream {
  public:
    Recording(Recording&& other) noexcept;
    Recording& operator=(Recording&& other) noexcept;
    ~Recording();

    [[nodiscard]] std::uint32_t channels() const noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept;  ///< in frames

    /// Returns the oldest frames that wait, `most` at most, up to the next gap. Read them, and then pop(). At the end
    /// of the recording, returns an empty run with `ended`, and with the number of frames that were lost last.
    [[nodiscard]] RecordedRun<> waiting(std::size_t most) noexcept;

    /// Gives the first `frames` frames of the run back to the audio thread. After that, its `lost` is not returned
    /// again.
    void pop(std::size_t frames) noexcept;

    /// Copies the frames of a run to `interleaved`, as many as fit, and pops them. The run that it returns has no
    /// samples.
    [[nodiscard]] RecordedRun<> read(std::span<float> interleaved) noexcept;

    [[nodiscard]] RecordingState state() const noexcept;

    /// Returns an owner of the memory of waiting(): hold it to use that memory after this stream is destroyed.
    [[nodiscard]] std::shared_ptr<const void> memory() const noexcept;

  private:
    friend class Engine;
    Recording(Stream stream, std::shared_ptr<class RecordingMemory> memory) noexcept;
    std::shared_ptr<RecordingMemory> memory_;
};

}  // namespace cueline
