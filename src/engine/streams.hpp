// streams.hpp: the audio side of streams: which are open, and what a block does with them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/audio.hpp>
#include <cueline/buffer.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>
#include <cueline/outcome.hpp>
#include <cueline/processor_streams.hpp>
#include <cueline/ring.hpp>
#include <cueline/span_ring.hpp>
#include <cueline/stream.hpp>

#include "engine/stream_memory.hpp"

namespace cueline {

/// The streams that the audio thread has. The audio thread uses it; another thread may while no block runs. Every call
/// is wait-free, and takes a time that is bounded by max_streams and the frames.
class Streams {
  public:
    Streams() = default;  ///< no streams

    /// What `table` refers to must outlive this. Throws EndTakenError if the table has an audio side. [control thread]
    explicit Streams(const StreamTable& table) : table_{table}, returns_{table.producer()} {}

    /// Whether a command of this kind is for streams.
    [[nodiscard]] static constexpr bool takes(Kind kind) noexcept CUELINE_NONBLOCKING {
        return kind >= kind::start_stream && kind <= kind::clear_playback;
    }

    /// The handle in such a command. It may be any number.
    [[nodiscard]] static BufferHandle handle_of(const Message& command) noexcept CUELINE_NONBLOCKING {
        if (command.kind == kind::clear_playback) return command.as<ClearPlayback>().handle;
        return command.as<StartStream>().handle;  // a StopStream has the same payload
    }

    /// The streams of the processor, for a ProcessContext. They stay in this object.
    [[nodiscard]] const ProcessorStreams& of_processor() const noexcept CUELINE_NONBLOCKING { return of_processor_; }

    /// Whether a block has anything to do with streams.
    [[nodiscard]] bool any() const noexcept CUELINE_NONBLOCKING { return count_ > 0; }

    /// Sets the samplerate of the blocks that follow. Streams that were opened at another one end.
    void set_samplerate(std::uint32_t samplerate, std::uint64_t frame) noexcept CUELINE_NONBLOCKING;

    /// Applies a command for streams at `frame`. Returns false if its handle or its values are wrong, and
    /// Reason::cancelled if its stream was closed.
    Outcome apply(const Message& command, std::uint64_t frame) noexcept CUELINE_NONBLOCKING;

    /// Notes a command for streams that is not applied now: its stream may wait to be handed over.
    void note(const Message& command) noexcept CUELINE_NONBLOCKING;

    /// Gives back the streams that were closed. Call it at the beginning of a block.
    void begin_block() noexcept CUELINE_NONBLOCKING;

    /// Says that the processor is about to render up to the frame `end`.
    void begin_segment(std::uint64_t end) noexcept CUELINE_NONBLOCKING { of_processor_.end = end; }

    /// Records the inputs of a segment, and mixes the playbacks into its outputs.
    void end_segment(const AudioBlock& segment) noexcept CUELINE_NONBLOCKING;

    /// Records the outputs of a block that begins at `frame`, as the device gets them, and publishes all counts.
    void end_block(const AudioBlock& block, std::uint64_t frame) noexcept CUELINE_NONBLOCKING;

  private:
    [[nodiscard]] const StreamPlace* find(BufferHandle handle) noexcept CUELINE_NONBLOCKING;
    void show(const StreamPlace& place, const StreamPlace& shown) noexcept CUELINE_NONBLOCKING;
    void send_back(std::size_t number) noexcept CUELINE_NONBLOCKING;

    StreamTable table_;
    SpanProducer<StreamTable::Returns> returns_;
    std::array<BufferHandle, max_streams> handles_{};  // of those that are open: the first `count_`
    std::size_t count_ = 0;
    ProcessorStreams of_processor_;
    std::uint32_t samplerate_ = 0;
};

}  // namespace cueline
