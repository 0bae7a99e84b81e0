// swaps.hpp: fills 2000 slots, then swaps 1000 of their buffers a second. The audio thread reads every sample.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/null_device.hpp"
#include "engine/buffer_pool.hpp"
#include "progress.hpp"

namespace cueline::test {

/// Counts of the buffers.
struct SwapAccount {
    std::uint64_t published = 0;
    std::uint64_t refused = 0;
    std::uint64_t broken = 0;     ///< samples that differ from the published ones
    std::uint64_t kept = 0;       ///< buffers that are neither in a slot nor returned
    std::uint64_t unhandled = 0;  ///< commands that the engine did not handle
};

enum class SwapMutant : std::uint8_t { none, scribbles, leaks };

/// Reads all samples in its slots. All samples of a buffer have the same value.
class ReadingProcessor final : public Processor {
  public:
    static constexpr std::uint32_t slots = 2000;

    void prepare(const Format&) override {}
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        for (std::uint32_t slot = 0; slot < slots; ++slot) {
            const Buffer* const buffer = context.buffer(slot);
            if (buffer == nullptr || buffer->serial == seen_[slot]) continue;
            seen_[slot] = buffer->serial;
            for (const float sample : buffer->interleaved) {
                if (sample != buffer->sample(0, 0)) broken_.add(1);
            }
        }
    }
    [[nodiscard]] std::uint64_t broken() const { return broken_.get(); }

  private:
    SilenceProcessor quiet_;
    Counter broken_;
    std::array<std::uint64_t, slots> seen_{};
};

/// Fills all slots, then publishes 1000 buffers a second, of 1 to 2048 frames, until it is over. Stops and starts the
/// engine sometimes. Counts when all buffers in flight have returned.
inline void swap_buffers(SwapAccount& account, SwapMutant mutant, std::uint64_t seed, Progress& progress) {
    using Clock = std::chrono::steady_clock;
    auto own = std::make_unique<ReadingProcessor>();
    const ReadingProcessor& processor = *own;
    Engine engine{std::make_unique<NullDevice>(Format{.blocksize = 64}), std::move(own)};
    engine.start();

    std::mt19937_64 random{seed};
    std::vector<std::unique_ptr<LockedSamples>> leaked;
    std::vector<float> samples;
    auto next = Clock::now();
    for (std::uint64_t number = 1; !progress.over; ++number) {
        samples.assign(2 * (1 + random() % 2048), static_cast<float>(number % 1000));
        const bool fills = number <= ReadingProcessor::slots;
        if (mutant == SwapMutant::scribbles && number % 10 == 1) samples.back() += 1;
        const auto slot = static_cast<std::int64_t>((fills ? number : random()) % ReadingProcessor::slots);
        const bool empties = !fills && number % 50 == 0;
        const Status status = empties ? engine.publish_nothing(slot) : engine.publish(slot, samples, 2);
        if (status == Status::full) ++account.refused;
        progress.swaps = number;
        if (mutant == SwapMutant::leaks) leaked.push_back(std::make_unique<LockedSamples>(samples));
        if (fills) {  // as fast as the blocks read the commands
            if (number % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{20});
            next = Clock::now();
            continue;
        }
        if (number % 5000 == 0) {
            engine.stop();
            engine.start();
        }
        next += std::chrono::milliseconds{1};
        std::this_thread::sleep_until(next);
    }

    look_for_1000_blocks(engine, [&] { return engine.stats().buffers.in_use <= ReadingProcessor::slots; });
    const EngineStats stats = engine.stats();
    account.published = stats.buffers.published;
    account.broken = processor.broken();
    if (stats.buffers.in_use > ReadingProcessor::slots) account.kept = stats.buffers.in_use - ReadingProcessor::slots;
    account.unhandled = stats.unhandled;
}

}  // namespace cueline::test
