// inputs_test.cpp: what comes in: an effect over an array, the loopback, a passthrough, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine_messages.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "offline_playing.hpp"
#include "patience.hpp"
#include "processors/passthrough_processor.hpp"
#include "refusal.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Kind set_gain = 300;

/// A delay with feedback, on one channel: y[n] = gain * x[n] + y[n - 100] / 2. `gain` changes at cues.
class Echo final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        gain_ = command.as<float>();
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            float& before = line_[place_++ % line_.size()];
            before = gain_ * block.input(0)[frame] + before / 2;
            block.output(0)[frame] = before;
        }
    }

  private:
    std::array<float, 100> line_{};
    std::size_t place_ = 0;
    float gain_ = 1;
};

/// An engine on an offline device with these formats, started.
struct Offline {
    explicit Offline(std::unique_ptr<Processor> processor, const Format& format,
                     std::span<const std::uint32_t> loopback = {})
        : engine{std::make_unique<Engine>(std::make_unique<OfflineDevice>(format, loopback), std::move(processor))} {
        engine->start();
    }
    [[nodiscard]] std::vector<float> render(std::size_t samples, std::span<const float> inputs) const {
        std::vector<float> outputs(samples);
        engine->device().render(outputs, inputs);
        return outputs;
    }
    std::unique_ptr<Engine> engine;
};

