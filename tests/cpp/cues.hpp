// cues.hpp: an engine whose samples show which commands came before them, on the offline device and as on a live one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/offline_device.hpp"
#include "processors.hpp"
#include "step_device.hpp"

namespace cueline::test {

/// Renders the level that kind::set_level sets, so that each sample shows the cues before it.
class LevelProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != kind::set_level) return false;
        level_ = command.as<float>();
        ++handled_;
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
            std::ranges::fill(block.output(channel), level_);
        }
    }
    [[nodiscard]] std::uint64_t handled() const { return handled_; }

  private:
    float level_ = 0;
    std::uint64_t handled_ = 0;
};

class Cues : public testing::Test {
  protected:
    Cues() : Cues{std::make_unique<OfflineDevice>(format), default_budget} {}
    Cues(std::unique_ptr<Device> device, std::int64_t budget) { make(std::move(device), budget); }
    void make(std::unique_ptr<Device> device, std::int64_t budget, std::int64_t lines = default_lines) {
        auto processor = std::make_unique<LevelProcessor>();
        device_ = device.get();
        processor_ = processor.get();
        engine_ = std::make_unique<Engine>(std::move(device), std::move(processor), budget, lines);
        engine_->start();
    }

    std::vector<float> render(std::size_t frames) {
        std::vector<float> audio(frames);
        device_->render(audio);
        return audio;
    }
    Status set(float level, std::uint64_t frame, std::uint8_t flags = 0) {
        return control().send(kind::set_level, level, {.frame = frame, .flags = flags});
    }
    [[nodiscard]] Line& control() const { return engine_->control(); }
    [[nodiscard]] CueStats counts() const { return engine_->stats().cues; }

    std::vector<Message> events() {
        std::vector<Message> all;
        Message message;
        while (control().receive(message) == Status::ok) all.push_back(message);
        return all;
    }
    std::vector<Message> confirmations() {
        std::vector<Message> all;
        Message message;
        while (control().receive_confirmation(message) == Status::ok) all.push_back(message);
        return all;
    }
    Message confirmation() {
        const std::vector<Message> all = confirmations();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? Message{} : all.front();
    }

    static constexpr Format format{.samplerate = 48'000, .outputs = 1, .blocksize = 64};

    Device* device_ = nullptr;
    const LevelProcessor* processor_ = nullptr;
    std::unique_ptr<Engine> engine_;
};

/// A block reads at most its budget, and the schedule has room for 1024 of a line.
class LiveCues : public Cues {
  protected:
    explicit LiveCues(std::int64_t budget = default_budget) : Cues{std::make_unique<StepDevice>(format), budget} {}
};

class SmallBudget : public LiveCues {
  protected:
    SmallBudget() : LiveCues{4} {}
};

}  // namespace cueline::test
