// step_device.hpp: a device that runs a block when the test calls it, with the formats that the test sets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <cueline/device.hpp>

namespace cueline::test {

/// A block reads at most the engine's budget, and the schedule does not grow, as on a sound card. (On the offline
/// device, neither has a limit.)
class StepDevice final : public Device {
  public:
    explicit StepDevice(const Format& format, bool heard = false) : format_{format}, heard_{heard} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "step"; }
    [[nodiscard]] MidiPorts midi_ports() const noexcept override { return midi; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override {
        callback.prepare(format_);
        callback_ = &callback;
    }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] bool is_heard() const noexcept override { return heard_; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    void require_on_demand() const override {}

    /// Runs blocks until `interleaved` is full.
    std::size_t render(std::span<float> interleaved, std::span<const float> = {}) override {
        const std::size_t wanted = interleaved.size() / format_.outputs;
        while (!interleaved.empty()) {
            const std::size_t frames = std::min<std::size_t>(interleaved.size() / format_.outputs, format_.blocksize);
            run(static_cast<std::uint32_t>(frames));
            for (std::size_t sample = 0; sample < frames * format_.outputs; ++sample) {
                interleaved[sample] = channels_[sample % format_.outputs][sample / format_.outputs];
            }
            interleaved = interleaved.subspan(frames * format_.outputs);
        }
        return wanted;
    }

    /// Runs a block of `frames` frames, and returns its first channel.
    const std::vector<float>& run(std::uint32_t frames) {
        channels_.assign(format_.outputs, std::vector<float>(frames, 9.0F));
        std::vector<float*> pointers;
        for (std::vector<float>& channel : channels_) pointers.push_back(channel.data());
        callback_->process({.outputs = pointers, .frames = frames}, ++block_ns_);
        return channels_.front();
    }
    const std::vector<float>& run() { return run(format_.blocksize); }

    /// As a server does while blocks run.
    void change_blocksize(std::uint32_t frames) {
        format_.blocksize = frames;
        callback_->blocksize_changed(frames);
    }

    /// As a device's helper does between two blocks: it stores the new format, and then it prepares.
    void change(const Format& format) {
        format_ = format;
        callback_->prepare(format);
    }

    [[nodiscard]] BlockCallback& callback() const { return *callback_; }

    MidiPorts midi;  ///< set it before an engine is made

  private:
    Format format_;
    bool heard_;
    BlockCallback* callback_ = nullptr;
    std::uint64_t block_ns_ = 0;
    std::vector<std::vector<float>> channels_;  // of the last block
};

}  // namespace cueline::test
