// offline_playing.hpp: renders a processor on the offline device, and makes sounds for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/offline_device.hpp"

namespace cueline::test {

/// An engine with this processor on the offline device, and all output so far.
template <class ProcessorType>
class OfflinePlaying {
  public:
    /// `arguments` are the processor's.
    template <class... Arguments>
    OfflinePlaying(std::uint32_t blocksize, std::uint32_t channels, Arguments... arguments)
        : OfflinePlaying{std::make_shared<ProcessorType>(arguments...), blocksize, channels} {}
    explicit OfflinePlaying(std::shared_ptr<ProcessorType> processor, std::uint32_t blocksize = 64,
                            std::uint32_t channels = 1)
        : OfflinePlaying{std::make_unique<OfflineDevice>(Format{.outputs = channels, .blocksize = blocksize}),
                         std::move(processor), channels} {}

    void publish(std::int64_t slot, std::span<const float> samples, std::int64_t channels = 1, std::uint64_t at = 0) {
        EXPECT_EQ(engine_->publish(slot, samples, channels, {.frame = at}), Status::ok);
    }
    void publish_nothing(std::int64_t slot, std::uint64_t at = 0) {
        EXPECT_EQ(engine_->publish_nothing(slot, {.frame = at}), Status::ok);
    }
    template <class Command>
    void send(const Command& command, std::uint64_t at = 0) {
        EXPECT_EQ(engine_->control().send(Command::kind, command, {.frame = at}), Status::ok);
    }
    template <class Command>
    void confirm(const Command& command, std::uint64_t at = 0) {
        const Delivery delivery{.frame = at, .flags = delivery::confirm};
        EXPECT_EQ(engine_->control().send(Command::kind, command, delivery), Status::ok);
    }
    std::vector<Message> confirmations() {
        std::vector<Message> all;
        Message confirmation;
        while (engine_->control().receive_confirmation(confirmation) == Status::ok) all.push_back(confirmation);
        return all;
    }
    void send(Kind kind, const auto& payload) { EXPECT_EQ(engine_->control().send(kind, payload), Status::ok); }
    BufferHandle load_buffer(std::span<const float> samples, std::int64_t channels = 1) {
        const auto handle = engine_->load_buffer(samples, channels);
        EXPECT_TRUE(handle.has_value());
        return handle.value_or(no_buffer);
    }
    void set(std::size_t parameter, double value) { engine_->controls().set(parameter, value); }
    [[nodiscard]] MeterValue meter(std::size_t number) { return engine_->controls().read(number); }

    /// Interleaved frames.
    std::vector<float> render(std::size_t frames) {  // NOLINT(readability-make-member-function-const): it plays on
        std::vector<float> audio(frames * channels_);
        device_->render(audio);
        heard_.insert(heard_.end(), audio.begin(), audio.end());
        return audio;
    }
    /// One channel of all output so far.
    [[nodiscard]] std::vector<float> heard(std::size_t channel = 0) const {
        std::vector<float> one;
        for (std::size_t at = channel; at < heard_.size(); at += channels_) one.push_back(heard_[at]);
        return one;
    }
    std::vector<Message> events() {
        std::vector<Message> all;
        Message event;
        while (engine_->control().receive(event) == Status::ok) all.push_back(event);
        return all;
    }
    [[nodiscard]] EngineStats stats() const { return engine_->stats(); }

  private:
    OfflinePlaying(std::unique_ptr<OfflineDevice> opened, std::shared_ptr<ProcessorType> processor,
                   std::uint32_t channels)
        : channels_{channels},
          device_{opened.get()},
          engine_{std::make_unique<Engine>(std::move(opened), std::move(processor))} {
        engine_->start();
    }

    std::uint32_t channels_;
    OfflineDevice* device_;
    std::unique_ptr<Engine> engine_;  // on the heap: a test has several, and a sanitizer's frames are large
    std::vector<float> heard_;
};

/// A processor sounds in its second engine as it did in its first one. Its meters and events are the same, too. `play`
/// plays on an OfflinePlaying, and leaves it while it sounds.
template <class ProcessorType, class Play>
void expect_nothing_left(std::size_t meters, Play play) {
    const auto processor = std::make_shared<ProcessorType>();
    const auto playing = [&] {
        OfflinePlaying<ProcessorType> engine{processor};
        play(engine);
        const std::vector<float> heard = engine.heard();
        std::vector<double> found(heard.begin(), heard.end());
        for (std::size_t number = 0; number < meters; ++number) {
            for (const double field : engine.meter(number).fields) found.push_back(field);
        }
        for (const Message& event : engine.events()) {
            found.push_back(static_cast<double>(event.sequence));
            found.push_back(static_cast<double>(event.frame));
            for (const std::byte byte : event.as<std::array<std::byte, payload_bytes>>()) {
                found.push_back(std::to_integer<int>(byte));
            }
        }
        return found;
    };
    const std::vector<double> first = playing();
    EXPECT_EQ(playing(), first);
}

inline std::vector<float> ramp(std::size_t frames, float from = 1) {
    std::vector<float> samples(frames);
    for (std::size_t frame = 0; frame < frames; ++frame) samples[frame] = (from + static_cast<float>(frame)) / 4096;
    return samples;
}

/// `period` is in frames.
inline std::vector<float> sine(std::size_t frames, double period) {
    std::vector<float> samples(frames);
    for (std::size_t frame = 0; frame < frames; ++frame) {
        samples[frame] = static_cast<float>(std::sin(static_cast<double>(frame) * 2 * std::numbers::pi / period));
    }
    return samples;
}

/// The greatest difference between neighbouring samples. A click makes it greater.
inline float greatest_step(std::span<const float> samples) {
    float greatest = 0;
    for (std::size_t frame = 1; frame < samples.size(); ++frame) {
        greatest = std::max(greatest, std::abs(samples[frame] - samples[frame - 1]));
    }
    return greatest;
}

}  // namespace cueline::test
