// parameter_test.cpp: parameters, from the control side's write to the processor's samples.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/processor_controls.hpp>
#include <cueline/error.hpp>
#include <cueline/parameter.hpp>
#include <cueline/value_segment.hpp>

#include "devices/offline_device.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

constexpr Kind go_to = cueline::kind::first_user;  // payload: double, a target for parameter 0

/// Renders each parameter's value on its own channel. Messages can move parameter 0.
class Showing final : public Processor {
  public:
    explicit Showing(std::vector<ParameterSpec> specs) : specs_{std::move(specs)} {}

    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs_; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != go_to) return false;
        context.parameter(0).go_to(command.as<double>());
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t index = 0; index < block.outputs.size(); ++index) {
            for (float& sample : block.output(index)) {
                sample = index < specs_.size() ? static_cast<float>(context.parameter(index).next()) : 0;
            }
        }
    }

  private:
    std::vector<ParameterSpec> specs_;
};

/// An engine with this processor on the offline device. Its output shows its parameters.
class Shown {
  public:
    explicit Shown(std::vector<ParameterSpec> specs, std::uint32_t blocksize = 64)
        : Shown{std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 2, .blocksize = blocksize}),
                std::move(specs)} {}

    /// The values of one parameter in the next frames.
    std::vector<float> render(std::size_t frames, std::size_t parameter = 0) {
        std::vector<float> audio(frames * 2);
        device_->render(audio);
        std::vector<float> values;
        for (std::size_t frame = 0; frame < frames; ++frame) values.push_back(audio[2 * frame + parameter]);
        return values;
    }
    void set(double value) { engine.controls().set(0, value); }

  private:
    OfflineDevice* device_;

    Shown(std::unique_ptr<OfflineDevice> device, std::vector<ParameterSpec> specs)
        : device_{device.get()}, engine{std::move(device), std::make_unique<Showing>(std::move(specs))} {
        engine.start();
    }

  public:
    Engine engine;
};

/// From -10 to 10, default 1, with a ramp of 480 frames.
constexpr ParameterSpec ramped{
    .name = "x", .lowest = -10, .highest = 10, .default_value = 1, .unit = "dB", .ramp_s = 0.01};
constexpr ParameterSpec jumping{.name = "y", .lowest = -10, .highest = 10, .default_value = 2, .unit = {}, .ramp_s = 0};

/// The greatest step from one frame to the next.
float largest_step(std::span<const float> values) {
    float largest = 0;
    for (std::size_t frame = 1; frame < values.size(); ++frame) {
        largest = std::max(largest, std::abs(values[frame] - values[frame - 1]));
    }
    return largest;
}

TEST(Parameter, has_its_default_until_it_is_set) {
    Shown shown{{ramped, jumping}};
    EXPECT_EQ(shown.render(100), std::vector<float>(100, 1));
    EXPECT_EQ(shown.render(100, 1), std::vector<float>(100, 2));
    EXPECT_EQ(shown.engine.controls().get(0), 1);
}

TEST(Parameter, begins_with_the_value_set_before_the_first_block) {
    Shown shown{{ramped}};
    shown.set(5);
    EXPECT_EQ(shown.render(100), std::vector<float>(100, 5));
}

TEST(Parameter, moves_in_equal_steps_and_arrives_after_its_ramp_time) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 4'096U}) {
        Shown shown{{ramped}, blocksize};
        shown.render(10);
        shown.set(5);
        const std::vector<float> values = shown.render(1'000);
        for (std::size_t frame = 0; frame < values.size(); ++frame) {
            const double way = std::min(1.0, static_cast<double>(frame + 1) / 480);
            ASSERT_NEAR(values[frame], 1 + 4 * way, 1e-6) << blocksize << ", " << frame;
        }
        EXPECT_EQ(values[479], 5);
        EXPECT_LT(values[478], 5);
    }
}

