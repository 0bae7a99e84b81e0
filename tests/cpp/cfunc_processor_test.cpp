// cfunc_processor_test.cpp: what C functions receive for a block, and what becomes of their results.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/offline_device.hpp"
#include "processors/cfunc_processor.hpp"

namespace cueline::test {
namespace {

struct Seen {
    std::uint32_t calls = 0;
    std::uint32_t max_frames = 0;
    std::uint64_t next_frame = 0;
    bool in_order = true;
    std::vector<std::array<double, 2>> array = std::vector<std::array<double, 2>>(3);  // of the last call
    std::array<std::uint64_t, 3> buffer{};                                             // in slot 1
    float first_sample = 0;
    std::uint32_t discarded = 0;
};

/// Output c of frame f is f + c times its first parameter, and the sum of the inputs.
void render(const float* inputs, std::uint32_t input_count, float* outputs, std::uint32_t output_count,
            std::uint32_t frames, std::uint64_t frame, double samplerate, const double* parameters,
            const double* arrays, double* meters, Message* events, const float* const* samples,
            const std::uint64_t* buffers, void* state) noexcept CUELINE_NONBLOCKING {
    auto& seen = *static_cast<Seen*>(state);
    ++seen.calls;
    seen.max_frames = std::max(seen.max_frames, frames);
    seen.in_order = seen.in_order && frame == seen.next_frame;
    seen.next_frame = frame + frames;
    for (std::uint32_t channel = 0; channel < output_count; ++channel) {
        for (std::uint32_t place = 0; place < frames; ++place) {
            *outputs = static_cast<float>(static_cast<double>(frame + place) + channel * parameters[place]);
            for (std::uint32_t input = 0; input < input_count; ++input) *outputs += inputs[input * frames + place];
            ++outputs;
        }
    }
    for (std::array<double, 2>& element : seen.array) {
        element = {arrays[0], arrays[1]};
        arrays += 2;
    }
    seen.buffer = {buffers[3], buffers[4], buffers[5]};
    seen.first_sample = samples[1] == nullptr ? 0 : samples[1][0];
    meters[0] += frames;
    meters[max_meter_fields + 1] = samplerate;
    if (frame == 0) {
        events[15] = Message::of(300, frames);
        events[15].frame = 5;
    }
}

/// Answers kind 301, which is applied with the value 7, refuses kind 310, and defers kind 311 to the frame that it has.
/// Applies kind 312, and schedules another message for the frame that it has.
std::int64_t handle(const Message* command, std::uint64_t frame, double /*samplerate*/, Message* events, Message* cues,
                    void* /*state*/) noexcept CUELINE_NONBLOCKING {
    if (command->kind == 310) return 2 | std::int64_t{first_own_reason + 1} << 32;
    if (command->kind == 311) {
        cues[3] = Message::of(301, 0);
        cues[3].frame = command->as<std::uint64_t>();
        return 3;
    }
    if (command->kind == 312) {
        cues[0] = Message::of(301, 0);
        cues[0].frame = command->as<std::uint64_t>();
        return 1;
    }
    if (command->kind != 301) return 0;
    events[0] = Message::of(302, frame);
    return 1 | std::int64_t{7} << 32;
}

void discarded(const Message* /*command*/, std::uint64_t /*frame*/, double /*samplerate*/, void* state) noexcept
    CUELINE_NONBLOCKING {
    ++static_cast<Seen*>(state)->discarded;
}

class CFuncs : public testing::Test {
  protected:
    void make(CFunctions::Handle knows = &handle) {
        auto device = std::make_unique<OfflineDevice>(Format{.inputs = 2, .outputs = 2, .blocksize = 32});
        device_ = device.get();
        engine_ = std::make_unique<Engine>(
            std::move(device),
            std::make_shared<CFuncProcessor>(
                CFunctions{.render = &render, .handle = knows, .discarded = &discarded, .state = &seen_},
                std::vector<CFuncProcessor::OwnParameter>{
                    {"slope", 0, 10, 1, "", 0}, {"pads", 0, 100, 0, "", 0.002, 3}, {"other", 0, 1, 0, "dB", 0.02}},
                std::vector<CFuncProcessor::OwnMeter>{{"frames", "", {"value"}}, {"rate", "Hz", {"nothing", "rate"}}},
                2U, std::vector<std::string>{"late", "no such pad"}));
        engine_->start();
    }

