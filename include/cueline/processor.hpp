// processor.hpp: the user's DSP: prepare, handle a message, render a block.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>

#include <cueline/audio.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/process_context.hpp>

namespace cueline {

/// The user's DSP, which an engine runs: derive from it. docs/write-your-own-engine.md goes through one, from an empty
/// folder to a package for Python.
class Processor {
  public:
    Processor() = default;
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    virtual ~Processor() = default;

    /// Gets ready to render in this format: the place to allocate, and to touch the memory it will use.
    /// Once before the first block, and again whenever the device's format changes.
    /// Thread: control, or a helper of the device's, while no block runs. May allocate, throw and block.
    virtual void prepare(const Format& format) = 0;

    /// How many buffers it can be handed at once, at most max_buffer_slots: context.buffer() has those in slots 0 to
    /// one less. Asked once, after the first prepare(). Thread: control.
    [[nodiscard]] virtual std::uint32_t buffer_slots() const { return 0; }
    /// The parameters and the meters that it has, asked for once, after the first prepare(): ProcessContext offers them
    /// by their numbers here. At most 64 and 32. What is returned lives as long as the processor. Thread: control,
    /// before the first block.
    [[nodiscard]] virtual std::span<const ParameterSpec> parameters() const { return {}; }
    [[nodiscard]] virtual std::span<const MeterSpec> meters() const { return {}; }

    /// Acts on a command, before the block it came in is rendered. The engine's own kinds (below kind::first_processor)
    /// do not come here.
    /// Thread: audio. Real-time: must neither allocate, lock, block, call the system nor throw.
    /// Returns false for a kind it does not know: the engine counts it as unhandled.
    virtual bool handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING = 0;

    /// Fills every sample of `block`.
    /// Thread: audio. Real-time: must neither allocate, lock, block, call the system nor throw.
    virtual void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING = 0;

    /// Has it be one engine's, until that leaves it: no two may run it at once. An engine does so itself.
    /// Thread: any. Returns false when it is another one's.
    [[nodiscard]] bool join_engine() noexcept { return !has_engine_.exchange(true); }
    void leave_engine() noexcept { has_engine_.store(false); }

  private:
    std::atomic<bool> has_engine_ = false;
};

/// The quiet one: it knows no kinds and renders silence.
class SilenceProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    bool handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t index = 0; index < block.channels.size(); ++index) {
            std::ranges::fill(block.channel(index), 0.0F);
        }
    }
};

}  // namespace cueline