TEST(Inputs, an_effect_with_cues_renders_the_same_samples_in_blocks_of_any_size) {
    const std::vector<float> input = ramp(5'000);
    const std::vector<std::pair<std::uint64_t, float>> gains{{70, 0.5F}, {333, 2.0F}, {334, 0.25F}, {4'096, 1.0F}};
    std::vector<float> expected = input;
    for (std::size_t frame = 0; frame < input.size(); ++frame) {
        float gain = 1;
        for (const auto& [from, next] : gains) gain = frame >= from ? next : gain;
        expected[frame] = gain * input[frame] + (frame < 100 ? 0 : expected[frame - 100] / 2);
    }
    for (const std::uint32_t blocksize : {1U, 16U, 64U, 100U, 333U, 4'096U}) {
        const Offline offline{std::make_unique<Echo>(), {.inputs = 1, .outputs = 1, .blocksize = blocksize}};
        for (const auto& [frame, gain] : gains) {
            ASSERT_EQ(offline.engine->control().send(set_gain, gain, {.frame = frame}), Status::ok);
        }
        EXPECT_EQ(offline.render(input.size(), input), expected) << "blocks of " << blocksize;
    }
}

TEST(Inputs, a_block_larger_than_the_prepared_one_passes_its_inputs_in_pieces) {
    auto device = std::make_unique<StepDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 64});
    const StepDevice& step = *device;
    Engine engine{std::move(device), std::make_unique<PassthroughProcessor>()};
    engine.start();
    const std::vector<float> input = ramp(1'000);
    std::vector<float> output(1'000);
    const std::array<const float*, 1> inputs{input.data()};
    const std::array<float*, 1> outputs{output.data()};
    step.callback().process({.inputs = inputs, .outputs = outputs, .frames = 1'000}, 1);
    EXPECT_EQ(output, input);
}

TEST(Inputs, a_block_with_another_number_of_inputs_is_silent) {
    auto device = std::make_unique<StepDevice>(Format{.inputs = 2, .outputs = 1, .blocksize = 64});
    const StepDevice& step = *device;
    Engine engine{std::move(device), std::make_unique<PassthroughProcessor>()};
    engine.start();
    const std::vector<float> input = ramp(64);
    std::vector<float> output(64, 1);
    const std::array<const float*, 1> inputs{input.data()};
    const std::array<float*, 1> outputs{output.data()};
    step.callback().process({.inputs = inputs, .outputs = outputs, .frames = 64}, 1);
    EXPECT_EQ(output, std::vector<float>(64));
    EXPECT_EQ(engine.stats().frames, 0U);
}

TEST(Inputs, offline_ones_that_are_missing_are_silent_and_more_are_left_out) {
    const Offline offline{std::make_unique<PassthroughProcessor>(), {.inputs = 1, .outputs = 1, .blocksize = 64}};
    const std::vector<float> input = ramp(150);
    std::vector<float> expected = input;
    expected.resize(300);
    EXPECT_EQ(offline.render(300, input), expected);
    expected.resize(100);
    EXPECT_EQ(offline.render(100, input), expected);
    EXPECT_EQ(offline.render(70, {}), std::vector<float>(70)) << "nothing of the input before is left";
}

TEST(Inputs, without_outputs_the_inputs_say_how_many_frames_are_rendered) {
    const Offline offline{std::make_unique<PassthroughProcessor>(), {.inputs = 2, .outputs = 0, .blocksize = 64}};
    EXPECT_EQ(offline.engine->device().render({}, ramp(300)), 150U);
    EXPECT_EQ(offline.engine->stats().frames, 150U);
}

TEST(Inputs, the_offline_device_refuses_what_it_does_not_take) {
    const auto said = [](const Format& format, std::size_t outputs, std::size_t inputs,
                         std::vector<std::uint32_t> loopback = {}) {
        return refusal<ArgumentError>([&] {
            std::vector<float> rendered(outputs);
            OfflineDevice{format, loopback}.render(rendered, std::vector<float>(inputs));
        });
    };
    EXPECT_EQ(said({.inputs = 2, .outputs = 1}, 10, 3),
              "render() needs a whole number of frames of 2 inputs, got 3 samples");
    EXPECT_EQ(said({.inputs = 0, .outputs = 1}, 10, 3),
              "render() needs a whole number of frames of 0 inputs, got 3 samples");
    EXPECT_EQ(said({.inputs = 1, .outputs = 1}, 10, 3, {0}),
              "render() takes no inputs from a device with a loopback: its outputs are its inputs");
}

TEST(Inputs, samples_that_are_not_finite_become_0_and_the_devices_memory_stays_as_it_is) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Offline offline{std::make_unique<PassthroughProcessor>(), {.inputs = 2, .outputs = 2, .blocksize = 64}};
    // A cue divides the second block, between two bad samples.
    ASSERT_EQ(offline.engine->control().send(kind::ping, Ping{}, {.frame = 80}), Status::ok);
    std::vector<float> input = ramp(512);
    std::vector<float> expected = input;
    const auto break_sample = [&](std::size_t frame, std::size_t channel, float bad) {
        input[frame * 2 + channel] = bad;
        expected[frame * 2 + channel] = 0;
    };
    break_sample(70, 0, nan);
    break_sample(90, 0, infinity);
    break_sample(90, 1, -infinity);
    break_sample(200, 1, -nan);
    EXPECT_EQ(offline.render(512, input), expected);

    EXPECT_EQ(offline.engine->stats().not_finite_inputs, 4U);
    EXPECT_EQ(offline.engine->stats().not_finite, 0U) << "the processor rendered none";
    std::vector<Message> events;
    Message event;
    while (offline.engine->control().receive(event) == Status::ok) {
        if (event.kind == kind::not_finite) events.push_back(event);
    }
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].frame, 70U);
    EXPECT_EQ(events[0].as<NotFinite>().inputs, 3U);
    EXPECT_EQ(events[0].as<NotFinite>().samples, 0U);
    EXPECT_EQ(events[1].frame, 200U);
    EXPECT_EQ(events[1].as<NotFinite>().inputs, 1U);
}

TEST(Inputs, a_devices_samples_are_not_written) {
    auto device = std::make_unique<StepDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 64});
    const StepDevice& step = *device;
    Engine engine{std::move(device), std::make_unique<PassthroughProcessor>()};
    engine.start();
    std::vector<float> input(64, std::numeric_limits<float>::infinity());
    const std::vector<float> before = input;
    std::vector<float> output(64, 1);
    const std::array<const float*, 1> inputs{input.data()};
    const std::array<float*, 1> outputs{output.data()};
    step.callback().process({.inputs = inputs, .outputs = outputs, .frames = 64}, 1);
    EXPECT_EQ(output, std::vector<float>(64));
    EXPECT_EQ(input, before);
}

/// Its outputs are the frame's number, from 1. It counts the inputs that are not the number of the frame one block ago.
class Numbers final : public Processor {
  public:
    void prepare(const Format& format) override { delay_ = format.blocksize; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const std::uint64_t number = block.frame + frame + 1;
            for (float* const output : block.outputs) output[frame] = static_cast<float>(number);
            const float expected = number > delay_ ? static_cast<float>(number - delay_) : 0;
            for (const float* const input : block.inputs) wrong.add(input[frame] == expected ? 0 : 1);
        }
    }
    Counter wrong;

  private:
    std::uint64_t delay_ = 0;
};

TEST(Loopback, an_output_comes_back_one_block_later_even_if_blocks_are_shorter) {
    auto processor = std::make_unique<Numbers>();
    const Numbers& numbers = *processor;
    const std::array<std::uint32_t, 2> loopback{1, 0};
    const Offline offline{std::move(processor), {.inputs = 2, .outputs = 2, .blocksize = 64}, loopback};
    for (const std::size_t frames : {64U, 1U, 63U, 200U, 7U, 128U, 64U})
        static_cast<void>(offline.render(frames * 2, {}));
    EXPECT_EQ(offline.engine->stats().frames, 527U);
    EXPECT_EQ(numbers.wrong.get(), 0U);
    EXPECT_EQ(offline.engine->latency().input, 64U);
    EXPECT_EQ(offline.engine->latency().output, 0U);
}

TEST(Loopback, the_null_device_passes_each_output_back_across_a_stop) {
    auto processor = std::make_unique<Numbers>();
    const Numbers& numbers = *processor;
    const std::array<std::uint32_t, 1> loopback{0};
    Engine engine{std::make_unique<NullDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 32}, loopback),
                  std::move(processor)};
    for (int round = 1; round <= 3; ++round) {
        engine.start();
        EXPECT_TRUE(eventually([&] { return engine.stats().blocks > 50ULL * static_cast<unsigned>(round); }));
        engine.stop();
    }
    EXPECT_EQ(numbers.wrong.get(), 0U);
    EXPECT_EQ(engine.latency().input, 32U);
}

