// tone_parameters_test.cpp: parameters of the test tone, which act as messages do, from the next block on.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "processors/tone_processor.hpp"
#include "tone_playing.hpp"

namespace cueline::test {
namespace {

constexpr std::size_t frequency = 0;
constexpr std::size_t gain = 1;

TEST(ToneParameters, say_what_they_are) {
    ToneProcessor tone;
    tone.prepare(format_of(44'100));
    const std::span<const ParameterSpec> specs = tone.parameters();
    ASSERT_EQ(specs.size(), 2U);
    EXPECT_EQ(specs[frequency].name, "frequency");
    EXPECT_EQ(specs[frequency].unit, "Hz");
    EXPECT_EQ(specs[frequency].highest, 22'050);
    EXPECT_EQ(specs[frequency].default_value, 440);
    EXPECT_EQ(specs[gain].name, "gain");
    EXPECT_EQ(specs[gain].default_value, 0.2);
    ASSERT_EQ(tone.meters().size(), 1U);
    EXPECT_EQ(tone.meters()[0].name, "level");
}

TEST(ToneParameters, set_at_a_block_they_do_what_a_message_does) {
    Played by_message;
    Played by_parameter;
    for (const auto& [hz, loud] : {std::pair{1'000.0F, 0.5F}, {1'000.0F, 0.5F}, {20.0F, 0.0F}, {3'000.0F, 0.25F}}) {
        ASSERT_EQ(by_message.render(640), by_parameter.render(640));
        by_message.set(hz, loud);
        by_parameter.set_parameter(frequency, hz);
        by_parameter.set_parameter(gain, loud);
    }
    EXPECT_EQ(by_message.render(48'000), by_parameter.render(48'000));
}

TEST(ToneParameters, a_gain_set_before_the_tone_begins_is_risen_to_in_20_ms) {
    Played played;
    played.set_parameter(gain, 1);
    played.set_parameter(frequency, 1'000);
    const std::vector<float> rising = played.render(960);
    for (std::size_t frame = 0; frame < rising.size(); ++frame) {
        const auto n = static_cast<double>(frame);
        ASSERT_NEAR(rising[frame], (n + 1) / 960 * std::sin(2 * std::numbers::pi * 1'000 * n / 48'000), 1e-6);
    }
}

TEST(ToneParameters, a_frequency_changes_at_once_at_gain_0) {
    Played played;
    played.set_parameter(gain, 0);
    played.render(1'000);
    played.set_parameter(frequency, 3'000);
    played.set_parameter(gain, 0.5);
    EXPECT_NEAR(frequency_of(played.render(960), 48'000), 3'000, 0.5);
}

TEST(ToneParameters, a_frequency_ramp_jumps_when_the_gain_reaches_0_at_any_block_size) {
    const auto session = [](std::uint32_t blocksize) {
        Played played{format_of(48'000, blocksize)};
        std::vector<float> all = played.render(1'200);
        played.set(same, 0);
        played.render(600);
        played.set(9'000, same);  // 960 frames from here: the gain is at 0 after 360 of them
        played.render(600);
        played.set(same, 0.5F);
        for (const float sample : played.render(4'800)) all.push_back(sample);
        return all;
    };
    const std::vector<float> whole = session(1'200);
    EXPECT_NEAR(frequency_of(std::span{whole}.subspan(1'200, 960), 48'000), 9'000, 10);
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 600U}) EXPECT_EQ(session(blocksize), whole) << blocksize;
}

}  // namespace
}  // namespace cueline::test
