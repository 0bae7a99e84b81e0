// processor.hpp: your DSP: prepare, handle a message, render a block.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/audio.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/process_context.hpp>
#include <cueline/processor_streams.hpp>

namespace cueline {

/// Derive your DSP from this, and give it to an engine. docs/write-your-own-engine.md builds one, from an empty folder
/// to a package for Python.
///
/// begin_block(), handle(), discarded() and render() run on the audio thread: they must not allocate, lock, block, call
/// the system or throw. The other functions may. They run on a control thread, or on a helper thread of the device,
/// while no block runs.
class Processor {
  public:
    Processor() = default;
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    virtual ~Processor() = default;

    /// Forgets what it played for an earlier engine, which is closed. The buffers that it had are gone, and the numbers
    /// of commands begin anew. Each engine calls it once, before its first prepare().
    virtual void reset() {}

    /// Prepares to render in this format: allocate here, and touch the memory that rendering uses. render() gets at
    /// most format.blocksize frames at once. Called before the first block, again when the device's sample rate
    /// changes, and at a start after its block size has changed. If it throws, the engine calls it again before the
    /// next block.
    virtual void prepare(const Format& format) = 0;

    /// Returns the number of slots for buffers, at most max_buffer_slots. Called once, after the first prepare().
    [[nodiscard]] virtual std::uint32_t buffer_slots() const { return 0; }

    /// Returns how many buffers without a slot can be loaded at once. Together with those for the slots, at most 8192:
    /// see max_buffers(). The rules are those of buffer_slots().
    [[nodiscard]] virtual std::uint32_t loaded_buffers() const { return 0; }

    /// Returns the parameters, at most max_parameters. Each element of an array counts. ProcessContext offers them by
    /// address. Called once, after the first prepare(). What it returns must live as long as the processor.
    [[nodiscard]] virtual std::span<const ParameterSpec> parameters() const { return {}; }

    /// Returns the meters, at most max_meters. Each element of an array counts. The rules are those of parameters().
    [[nodiscard]] virtual std::span<const MeterSpec> meters() const { return {}; }

    /// Returns the playbacks that render() reads, at most max_streams: see ProcessContext::playback(). The rules are
    /// those of parameters().
    [[nodiscard]] virtual std::span<const StreamSpec> playbacks() const { return {}; }

    /// Returns the recordings that render() writes, at most max_streams, and none named "inputs" or "outputs". The
    /// rules are those of parameters().
    [[nodiscard]] virtual std::span<const StreamSpec> recordings() const { return {}; }

    /// Returns the kinds of commands that handle() knows, so that Python's send() refuses any other kind at once. If it
    /// returns nothing, handle() gets all kinds. The rules are those of parameters().
    [[nodiscard]] virtual std::optional<std::span<const Kind>> kinds() const { return std::nullopt; }

    /// Returns the names of the reasons for which handle() refuses commands: the first one names first_own_reason, the
    /// next one first_own_reason + 1. The rules are those of parameters().
    [[nodiscard]] virtual std::span<const std::string_view> reasons() const { return {}; }

    /// Comes once a block, before its commands and before the first render(). context.events().frame() is the block's
    /// first frame, and the parameters have the values of this block.
    virtual void begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING { (void)context; }

    /// Acts on a command, before the frame at which it applies is rendered, and returns what became of it. The engine
    /// passes no kinds below kind::first_processor. A simple processor returns a bool: see Outcome.
    virtual Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING = 0;

    /// Takes back a command that will never be applied: it was cancelled, was late and dropped, found no room in the
    /// schedule, or waited when the engine was closed. Every command that the engine reads, and every message that it
    /// scheduled, comes once: to handle() or to this. Here, `context` neither schedules nor cancels.
    /// It runs on the audio thread or, in Engine::close(), on the control thread that closes, while no block runs.
    virtual void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
        (void)command;
        (void)context;
    }

    /// Fills every sample of the outputs of `block`: a whole block, a segment of one between two cues, or a piece of
    /// one that is larger than the prepared format's. `block` has the prepared format's inputs and outputs. A sample of
    /// either that is NaN or infinite becomes 0, and is counted. In render() and handle(), denormal numbers are zero.
    virtual void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING = 0;

  private:
    friend class OwnedProcessor;  // it claims the processor for one engine
    std::atomic<bool> claimed_ = false;
    std::uint32_t hand_over_ = 1;  // at which its next engine's handles of buffers begin
};

/// Handles no message and renders silence.
class SilenceProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return std::span<const Kind>{}; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t index = 0; index < block.outputs.size(); ++index) {
            std::ranges::fill(block.output(index), 0.0F);
        }
    }
};

}  // namespace cueline
