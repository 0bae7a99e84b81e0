// changing_format_test.cpp: a device's format changes while the engine runs, and a processor fails to prepare for it.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>

#include "processors.hpp"
#include "refusal.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Format small{.samplerate = 48'000, .outputs = 2, .blocksize = 128};
constexpr Format large{.samplerate = 48'000, .outputs = 2, .blocksize = 1024};

/// Renders the running number of each frame. Notes the formats that it was prepared for, and the greatest piece that it
/// had to render. Fails to prepare while `fails` is true.
class NotingProcessor final : public Processor {
  public:
    void prepare(const Format& format) override {
        if (fails) throw std::runtime_error{"no memory"};
        prepared.push_back(format);
    }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        pieces.raise_to(block.frames);
        for (float* const channel : block.outputs) {
            for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
                channel[frame] = static_cast<float>(block.frame + frame);
            }
        }
    }

    bool fails = false;
    std::vector<Format> prepared;
    Counter pieces;
};

class ChangingFormat : public testing::Test {
  protected:
    explicit ChangingFormat(const Format& format = small) : ChangingFormat{std::make_unique<StepDevice>(format)} {}
    explicit ChangingFormat(std::unique_ptr<StepDevice> opened)
        : device{*opened}, processor{std::make_shared<NotingProcessor>()}, engine{std::move(opened), processor} {
        engine.start();
    }

    /// The block sizes of all format_changed since the last call.
    std::vector<std::uint32_t> reported() {
        std::vector<std::uint32_t> sizes;
        Message event;
        while (engine.control().receive(event) == Status::ok) {
            if (event.kind == cueline::kind::format_changed) sizes.push_back(event.as<FormatChanged>().blocksize);
        }
        return sizes;
    }
    static std::vector<float> numbers(std::uint32_t from, std::uint32_t frames) {
        std::vector<float> all;
        for (std::uint32_t frame = from; frame < from + frames; ++frame) all.push_back(static_cast<float>(frame));
        return all;
    }

    StepDevice& device;
    std::shared_ptr<NotingProcessor> processor;
    Engine engine;
};

TEST_F(ChangingFormat, a_failed_prepare_is_repeated_before_the_next_block) {
    EXPECT_EQ(device.run(), numbers(0, 128));
    processor->fails = true;
    EXPECT_THROW(device.change(large), std::runtime_error);
    engine.stop();

    EXPECT_EQ(refusal<std::runtime_error>([&] { engine.start(); }), "no memory");
    processor->fails = false;
    engine.start();
    EXPECT_EQ(processor->prepared, (std::vector<Format>{small, large}));
    EXPECT_EQ(device.run(), numbers(128, 1024));
    EXPECT_EQ(reported(), (std::vector<std::uint32_t>{1024}));
}

TEST_F(ChangingFormat, no_block_runs_the_processor_after_a_failed_prepare) {
    processor->fails = true;
    EXPECT_THROW(device.change(large), std::runtime_error);
    EXPECT_EQ(device.run(), std::vector<float>(1024, 0.0F));  // a device that goes on nevertheless
    EXPECT_EQ(processor->pieces.get(), 0U);
    EXPECT_EQ(engine.now(), 0U) << "frames that were not rendered do not count";
}

TEST_F(ChangingFormat, going_back_after_a_failed_prepare_prepares_again) {
    processor->fails = true;
    EXPECT_THROW(device.change(large), std::runtime_error);
    processor->fails = false;
    device.change(small);
    EXPECT_EQ(processor->prepared, (std::vector<Format>{small, small})) << "what it had may be gone";
    EXPECT_EQ(device.run(), numbers(0, 128));
    EXPECT_TRUE(reported().empty()) << "the blocks never had another format";
}

TEST_F(ChangingFormat, a_smaller_block_renders_at_once) {
    device.change_blocksize(32);
    EXPECT_EQ(device.run(), numbers(0, 32));
    EXPECT_EQ(processor->pieces.get(), 32U);
    EXPECT_EQ(reported(), (std::vector<std::uint32_t>{32}));
}

TEST_F(ChangingFormat, a_larger_block_renders_in_pieces_of_the_prepared_size) {
    device.change_blocksize(1000);
    EXPECT_EQ(device.run(), numbers(0, 1000));
    EXPECT_EQ(processor->pieces.get(), 128U);
    EXPECT_EQ(processor->prepared.size(), 1U);
    EXPECT_EQ(engine.stats().blocks, 1U);
    EXPECT_EQ(engine.stats().frames, 1000U);
    EXPECT_EQ(reported(), (std::vector<std::uint32_t>{1000}));
}

TEST_F(ChangingFormat, a_block_size_is_reported_once) {
    for (const std::uint32_t size : {128U, 1024U, 1024U, 64U}) device.change_blocksize(size);
    EXPECT_EQ(reported(), (std::vector<std::uint32_t>{1024, 64}));
}

TEST_F(ChangingFormat, a_start_prepares_for_the_block_size_that_came_meanwhile) {
    device.change_blocksize(1024);
    engine.stop();
    engine.start();
    EXPECT_EQ(processor->prepared, (std::vector<Format>{small, large}));
    device.run();
    EXPECT_EQ(processor->pieces.get(), 1024U);
    EXPECT_EQ(reported(), (std::vector<std::uint32_t>{1024})) << "the start brings no second event";
}

TEST_F(ChangingFormat, a_start_in_the_same_format_prepares_nothing) {
    engine.stop();
    engine.start();
    device.change(small);
    EXPECT_EQ(processor->prepared.size(), 1U);
    EXPECT_TRUE(reported().empty());
}

TEST_F(ChangingFormat, a_new_sample_rate_is_prepared_and_reported) {
    device.change({.samplerate = 96'000, .outputs = 2, .blocksize = 128});
    EXPECT_EQ(processor->prepared.back().samplerate, 96'000U);
    device.run();
    EXPECT_EQ(engine.block_time().samplerate, 96'000U);
    EXPECT_EQ(reported().size(), 1U);
}

TEST_F(ChangingFormat, a_block_with_other_channels_is_silent) {
    std::vector<float> samples(64, 9.0F);
    std::vector<float*> channels(3, samples.data());
    device.callback().process({.outputs = channels, .frames = 64}, 1);
    EXPECT_EQ(samples, std::vector<float>(64, 0.0F));
    EXPECT_EQ(processor->pieces.get(), 0U);
}

TEST(ChangingFormats, a_cue_applies_at_its_frame_in_a_block_of_pieces) {
    const auto heard = [](std::uint32_t blocksize) {
        auto opened = std::make_unique<StepDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize});
        StepDevice& device = *opened;
        Engine engine{std::move(opened), std::make_unique<WaveProcessor>()};
        engine.start();
        for (const std::uint64_t frame : {100U, 128U, 777U}) {
            engine.control().send(kind::set_level, 1.0F / static_cast<float>(frame), {.frame = frame});
        }
        return device.run(1024);
    };
    EXPECT_EQ(heard(128), heard(1024));
}

TEST(ChangingFormats, a_block_of_no_frames_is_refused) {
    EXPECT_EQ(refusal<ArgumentError>([] {
                  Engine{std::make_unique<StepDevice>(Format{.blocksize = 0}), std::make_unique<WaveProcessor>()};
              }),
              "blocksize must be from 1 to 4294967295 frames, got 0");
}

}  // namespace
}  // namespace cueline::test
