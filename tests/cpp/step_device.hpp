// step_device.hpp: a device whose blocks, formats and loss are the test's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <cueline/device.hpp>

namespace cueline::test {

/// The caller of run() runs its blocks. It keeps the last one, so that the test can look at it.
class StepDevice final : public Device {
  public:
    explicit StepDevice(const Format& format, bool heard = false) : format_{format}, heard_{heard} {}

    [[nodiscard]] std::string_view name() const noexcept override { return "step"; }
    [[nodiscard]] Format format() const noexcept override { return format_; }
    void start(BlockCallback& callback) override {
        callback.prepare(format_);
        callback_ = &callback;
    }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] bool is_heard() const noexcept override { return heard_; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {}; }

    /// Runs a block of `frames` frames, and returns its first channel.
    const std::vector<float>& run(std::uint32_t frames) {
        channels_.assign(format_.channels, std::vector<float>(frames, 9.0F));
        std::vector<float*> pointers;
        for (std::vector<float>& channel : channels_) pointers.push_back(channel.data());
        callback_->process({.channels = pointers, .frames = frames}, 1);
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

  private:
    Format format_;
    bool heard_;
    BlockCallback* callback_ = nullptr;
    std::vector<std::vector<float>> channels_;
};

}  // namespace cueline::test
