// step_device.hpp: a device whose blocks a benchmark runs one by one, and the share of a block's time that one took.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string_view>

#include <cueline/device.hpp>
#include <cueline/monotonic.hpp>

#include "devices/audio_buffers.hpp"

namespace cueline::bench {

inline constexpr Format block_format{.samplerate = 48'000, .outputs = 2, .blocksize = 64};
inline constexpr std::chrono::nanoseconds block_duration{duration_ns(block_format.blocksize, block_format.samplerate)};

/// Runs one block per call, and does nothing else.
class StepDevice final : public Device {
  public:
    explicit StepDevice(const Format& format) : format_{format}, buffers_{format} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "step"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override { callback_ = &callback; }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    void run_block(std::uint64_t block_ns) noexcept { callback_->process(buffers_.block(format_.blocksize), block_ns); }

  private:
    Format format_;
    AudioBuffers buffers_;
    BlockCallback* callback_ = nullptr;
};

/// The measured time, as a share of the time of a block.
inline void report_share(benchmark::State& state, double block_ns) {
    state.counters["share_percent"] = 100 * block_ns / static_cast<double>(block_duration.count());
}

}  // namespace cueline::bench
