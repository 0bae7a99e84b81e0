// stepped_device.hpp: a device whose blocks read commands as on a sound card, and run when the test calls render().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <cueline/device.hpp>

#include "devices/audio_buffers.hpp"

namespace cueline::test {

/// A block reads at most the engine's budget, and the schedule does not grow. On the offline device, both have no
/// limit.
class SteppedDevice final : public Device {
  public:
    explicit SteppedDevice(const Format& format) : format_{format}, buffers_{format} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "stepped"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override { callback_ = &callback; }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }
    void require_on_demand() const override {}

    std::size_t render(std::span<float> interleaved) override {
        const std::size_t wanted = interleaved.size();
        while (!interleaved.empty()) {
            const std::size_t left = interleaved.size() / format_.channels;
            const AudioBlock block =
                buffers_.block(static_cast<std::uint32_t>(std::min<std::size_t>(left, format_.blocksize)));
            callback_->process(block, ++block_ns_);
            for (std::size_t sample = 0; sample < std::size_t{block.frames} * format_.channels; ++sample) {
                interleaved[sample] = block.channel(sample % format_.channels)[sample / format_.channels];
            }
            interleaved = interleaved.subspan(std::size_t{block.frames} * format_.channels);
        }
        return wanted;
    }

  private:
    Format format_;
    AudioBuffers buffers_;
    BlockCallback* callback_ = nullptr;
    std::uint64_t block_ns_ = 0;
};

}  // namespace cueline::test
