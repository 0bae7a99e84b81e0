// automation_test.cpp: parameters that follow automations, from the messages to the values of each frame.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/value_segment.hpp>

#include "devices/offline_device.hpp"
#include "engine/automations.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Keeps the values of its two parameters in each frame.
class Keeping final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t frame = 0; frame < block.frames && block.frame + frame < kept.size(); ++frame) {
            kept[block.frame + frame] = context.parameter(0).at(frame);
            other[block.frame + frame] = context.parameter(1).at(frame);
        }
        context.parameter(0).fill(std::span{filled}.subspan(block.frame, block.frames));
    }

    static constexpr std::array<ParameterSpec, 2> specs{{
        {.name = "x", .lowest = -10, .highest = 10, .ramp_s = 0.01},
        {.name = "y", .lowest = 0, .highest = 1, .default_value = 1},
    }};
    std::vector<double> kept = std::vector<double>(100'000);
    std::vector<double> other = std::vector<double>(100'000);
    std::vector<double> filled = std::vector<double>(100'000);  // the first one again, by fill()
};

class AutomationTest : public testing::Test {
  protected:
    AutomationTest() { make(64); }

    void make(std::uint32_t blocksize) {
        engine_.reset();
        auto processor = std::make_unique<Keeping>();
        processor_ = processor.get();
        engine_ = std::make_unique<Engine>(
            std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize}),
            std::move(processor));
        engine_->start();
    }

    /// The values of x in the next frames.
    std::vector<double> render(std::size_t frames) {
        const std::uint64_t first = engine_->now();
        std::vector<float> audio(frames);
        engine_->device().render(audio);
        EXPECT_EQ(processor_->filled, processor_->kept);
        const auto begin = processor_->kept.begin() + static_cast<std::ptrdiff_t>(first);
        return {begin, begin + static_cast<std::ptrdiff_t>(frames)};
    }

    template <class Command>
    std::uint32_t send(const Command& command, const Delivery& delivery = {}) {
        Delivery confirmed = delivery;
        confirmed.flags |= delivery::confirm;
        EXPECT_EQ(engine_->control().send(Command::kind, command, confirmed), Status::ok);
        return engine_->control().sequence();
    }
    [[nodiscard]] std::optional<Reason> refusal() const {
        Message message;
        EXPECT_EQ(engine_->control().receive_confirmation(message), Status::ok);
        if (message.kind != kind::refused) return std::nullopt;
        return message.as<Refused>().reason;
    }
    BufferHandle load(std::span<const float> values) { return engine_->load_curve(engine_->make_curve(values)); }
    [[nodiscard]] std::uint32_t loaded() const { return engine_->stats().buffers.curves; }

    Keeping* processor_ = nullptr;
    std::unique_ptr<Engine> engine_;
};

Automate step(double value, std::uint32_t automation = 0) {
    return {.value = value, .automation = automation, .shape = Shape::step};
}
Automate linear(double value, double end, std::uint32_t automation = 0) {
    return {.value = value, .end = end, .automation = automation, .shape = Shape::linear};
}

TEST_F(AutomationTest, a_step_jumps_and_a_ramp_begins_at_its_frame_and_ends_at_its_end) {
    const std::uint32_t first = send(step(1), {.frame = 10});
    send(linear(3, 110, first), {.frame = 10});
    const std::vector<double> values = render(200);
    EXPECT_EQ(values[9], 0);
    for (std::size_t frame = 10; frame < 110; ++frame) {
        EXPECT_NEAR(values[frame], 1 + 2 * (static_cast<double>(frame) - 10) / 100, 1e-14) << frame;
    }
    for (std::size_t frame = 110; frame < 200; ++frame) EXPECT_EQ(values[frame], 3) << frame;
}

