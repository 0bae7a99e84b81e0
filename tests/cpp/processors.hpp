// processors.hpp: processors for tests.
#pragma once

#include <cstdint>

#include <cueline/processor.hpp>

#include "allocation_counter.hpp"

namespace cueline::test {

namespace kind {
inline constexpr Kind set_level = cueline::kind::first_user;  // payload: float
inline constexpr Kind level_was_set = set_level + 1;          // payload: float
inline constexpr Kind flood = set_level + 2;                  // payload: std::uint32_t, events to send
inline constexpr Kind flooded = set_level + 3;                // payload: std::uint32_t, its number
}  // namespace kind

/// Renders a wave that continues from block to block, at a level that messages set. A sample that is lost, moved or
/// rendered twice shows.
class WaveProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}

    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        switch (command.kind) {
            case kind::set_level:
                level_ = command.as<float>();
                context.events().send(kind::level_was_set, level_, command);
                return true;
            case kind::flood:
                for (std::uint32_t number = 0; number < command.as<std::uint32_t>(); ++number) {
                    context.events().send(kind::flooded, number, command);
                }
                return true;
            default:
                return false;
        }
    }

    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const float sample = level_ * phase_;
            phase_ = phase_ < 1.0F ? phase_ + 0.001F : -1.0F;
            for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
                block.output(channel)[frame] = channel == 0 ? sample : -sample;
            }
        }
    }

  private:
    float level_ = 1.0F;
    float phase_ = 0.0F;
};

/// Counts what the audio thread allocates from the end of the first block on.
class WatchfulProcessor : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        note_allocations();
    }

    /// [any thread]
    [[nodiscard]] std::uint64_t allocations() const { return allocations_.get(); }

  private:
    void note_allocations() noexcept CUELINE_NONBLOCKING {
        const std::uint64_t so_far = allocations_on_this_thread();
        if (!first_) allocations_.add(so_far - current_line_);
        first_ = false;
        current_line_ = so_far;
    }

    SilenceProcessor quiet_;
    Counter allocations_;
    std::uint64_t current_line_ = 0;
    bool first_ = true;
};

}  // namespace cueline::test