    std::vector<float> rendered(std::size_t frames, std::span<const float> inputs = {}) {
        std::vector<float> audio(frames * 2);
        device_->render(audio, inputs);
        return audio;
    }

    Seen seen_;
    OfflineDevice* device_ = nullptr;
    std::unique_ptr<Engine> engine_;
};

TEST_F(CFuncs, their_audio_arrives_in_each_frame_of_each_channel) {
    make();
    engine_->controls().set(0, 2);
    const std::vector<float> audio = rendered(100);
    for (std::size_t frame = 0; frame < 100; ++frame) {
        EXPECT_EQ(audio[frame * 2], static_cast<float>(frame));
        EXPECT_EQ(audio[frame * 2 + 1], static_cast<float>(frame) + 2);
    }
    EXPECT_EQ(seen_.calls, 4U);
    EXPECT_TRUE(seen_.in_order);
}

TEST_F(CFuncs, inputs_arrive_one_channel_after_the_other) {
    make();
    engine_->control().send(301, std::uint64_t{0}, {.frame = 40});  // it divides the second block
    std::vector<float> inputs(200);
    for (std::size_t sample = 0; sample < 200; ++sample) inputs[sample] = static_cast<float>(sample * sample);
    const std::vector<float> audio = rendered(100, inputs);
    for (std::size_t frame = 0; frame < 100; ++frame) {
        EXPECT_EQ(audio[frame * 2], static_cast<float>(frame) + inputs[frame * 2] + inputs[frame * 2 + 1]);
    }
}

TEST_F(CFuncs, a_cue_splits_a_block_into_two_calls) {
    make();
    engine_->control().send(301, std::uint64_t{0}, {.frame = 40});
    rendered(64);
    EXPECT_EQ(seen_.calls, 3U);
    EXPECT_EQ(seen_.max_frames, 32U);
    EXPECT_TRUE(seen_.in_order);
}

TEST_F(CFuncs, events_are_sent_with_frame_and_cause) {
    make();
    engine_->control().send(301, std::uint64_t{0}, {.frame = 40});
    rendered(64);
    Message event;
    ASSERT_EQ(engine_->control().receive(event), Status::ok);
    EXPECT_EQ(event.kind, 300);
    EXPECT_EQ(event.frame, 5U);
    EXPECT_EQ(event.as<std::uint32_t>(), 32U);
    ASSERT_EQ(engine_->control().receive(event), Status::ok);
    EXPECT_EQ(event.kind, 302);
    EXPECT_EQ(event.frame, 40U);
    EXPECT_EQ(event.sequence, 1U);
    EXPECT_EQ(event.as<std::uint64_t>(), 40U);
    EXPECT_EQ(engine_->control().receive(event), Status::empty);
}

TEST_F(CFuncs, unknown_commands_are_counted) {
    make();
    engine_->control().send(303, 0);
    rendered(32);
    EXPECT_EQ(engine_->stats().unhandled, 1U);
    make(nullptr);
    engine_->control().send(301, 0);
    rendered(32);
    EXPECT_EQ(engine_->stats().unhandled, 1U);
}

TEST_F(CFuncs, say_what_became_of_a_command) {
    make();
    Line& line = engine_->control();
    constexpr std::uint8_t confirm = delivery::confirm;
    line.send(301, 0, {.flags = confirm});
    line.send(310, 0, {.flags = confirm});
    line.send(311, std::uint64_t{50}, {.flags = confirm});
    line.send(311, std::uint64_t{0}, {.flags = confirm});  // too early
    rendered(64);
    std::array<Message, 4> all;
    for (Message& message : all) ASSERT_EQ(line.receive_confirmation(message), Status::ok);
    EXPECT_EQ(all[0].as<Applied>().value, 7U);
    EXPECT_EQ(static_cast<std::uint32_t>(all[1].as<Refused>().reason), first_own_reason + 1);
    EXPECT_EQ(all[2].as<Refused>().reason, Reason::late);
    EXPECT_EQ(all[3].sequence, 3U);
    EXPECT_EQ(all[3].frame, 50U);
    EXPECT_EQ(all[3].as<Applied>().value, 7U);
}

TEST_F(CFuncs, hear_of_a_cue_that_cannot_be_scheduled_though_its_command_was_applied) {
    make();
    Line& line = engine_->control();
    line.send(312, std::uint64_t{50}, {.flags = delivery::confirm});
    line.send(312, std::uint64_t{0}, {.flags = delivery::confirm});  // too early
    line.send(312, std::uint64_t{0});
    rendered(64);
    std::array<Message, 2> all;
    for (Message& message : all) ASSERT_EQ(line.receive_confirmation(message), Status::ok);
    EXPECT_EQ(all[0].kind, kind::applied);
    ASSERT_EQ(all[1].kind, kind::refused);
    EXPECT_EQ(all[1].as<Refused>().reason, Reason::late);
    EXPECT_EQ(engine_->stats().refused_unconfirmed, 1U);
}

TEST_F(CFuncs, take_back_what_will_not_be_applied) {
    make();
    engine_->control().send(301, 0, {.frame = 40});
    engine_->control().cancel(1);
    rendered(64);
    EXPECT_EQ(seen_.discarded, 1U);
}

TEST_F(CFuncs, get_the_buffer_in_each_slot) {
    make();
    rendered(32);
    EXPECT_EQ(seen_.buffer, (std::array<std::uint64_t, 3>{}));
    engine_->publish(1, std::vector<float>{0.5F, 0, 0, 0, 0, 0}, 2);
    rendered(32);
    EXPECT_EQ(seen_.buffer, (std::array<std::uint64_t, 3>{3, 2, 1}));
    EXPECT_EQ(seen_.first_sample, 0.5F);
    engine_->publish_nothing(1);
    rendered(32);
    EXPECT_EQ(seen_.buffer, (std::array<std::uint64_t, 3>{}));
    EXPECT_EQ(seen_.first_sample, 0);
}

TEST_F(CFuncs, meters_keep_their_numbers_from_call_to_call_and_are_published) {
    make();
    rendered(100);
    EXPECT_EQ(engine_->controls().read(0).fields[0], 100);
    EXPECT_EQ(engine_->controls().read(0).frame, 100U);
    EXPECT_EQ(engine_->controls().read(1).fields[1], 48'000);
    EXPECT_EQ(engine_->controls().meter_specs()[1].fields[1], "rate");
    EXPECT_EQ(engine_->controls().parameter_specs()[2].unit, "dB");
}

TEST_F(CFuncs, an_arrays_elements_come_as_a_value_and_its_change) {
    using Pairs = std::vector<std::array<double, 2>>;
    make();
    rendered(32);
    EXPECT_EQ(seen_.array, (Pairs{{0, 0}, {0, 0}, {0, 0}}));
    engine_->controls().set(2, 96);  // the second element: 96 frames to get there
    rendered(32);
    EXPECT_EQ(seen_.array, (Pairs{{0, 0}, {1, 1}, {0, 0}}));
    rendered(32);
    EXPECT_EQ(seen_.array, (Pairs{{0, 0}, {33, 1}, {0, 0}}));
    rendered(64);
    EXPECT_EQ(seen_.array, (Pairs{{0, 0}, {96, 0}, {0, 0}}));
}

}  // namespace
}  // namespace cueline::test