TEST_F(AutomationTest, it_begins_at_the_point_of_its_beat_between_two_frames) {
    // At 119 quarter notes a minute, no beat falls on a frame.
    send(SetTempo{119});
    const double beat_frames = 48'000 * 60 / 119.0;
    const std::uint32_t first = send(step(1), at_beat(0.25));
    Automate ramp = linear(9, 0.75, first);
    ramp.in_beats = 1;
    send(ramp, at_beat(0.25));
    Automate further = linear(1, 1.25, first);
    further.in_beats = 1;
    send(further, at_beat(0.75));
    const std::vector<double> values = render(40'000);
    for (std::size_t frame = 0; frame < values.size(); ++frame) {
        const double beat = static_cast<double>(frame) / beat_frames;
        // Each part begins at the frame that is nearest to its beat.
        if (std::min(std::abs(beat - 0.25), std::abs(beat - 0.75)) * beat_frames < 0.5) continue;
        const double up = 1 + 16 * std::clamp(beat - 0.25, 0.0, 0.5);
        const double down = 16 * std::clamp(beat - 0.75, 0.0, 0.5);
        ASSERT_NEAR(values[frame], beat < 0.25 ? 0 : up - down, 1e-9) << frame;
    }
}

TEST_F(AutomationTest, every_shape_has_its_closed_form) {
    const std::vector<float> samples{1, 4, 2};
    const BufferHandle curve = load(samples);
    const std::uint32_t first = send(step(8), {.frame = 100});
    send(Automate{.value = 2, .end = 1'100, .automation = first, .shape = Shape::exponential}, {.frame = 100});
    send(Automate{.value = -4, .constant = 0.01, .automation = first, .shape = Shape::target}, {.frame = 1'100});
    send(Automate{.value = 2, .end = 3'100, .automation = first, .buffer = curve, .shape = Shape::curve},
         {.frame = 2'100});
    const std::vector<double> values = render(4'000);
    for (std::size_t frame = 100; frame < values.size(); ++frame) {
        const auto at = static_cast<double>(frame);
        double expected = 2;
        if (frame < 1'100) {
            expected = 8 * std::pow(0.25, (at - 100) / 1'000);
        } else if (frame < 2'100) {
            expected = -4 + 6 * std::exp(-(at - 1'100) / 480);
        } else if (frame < 2'600) {
            expected = 1 + 3 * (at - 2'100) / 500;
        } else if (frame < 3'100) {
            expected = 4 - 2 * (at - 2'600) / 500;
        }
        ASSERT_NEAR(values[frame], expected, 1e-12) << frame;
    }
    EXPECT_EQ(loaded(), 0U);
}

TEST_F(AutomationTest, block_sizes_leave_no_mark) {
    std::vector<double> expected;
    for (const std::uint32_t blocksize : {64U, 1U, 7U, 128U, 1'000U}) {
        make(blocksize);
        send(RampTempo{.tempo = 300, .length = 2, .over = RampOver::beats}, at_beat(0.3));
        send(Locate{0.5}, at_beat(1.7));
        Automate part{.value = 5, .end = 2, .shape = Shape::linear, .in_beats = 1};
        const std::uint32_t first = send(part, at_beat(0.1));
        part = {.value = 0.01, .end = 3, .automation = first, .shape = Shape::exponential, .in_beats = 1};
        send(part, at_beat(2));
        send(Automate{.value = 7, .constant = 0.1, .automation = first, .shape = Shape::target}, at_beat(3));
        const std::vector<double> values = render(90'000);
        if (expected.empty()) expected = values;
        EXPECT_EQ(values, expected) << blocksize;
    }
}

TEST_F(AutomationTest, in_beats_it_comes_again_when_the_timeline_goes_back) {
    const std::vector<float> samples{1, 5, 3};
    for (const std::uint32_t blocksize : {64U, 1U, 1'000U}) {
        make(blocksize);
        // A beat takes 24,000 frames.
        send(Automate{.value = 2, .end = 0.01, .buffer = load(samples), .shape = Shape::curve, .in_beats = 1});
        send(Locate{0}, {.frame = 1'000});
        const std::vector<double> values = render(1'100);
        EXPECT_EQ(values[240], 2) << blocksize;
        for (std::size_t frame = 0; frame < 100; ++frame) {
            ASSERT_NEAR(values[1'000 + frame], 1 + 4.0 * static_cast<double>(frame) / 120, 1e-12) << blocksize;
        }
        EXPECT_EQ(engine_->controls().get(0), values.back()) << blocksize;
        // The region begins again three tenths of a frame after frame 2,500.
        send(SetLoop{.start = 0, .end = 0.0625 + 0.3 / 24'000});
        const std::vector<double> again = render(1'500);
        EXPECT_EQ(again[1'400], 2) << blocksize;
        EXPECT_NEAR(again[1'401], 1 + 4 * 0.7 / 120, 1e-9) << blocksize;
        EXPECT_EQ(loaded(), 1U) << blocksize;
        send(step(1));
        render(1);
        EXPECT_EQ(loaded(), 0U) << blocksize;
    }
}

TEST_F(AutomationTest, reading_shows_it_at_the_end_of_each_block) {
    const std::uint32_t first = send(step(1), {.frame = 10});
    send(linear(3, 138, first), {.frame = 10});
    for (int block = 0; block < 4; ++block) {
        const double last = render(64).back();
        EXPECT_EQ(engine_->controls().get(0), last) << block;
    }
    EXPECT_EQ(engine_->controls().get(0), 3);
    EXPECT_EQ(engine_->controls().get(1), 1);
}

TEST_F(AutomationTest, what_is_shown_does_not_overwrite_a_write) {
    const OwnedLink link{{.lines = 1, .parameters = 2}};
    const SharedParameters<> shared = link.parameters().first(2);
    EXPECT_TRUE(shared.show(0, 0, 0.5));
    EXPECT_EQ(shared.get(0), 0.5);
    shared.write(0, 0.7);
    EXPECT_FALSE(shared.show(0, 0.5, 0.6));
    EXPECT_EQ(shared.get(0), 0.7);
    int taken = 0;
    std::size_t turn = 0;
    EXPECT_TRUE(shared.show(1, 0, 3));
    shared.take(turn, [&](std::size_t place, double value) {
        ++taken;
        EXPECT_EQ(place, 0U);
        EXPECT_EQ(value, 0.7);
    });
    EXPECT_EQ(taken, 1);
}

TEST_F(AutomationTest, a_write_ends_it_and_what_follows_is_refused) {
    const std::uint32_t first = send(step(1), {.frame = 10});
    send(linear(3, 1'000, first), {.frame = 10});
    send(step(9, first), {.frame = 1'000});
    render(128);
    engine_->controls().set(0, -2);
    const std::vector<double> values = render(2'000);
    EXPECT_EQ(values[479], -2);
    EXPECT_EQ(*std::ranges::max_element(std::span{values}.subspan(479)), -2);
    EXPECT_EQ(engine_->controls().get(0), -2);
    EXPECT_FALSE(refusal());
    EXPECT_FALSE(refusal());
    EXPECT_EQ(refusal(), Reason::cancelled);
    EXPECT_EQ(engine_->stats().cues.cancelled, 1U);
}

TEST_F(AutomationTest, another_line_cannot_go_on_with_it_or_end_it) {
    Line line = engine_->open_line();
    const std::uint32_t first = send(linear(5, 1'000));
    EXPECT_EQ(first, 1U);
    EXPECT_EQ(line.send(kind::hold_automation, HoldAutomation{.automation = first}), Status::ok);
    EXPECT_EQ(line.send(kind::cancel_automation, CancelAutomation{.automation = first}), Status::ok);
    EXPECT_EQ(line.send(kind::automate, step(1, first)), Status::ok);
    EXPECT_EQ(render(1'100).back(), 5);
}

TEST_F(AutomationTest, hold_and_cancel_of_one_that_was_replaced_do_nothing) {
    const std::uint32_t first = send(linear(5, 1'000));
    render(64);
    send(linear(7, 1'000));
    send(HoldAutomation{.automation = first});
    send(CancelAutomation{.automation = first});
    send(step(1, first), {.frame = 500});
    EXPECT_EQ(render(1'100).back(), 7);
}

TEST_F(AutomationTest, one_that_was_replaced_before_it_began_does_not_begin) {
    for (const bool held : {false, true}) {
        make(64);
        const std::uint32_t old = send(step(3), {.frame = 500});
        send(linear(1, 900, old), {.frame = 500});
        const std::uint32_t renewed = send(step(7), {.frame = 200});
        send(linear(9, 1'200, renewed), {.frame = 200});
        if (held) send(HoldAutomation{.automation = renewed}, {.frame = 200});
        const std::vector<double> values = render(1'400);
        EXPECT_EQ(values[199], 0);
        EXPECT_EQ(values[500], held ? 7 : 7 + 2 * 0.3);
        EXPECT_EQ(values.back(), held ? 7 : 9);
        for (int command = held ? -1 : 0; command < 2; ++command) EXPECT_FALSE(refusal());
        for (int command = 0; command < 2; ++command) EXPECT_EQ(refusal(), Reason::cancelled);
    }
}

TEST_F(AutomationTest, one_that_another_line_sent_earlier_begins) {
    Line line = engine_->open_line();
    EXPECT_EQ(line.send(kind::automate, step(1), {.frame = 500}), Status::ok);
    send(step(2));
    send(step(3), {.frame = 400});
    EXPECT_EQ(render(600).back(), 1);
}

TEST_F(AutomationTest, values_are_kept_in_the_range_whatever_a_message_has) {
    const std::vector<float> samples{-50, not_a_number, 50};
    send(Automate{.value = 50, .end = 400, .buffer = load(samples), .shape = Shape::curve});
    for (const double value : render(800)) {
        ASSERT_GE(value, -10);
        ASSERT_LE(value, 10);
    }
    send(linear(-1e300, 1'000));
    EXPECT_EQ(render(800).back(), -10);
}

TEST_F(AutomationTest, wrong_values_are_refused_and_give_the_buffer_back) {
    const std::vector<float> samples{1, 2};
    constexpr double infinite = std::numeric_limits<double>::infinity();
    std::vector<Automate> wrong{step(not_a_number), linear(1, infinite), linear(1, not_a_number), step(1), step(1)};
    wrong[3].parameter = 2;
    wrong[4].shape = static_cast<Shape>(5);  // NOLINT(clang-analyzer-optin.core.EnumCastOutOfRange): on purpose
    wrong.push_back({.value = 1, .constant = -1, .shape = Shape::target});
    wrong.push_back({.value = 1, .constant = not_a_number, .shape = Shape::target});
    wrong.push_back({.value = 1, .constant = 2 * longest_time_constant_s, .shape = Shape::target});
    wrong.push_back({.value = 1, .end = 100, .buffer = 77, .shape = Shape::curve});
    wrong.push_back({.value = 1, .end = 100, .buffer = load(samples), .parameter = 2, .shape = Shape::curve});
    for (const Automate& command : wrong) {
        send(command);
        render(1);
        EXPECT_EQ(refusal(), Reason::unknown);
    }
    send(HoldAutomation{.automation = 1, .parameter = 2});
    send(CancelAutomation{.automation = 1, .parameter = 2});
    send(CancelAutomation{.from = not_a_number, .automation = 1});
    EXPECT_EQ(render(64).back(), 0);
    for (int command = 0; command < 3; ++command) EXPECT_EQ(refusal(), Reason::unknown);
    EXPECT_EQ(loaded(), 0U);
}

TEST_F(AutomationTest, buffers_come_back_if_a_curve_is_cancelled_refused_or_replaced) {
    const std::vector<float> samples{1, 2};
    const auto curve = [&](std::uint32_t automation) {
        return Automate{
            .value = 2, .end = 2'000, .automation = automation, .buffer = load(samples), .shape = Shape::curve};
    };
    send(curve(0), {.frame = 100});
    send(curve(0), {.frame = 200});   // takes the place of the first
    send(curve(99), {.frame = 300});  // of an automation that never was
    const std::uint32_t last = send(curve(0), {.frame = 5'000});
    EXPECT_EQ(loaded(), 4U);
    engine_->control().cancel(last);
    render(512);
    EXPECT_EQ(loaded(), 1U);
    engine_->controls().set(0, 1);
    render(64);
    EXPECT_EQ(loaded(), 0U);
    send(curve(0), {.frame = 9'000});
    engine_->close();
    EXPECT_EQ(loaded(), 0U);
}

TEST_F(AutomationTest, sixty_four_curves_are_loaded_and_one_more_is_refused) {
    const std::vector<float> samples{1, 2};
    for (std::uint32_t count = 0; count < max_curves; ++count) load(samples);
    EXPECT_FALSE(engine_->make_curve(samples));
    EXPECT_EQ(loaded(), max_curves);
    EXPECT_THROW(engine_->make_curve({}), ArgumentError);
    EXPECT_THROW(engine_->load_curve({}), ArgumentError);
}

TEST_F(AutomationTest, another_parameter_is_left_alone) {
    send(linear(5, 1'000));
    render(1'100);
    EXPECT_EQ(*std::ranges::min_element(std::span{processor_->other}.first(1'100)), 1);
}

TEST(ValueSegment, a_logarithm_has_the_precision_of_its_number) {
    for (const double x : {1e-300, 1e-9, 0.3, 0.999, 1.0, 1.5, 2.0, 1e9, 1e300}) {
        EXPECT_NEAR(log(x), std::log(x), 1e-15 * std::max(1.0, std::abs(std::log(x)))) << x;
    }
}

}  // namespace
}  // namespace cueline::test