TEST(Parameter, does_not_click_whatever_is_set_and_when) {
    Shown shown{{ramped}};
    std::vector<float> all = shown.render(100);
    for (int round = 0; round < 200; ++round) {
        shown.set(round % 3 == 0 ? 10 : -10);
        for (const float value : shown.render(static_cast<std::size_t>(round) * 37 % 600)) all.push_back(value);
    }
    EXPECT_LE(largest_step(all), 20.0 / 480 + 1e-5);
}

TEST(Parameter, the_check_of_clicks_catches_one_that_jumps) {
    Shown shown{{jumping}};
    shown.render(100);
    shown.set(10);
    EXPECT_EQ(shown.render(2)[0], 10) << "at once";
    shown.set(-10);
    std::vector<float> all = shown.render(100);
    all.insert(all.begin(), 10);
    EXPECT_GT(largest_step(all), 20.0 / 480 + 1e-5);
}

TEST(Parameter, a_thousand_writes_send_no_command_and_the_last_one_counts) {
    Shown shown{{jumping}};
    shown.render(64);
    const RingStats before = shown.engine.stats().commands;
    for (int write = 0; write < 1'000; ++write) shown.set(write % 10);
    shown.set(7);
    EXPECT_EQ(shown.render(64), std::vector<float>(64, 7));
    const RingStats after = shown.engine.stats().commands;
    EXPECT_EQ(after.sent, before.sent);
    EXPECT_EQ(after.dropped, 0U);
    EXPECT_EQ(after.high_water, before.high_water);
    EXPECT_EQ(shown.engine.stats().events.sent, 0U);
}

TEST(Parameter, a_value_set_while_the_engine_is_stopped_applies_when_it_runs_again) {
    Shown shown{{jumping}};
    shown.render(64);
    shown.engine.stop();
    shown.set(3);
    shown.engine.start();
    EXPECT_EQ(shown.render(10), std::vector<float>(10, 3));
}

void move(Shown& shown, double target) {
    shown.engine.control().send(go_to, target);
}

TEST(Parameter, a_message_moves_it_at_its_frame_and_the_control_side_does_not_see_it) {
    Shown shown{{ramped}};
    shown.render(64);
    move(shown, 5);
    EXPECT_EQ(shown.render(600).back(), 5);
    EXPECT_EQ(shown.engine.controls().get(0), 1);
}

TEST(Parameter, the_next_write_overrides_a_message_even_with_the_same_value) {
    Shown shown{{jumping}};
    shown.set(2);
    shown.render(64);
    move(shown, 5);
    EXPECT_EQ(shown.render(64).back(), 5);
    EXPECT_EQ(shown.render(64).back(), 5) << "nothing was written since";
    shown.set(2);
    EXPECT_EQ(shown.render(64).back(), 2);
}

TEST(Parameter, a_message_overrides_a_write_of_the_same_block) {
    Shown shown{{jumping}};
    shown.render(64);
    move(shown, 5);
    shown.set(3);
    EXPECT_EQ(shown.render(64).back(), 5);
}

TEST(Parameter, a_messages_target_is_clamped_and_nan_is_ignored) {
    for (const auto& [target, expected] :
         {std::pair{11.0, 10.0F}, {infinite, 10.0F}, {-11.0, -10.0F}, {-infinite, -10.0F}, {not_a_number, 2.0F}}) {
        Shown shown{{jumping}};
        shown.render(64);
        move(shown, target);
        EXPECT_EQ(shown.render(64).back(), expected) << target;
    }
}

TEST(Parameter, start_from_takes_the_whole_ramp_time) {
    const ParameterClock clock;
    Parameter parameter{ramped, clock};
    parameter.prepare(48'000);
    parameter.start_from(0);
    EXPECT_EQ(parameter.value(), 0);
    EXPECT_EQ(parameter.target(), 1);
    for (int frame = 0; frame < 480; ++frame) EXPECT_NEAR(parameter.next(), (frame + 1) / 480.0, 1e-9);
    EXPECT_FALSE(parameter.moves());
}

TEST(Parameter, a_ramp_under_way_begins_again_at_another_rate) {
    ParameterClock clock;
    Parameter parameter{ramped, clock};
    parameter.prepare(48'000);
    parameter.go_to(5);
    clock.frame += 240;
    EXPECT_TRUE(parameter.moves());
    EXPECT_NEAR(parameter.value(), 3, 1e-9);
    parameter.prepare(96'000);
    for (int frame = 0; frame < 959; ++frame) parameter.next();
    EXPECT_TRUE(parameter.moves());
    EXPECT_EQ(parameter.next(), 5);
}

TEST(Parameter, a_ramp_shorter_than_a_frame_takes_one) {
    const ParameterClock clock;
    ParameterSpec spec = ramped;
    spec.ramp_s = 1e-9;
    Parameter parameter{spec, clock};
    parameter.prepare(48'000);
    parameter.go_to(5);
    EXPECT_EQ(parameter.value(), 1);
    EXPECT_EQ(parameter.next(), 5);
}

TEST(Parameter, moves_on_with_the_frames_whether_it_is_read_or_not) {
    ParameterClock clock;
    Parameter read{ramped, clock};
    Parameter unread{ramped, clock};
    for (Parameter* const parameter : {&read, &unread}) {
        parameter->prepare(48'000);
        parameter->go_to(5);
    }
    for (const std::uint32_t frames : {1U, 7U, 100U, 372U}) {
        double last = 0;
        for (std::uint32_t frame = 0; frame < frames; ++frame) {
            EXPECT_EQ(unread.at(frame), read.at(frame));
            last = read.next();
        }
        std::vector<double> filled(frames + 1);
        unread.fill(std::span{filled});
        EXPECT_EQ(filled[frames - 1], last);
        EXPECT_EQ(filled[frames], unread.at(frames));
        clock.frame += frames;
        EXPECT_EQ(read.moves(), unread.moves());
        EXPECT_EQ(unread.value(), last);
        EXPECT_EQ(read.value(), last);
    }
    EXPECT_FALSE(unread.moves());
    EXPECT_EQ(unread.value(), 5);
}

TEST(Parameter, a_ramp_that_turns_round_within_a_segment_does_not_jump) {
    ParameterClock clock;
    Parameter parameter{ramped, clock};
    parameter.prepare(48'000);
    parameter.go_to(5);
    std::vector<float> values;
    const auto read = [&](int frames) {
        for (int frame = 0; frame < frames; ++frame) values.push_back(static_cast<float>(parameter.next()));
    };
    read(30);
    parameter.go_to(-5);
    EXPECT_EQ(static_cast<float>(parameter.value()), values.back());
    EXPECT_NEAR(parameter.at(30), parameter.value() - (parameter.value() + 5) / 480, 1e-9);
    read(34);
    clock.frame += 64;
    read(64);
    EXPECT_LE(largest_step(values), 10.0 / 480 + 1e-5);
}

TEST(Parameter, its_values_do_not_depend_on_where_blocks_begin) {
    std::vector<float> expected;
    for (const std::uint32_t blocksize : {64U, 1U, 13U, 4'096U}) {
        Shown shown{{ramped}, blocksize};
        shown.render(1);
        shown.set(7.3);
        const std::vector<float> values = shown.render(500);
        if (expected.empty()) expected = values;
        EXPECT_EQ(values, expected) << blocksize;
    }
}

std::string refused(std::vector<ParameterSpec> specs) {
    return refusal<ArgumentError>([&] { const Shown shown{std::move(specs)}; });
}

ParameterSpec with(double lowest, double highest, double default_value, double ramp_s = 0) {
    return {.name = "gain",
            .lowest = lowest,
            .highest = highest,
            .default_value = default_value,
            .unit = {},
            .ramp_s = ramp_s};
}

TEST(Parameter, a_move_across_a_range_wider_than_any_number_stays_finite) {
    constexpr double most = std::numeric_limits<double>::max();
    constexpr std::uint32_t frames = 100;
    const ValueSegment ramp = ValueSegment::ramp(Shape::linear, -most, most, -1, frames - 1.0);
    double before = -most;
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
        const double value = ramp.at(frame);
        ASSERT_TRUE(std::isfinite(value)) << frame;
        ASSERT_GT(value, before) << frame;
        before = value;
    }
    EXPECT_EQ(before, most);
    EXPECT_EQ(ValueSegment::ramp(Shape::linear, most, -most, frames - 1.0, frames).at(frames), -most);
}

TEST(Parameter, declarations_are_refused_with_the_numbers) {
    EXPECT_EQ(refused({with(0, 1, 2)}),
              "parameter 'gain' must have a lowest value, a default and a highest one, in this order, got 0, 2 and 1");
    for (const ParameterSpec& spec : {with(1, 0, 0.5), with(0, 1, -0.1), with(0, infinite, 1), with(-infinite, 1, 0),
                                      with(not_a_number, 1, 0), with(0, not_a_number, 0), with(0, 1, not_a_number)}) {
        EXPECT_NE(refused({spec}), "not refused") << spec.lowest << " " << spec.default_value << " " << spec.highest;
    }
    EXPECT_EQ(refused({with(0, 1, 0, -0.5)}), "parameter 'gain' must have a ramp from 0 to 3600 seconds, got -0.5");
    EXPECT_EQ(refused({with(0, 1, 0, 3'601)}), "parameter 'gain' must have a ramp from 0 to 3600 seconds, got 3601");
    EXPECT_NE(refused({with(0, 1, 0, not_a_number)}), "not refused");
    EXPECT_EQ(refused({with(0, 0, 0), with(0, 1, 0)}), "a processor declares two parameters named 'gain'");
    EXPECT_EQ(refused({ramped, ParameterSpec{}}), "a processor: parameter 1 has no name");
    EXPECT_EQ(refused({with(0, 0, 0, 3'600)}), "not refused");
}

TEST(Parameter, there_can_be_4096_and_no_more_and_elements_count) {
    std::vector<ParameterSpec> specs{{.name = "a"}, {.name = "many", .count = 4'094}, {.name = "b"}};
    Shown shown{specs};
    shown.engine.controls().set(4'095, 0.5);
    shown.render(64);
    EXPECT_EQ(shown.engine.controls().get(4'095), 0.5);
    EXPECT_EQ(shown.engine.controls().get(4'094), 0);
    specs.push_back({.name = "c"});
    EXPECT_EQ(refused(specs), "a processor can have at most 4096 parameters, and declares 4097");
    specs[1].count = 0;
    EXPECT_EQ(refused(specs), "parameter 'many' must have a count from 1 to 4096, got 0");
    specs[1].count = std::numeric_limits<std::uint32_t>::max();
    specs[0].count = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(refused(specs), "a processor can have at most 4096 parameters, and declares 8589934592");
}

/// Keeps the values that its array has in the last frame of each segment.
class Arrayed final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (Parameter& parameter : context.parameters(first, 216)) parameter.go_to(command.as<double>());
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t element = 0; element < 216; ++element) {
            last[element] = context.parameters(first, 216)[element].at(block.frames - 1);
        }
    }

    static constexpr std::array<ParameterSpec, 3> specs{
        {{.name = "before"},
         {.name = "gain", .highest = 2, .default_value = 1, .ramp_s = 0.01, .count = 216},
         {.name = "behind"}}};
    static constexpr std::size_t first = first_address(std::span<const ParameterSpec>{specs}, 1);
    std::array<double, 216> last{};
};

struct Array {
    static constexpr std::uint32_t blocksize = 64;

    void render(std::size_t frames) const {
        std::vector<float> audio(frames * 2);
        engine->device().render(audio);
    }

    std::shared_ptr<Arrayed> processor = std::make_shared<Arrayed>();
    std::unique_ptr<Engine> engine = [this] {
        auto made = std::make_unique<Engine>(
            std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 2, .blocksize = blocksize}),
            processor);
        made->start();
        return made;
    }();
};

TEST(ParameterArray, each_element_has_a_value_of_its_own) {
    Array array;
    std::vector<double> values(216);
    for (std::size_t element = 0; element < 216; ++element) values[element] = static_cast<double>(element) / 200;
    array.engine->controls().set(Arrayed::first, values);
    array.render(64);
    for (std::size_t element = 0; element < 216; ++element) {
        EXPECT_EQ(array.processor->last.at(element), values[element]) << element;
        EXPECT_EQ(array.engine->controls().get(Arrayed::first + element), values[element]) << element;
    }
    EXPECT_EQ(array.engine->controls().get(0), 0);
    EXPECT_EQ(array.engine->controls().get(217), 0);
}

TEST(ParameterArray, elements_move_when_nobody_reads_them_frame_by_frame) {
    Array array;
    array.render(64);
    array.engine->controls().set(Arrayed::first + 17, 2);
    array.render(240);
    EXPECT_NEAR(array.processor->last[17], 1.5, 1e-9);
    EXPECT_EQ(array.processor->last[16], 1);
    array.render(240);
    EXPECT_EQ(array.processor->last[17], 2);
}

TEST(ParameterArray, values_are_written_in_steps_also_backwards) {
    Array array;
    const std::vector<double> values{0.25, 0.5, 0.75};
    array.engine->controls().set(Arrayed::first + 10, values, -5);
    array.render(64);
    EXPECT_EQ(array.processor->last[10], 0.25);
    EXPECT_EQ(array.processor->last[5], 0.5);
    EXPECT_EQ(array.processor->last[0], 0.75);
    EXPECT_EQ(array.processor->last[1], 1);
}

TEST(ParameterArray, one_value_outside_the_range_changes_nothing_and_the_error_names_it) {
    Array array;
    std::vector<double> values(216, 0.5);
    values[17] = 2.5;
    EXPECT_EQ(refusal<ArgumentError>([&] { array.engine->controls().set(Arrayed::first, values); }),
              "gain[17] must be from 0 to 2, got 2.5");
    values[17] = not_a_number;
    EXPECT_EQ(refusal<ArgumentError>([&] { array.engine->controls().set(Arrayed::first, values); }),
              "gain[17] must be from 0 to 2, got nan");
    for (std::size_t element = 0; element < 216; ++element) {
        EXPECT_EQ(array.engine->controls().get(Arrayed::first + element), 1);
    }
}

TEST(ParameterArray, values_for_places_that_were_not_declared_are_refused) {
    Array array;
    const std::vector<double> values(218, 0.5);
    EXPECT_EQ(refusal<ArgumentError>([&] { array.engine->controls().set(1, values); }),
              "no parameter 218: the processor declares 218");
    EXPECT_EQ(
        refusal<ArgumentError>([&] { array.engine->controls().set(1, std::span{values}.first(3), -1); }).substr(0, 12),
        "no parameter");
}

TEST(Parameter, values_outside_the_range_are_refused_and_change_nothing) {
    Shown shown{{ramped}};
    const auto setting = [&](double value) { return refusal<ArgumentError>([&] { shown.set(value); }); };
    EXPECT_EQ(setting(10.5), "x must be from -10 to 10 dB, got 10.5");
    EXPECT_EQ(setting(-10.5), "x must be from -10 to 10 dB, got -10.5");
    EXPECT_EQ(setting(not_a_number), "x must be from -10 to 10 dB, got nan");
    EXPECT_EQ(setting(infinite), "x must be from -10 to 10 dB, got inf");
    EXPECT_EQ(shown.engine.controls().get(0), 1);
    EXPECT_EQ(shown.render(64), std::vector<float>(64, 1));
    EXPECT_EQ(setting(10), "not refused");
    EXPECT_EQ(setting(-10), "not refused");
}

TEST(Parameter, indices_beyond_the_last_are_refused) {
    Shown shown{{ramped}};
    EXPECT_EQ(refusal<ArgumentError>([&] { shown.engine.controls().set(1, 0); }),
              "no parameter 1: the processor declares 1");
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(shown.engine.controls().get(64)); }),
              "no parameter 64: the processor declares 1");
}

}  // namespace
}  // namespace cueline::test