/// Each output is its own number, from 1. It keeps the inputs of the last frame.
class Ends final : public Processor {
  public:
    explicit Ends(std::vector<float>& inputs) : inputs_{inputs} {}
    void prepare(const Format& format) override { inputs_.resize(format.inputs); }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t index = 0; index < block.inputs.size(); ++index) inputs_[index] = block.input(index).back();
        for (std::size_t index = 0; index < block.outputs.size(); ++index) {
            std::ranges::fill(block.output(index), static_cast<float>(index + 1));
        }
    }

  private:
    std::vector<float>& inputs_;
};

TEST(Loopback, an_input_gets_the_output_with_its_number_and_otherwise_silence) {
    using List = std::vector<std::int64_t>;
    const auto heard = [](const Channels& inputs, const Channels& outputs) {
        std::vector<float> last;
        Engine engine{open_device({.device = "offline", .inputs = inputs, .outputs = outputs, .loopback = true}),
                      std::make_unique<Ends>(last)};
        engine.start();
        std::vector<float> rendered(std::size_t{engine.format().outputs} * 2 * engine.format().blocksize);
        engine.device().render(rendered);
        return last;
    };
    EXPECT_EQ(heard(2, 2), (std::vector<float>{1, 2}));
    EXPECT_EQ(heard(3, 2), (std::vector<float>{1, 2, 0}));
    EXPECT_EQ(heard(List{2}, 2), (std::vector<float>{2}));
    EXPECT_EQ(heard(List{7, 1, 3}, List{3, 7}), (std::vector<float>{2, 0, 1}));
}

TEST(Loopback, needs_inputs_and_a_device_of_ours) {
    EXPECT_EQ(refusal<ArgumentError>([] { open_device({.device = "null", .loopback = true}); }),
              "loopback needs inputs, and there are none: request inputs=2");
    EXPECT_EQ(refusal<ArgumentError>([] { open_device({.device = "jack", .inputs = 1, .loopback = true}); }),
              "loopback is for the devices 'null' and 'offline': leave it out, or request such a device");
}

TEST(Passthrough, equals_its_inputs_in_blocks_of_any_size) {
    const std::vector<float> input = ramp(18'000);
    for (std::uint32_t blocksize = 16; blocksize <= 4'096; blocksize *= 2) {
        const Offline offline{std::make_unique<PassthroughProcessor>(),
                              {.inputs = 3, .outputs = 3, .blocksize = blocksize}};
        EXPECT_EQ(offline.render(input.size(), input), input) << "blocks of " << blocksize;
    }
}

TEST(Passthrough, one_input_goes_to_all_outputs_and_outputs_without_an_input_are_silent) {
    const auto first_frame = [](std::uint32_t inputs, std::uint32_t outputs, std::vector<float> input) {
        const Offline offline{std::make_unique<PassthroughProcessor>(), {.inputs = inputs, .outputs = outputs}};
        return offline.render(outputs, input);
    };
    EXPECT_EQ(first_frame(1, 3, {0.5F}), (std::vector<float>{0.5F, 0.5F, 0.5F}));
    EXPECT_EQ(first_frame(2, 3, {0.5F, 0.25F}), (std::vector<float>{0.5F, 0.25F, 0}));
    EXPECT_EQ(first_frame(3, 2, {0.5F, 0.25F, 1}), (std::vector<float>{0.5F, 0.25F}));
    EXPECT_EQ(first_frame(0, 2, {}), (std::vector<float>{0, 0}));
}

TEST(Channels, are_refused_out_of_range_twice_or_if_there_are_none) {
    using List = std::vector<std::int64_t>;
    const auto said = [](const Channels& inputs, const Channels& outputs) {
        return refusal<ArgumentError>([&] {
            const Engine engine{open_device({.device = "offline", .inputs = inputs, .outputs = outputs}),
                                std::make_unique<SilenceProcessor>()};
        });
    };
    EXPECT_EQ(said(65, 2), "inputs must be from 0 to 64, got 65");
    EXPECT_EQ(said(0, -1), "outputs must be from 0 to 64, got -1");
    EXPECT_EQ(said(List(65, 1), 2), "the number of inputs must be from 0 to 64, got 65");
    EXPECT_EQ(said(List{1, 0}, 2), "a channel of inputs must be from 1 to 1024, got 0");
    EXPECT_EQ(said(0, List{3, 1, 3}), "outputs must be different channels, got 3 twice");
    EXPECT_EQ(said(0, List{}), "an engine needs inputs or outputs, got none of either: request outputs=2");
    EXPECT_EQ(said(64, List{1'024, 1}), "not refused");
    EXPECT_EQ(said(1, 0), "not refused");
}

}  // namespace
}  // namespace cueline::test
