// tone_messages_test.cpp: messages to the test tone, and the levels that it reports.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <span>
#include <vector>

#include <cueline/engine/tone_messages.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/value_segment.hpp>

#include "processors/tone_processor.hpp"
#include "ring_checks.hpp"
#include "tone_playing.hpp"

namespace cueline::test {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr double pi = std::numbers::pi;

/// What jumps in a mutant: when it is set, or from block to block.
enum class Jump : std::uint8_t { nothing, gain, frequency, phase, once_a_block };

/// A tone in which one thing jumps.
template <Jump jump>
class JumpingTone final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        const auto wanted = command.as<SetTone>();
        gain_ = moved(gain_, wanted.gain, jump == Jump::gain ? 1 : 960);
        frequency_hz_ = moved(frequency_hz_, wanted.frequency_hz, jump == Jump::frequency ? 1 : 960);
        if (jump == Jump::phase) cycles_ = 0;
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        const double first = frame_;
        for (std::uint32_t frame = 0; frame < block.frames; ++frame, ++frame_) {
            const double gain = gain_.at(jump == Jump::once_a_block ? first : frame_);
            const auto sample = static_cast<float>(gain * std::sin(2 * pi * cycles_));
            cycles_ += frequency_hz_.at(frame_) / 48'000;
            for (float* const channel : block.outputs) channel[frame] = sample;
        }
    }

  private:
    [[nodiscard]] ValueSegment moved(const ValueSegment& value, double target, double frames) const {
        const double before = frame_ - 1;
        return ValueSegment::ramp(Shape::linear, value.at(before), target, before, before + frames);
    }

    double frame_ = 0;  // rendered next
    ValueSegment gain_{0};
    ValueSegment frequency_hz_{440};
    double cycles_ = 0;
};

/// Sets tones at random. Returns all audio, rendered in blocks of this size.
template <class ProcessorType>
std::vector<float> random_session(std::uint64_t run, std::uint32_t blocksize) {
    std::mt19937_64 random{run};
    Played<ProcessorType> played{format_of(48'000, blocksize)};
    std::vector<float> all;
    for (int round = 0; round < 100; ++round) {
        played.set(static_cast<float>(random() % 2'000), static_cast<float>(random() % 100) / 99);
        for (const float sample : played.render(random() % 2'000)) all.push_back(sample);
    }
    return all;
}

TEST(ToneProcessor, block_sizes_leave_no_mark) {
    const std::uint64_t run = seed();
    const std::vector<float> whole = random_session<ToneProcessor>(run, 8'192);
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 1'000U}) {
        EXPECT_EQ(random_session<ToneProcessor>(run, blocksize), whole) << blocksize;
    }
}

TEST(ToneProcessor, the_check_of_block_sizes_catches_a_ramp_that_steps_once_a_block) {
    const std::uint64_t run = seed();
    using Sound = JumpingTone<Jump::nothing>;
    using Mutant = JumpingTone<Jump::once_a_block>;
    EXPECT_EQ(random_session<Sound>(run, 64), random_session<Sound>(run, 1'000));
    EXPECT_NE(random_session<Mutant>(run, 64), random_session<Mutant>(run, 1'000));
}

/// Sets a tone of up to 200 Hz at random, also during ramps. Returns whether the wave ever moves, or bends, further
/// between two frames than such a tone and its ramps can.
template <class ProcessorType>
bool clicks(std::uint64_t run) {
    std::mt19937_64 random{run};
    Played<ProcessorType> played;
    std::vector<float> all;
    for (int round = 0; round < 200; ++round) {
        played.set(static_cast<float>(random() % 201), static_cast<float>(random() % 2));
        for (const float sample : played.render(random() % 1'500)) all.push_back(sample);
    }
    constexpr double slope = 2 * pi * 200 / 48'000;  // of the sine at full scale
    constexpr double ramp = 1.0 / 960;               // the gain's change in a frame, and a fraction of the slope's
    constexpr double furthest = slope + ramp + 1e-6;
    constexpr double max_bent = slope * slope + 2 * ramp * slope + 2 * ramp + ramp * slope + 1e-6;
    for (std::size_t frame = 2; frame < all.size(); ++frame) {
        const double before = static_cast<double>(all[frame - 1]) - all[frame - 2];
        const double now = static_cast<double>(all[frame]) - all[frame - 1];
        if (std::abs(now) > furthest || std::abs(now - before) > max_bent) return true;
    }
    return false;
}

TEST(ToneProcessor, does_not_click_whatever_is_set_and_when) {
    EXPECT_FALSE(clicks<ToneProcessor>(seed()));
}

TEST(ToneProcessor, the_check_for_clicks_catches_whatever_jumps) {
    const std::uint64_t run = seed();
    EXPECT_FALSE(clicks<JumpingTone<Jump::nothing>>(run));
    EXPECT_TRUE(clicks<JumpingTone<Jump::gain>>(run));
    EXPECT_TRUE(clicks<JumpingTone<Jump::frequency>>(run));
    EXPECT_TRUE(clicks<JumpingTone<Jump::phase>>(run));
}

TEST(ToneProcessor, reaches_what_was_set_in_20_ms) {
    Played played;
    played.render(5'000);
    played.set(1'000, 0.7F);
    played.render(960);
    EXPECT_NEAR(frequency_of(played.render(48'000), 48'000), 1'000, 0.001);
    played.level();
    played.render(48'000);
    EXPECT_NEAR(played.level().peak, 0.7, 2e-3);
}

TEST(ToneProcessor, sets_a_frequency_at_once_at_gain_0) {
    Played played;
    played.set(same, 0);
    EXPECT_EQ(played.render(1'000), std::vector<float>(1'000));
    played.set(3'000, 0.5F);
    const std::vector<float> rising = played.render(960);
    EXPECT_NEAR(frequency_of(rising, 48'000), 3'000, 0.5);
}

/// Sets the tone to `wanted`, plays a second, and returns the next second.
std::vector<float> a_second_after(SetTone wanted) {
    Played played;
    played.set(same, 0.25F);
    played.render(1'000);
    played.set(wanted.frequency_hz, wanted.gain);
    return played.render(48'000);
}

TEST(ToneProcessor, takes_the_nearest_end_of_the_range) {
    const std::vector<float> highest = a_second_after({24'000, 0.5F});
    EXPECT_EQ(a_second_after({24'001, 0.5F}), highest);
    EXPECT_EQ(a_second_after({infinite, 0.5F}), highest);
    const std::vector<float> lowest = a_second_after({0, 0.5F});
    EXPECT_EQ(a_second_after({-1, 0.5F}), lowest);
    EXPECT_EQ(a_second_after({-infinite, 0.5F}), lowest);
    const std::vector<float> loudest = a_second_after({880, 1});
    EXPECT_EQ(a_second_after({880, 1.5F}), loudest);
    EXPECT_EQ(a_second_after({880, infinite}), loudest);
    const std::vector<float> silent = a_second_after({880, 0});
    EXPECT_EQ(a_second_after({880, -0.5F}), silent);
    EXPECT_EQ(a_second_after({880, -infinite}), silent);
    EXPECT_NE(highest, lowest);
    EXPECT_NE(loudest, silent);
}

TEST(ToneProcessor, a_nan_changes_nothing) {
    EXPECT_EQ(a_second_after({same, 0.5F}), a_second_after({440, 0.5F}));
    EXPECT_EQ(a_second_after({880, same}), a_second_after({880, 0.25F}));
    EXPECT_NE(a_second_after({880, same}), a_second_after({same, same}));
}

TEST(ToneProcessor, a_gain_does_not_disturb_a_ramp_of_the_frequency) {
    Played disturbed;
    Played undisturbed;
    for (Played<>* played : {&disturbed, &undisturbed}) {
        played->render(1'000);
        played->set(2'000, same);
        played->render(100);
    }
    disturbed.set(same, 0.4F);
    const std::vector<float> louder = disturbed.render(2'000);
    const std::vector<float> expected = undisturbed.render(2'000);
    for (std::size_t frame = 960; frame < 2'000; ++frame) ASSERT_NEAR(louder[frame], 2 * expected[frame], 1e-6);
}

TEST(ToneProcessor, knows_no_other_kinds) {
    Played played;
    for (const Kind kind : {kind::none, kind::ping, kind::level, Kind{71}, Kind{255}, kind::first_user}) {
        EXPECT_FALSE(played.handle(Message::of(kind, 0))) << kind;
    }
}

/// Whether `level` is that of `samples`.
bool is_level_of(const Level& level, std::span<const float> samples) {
    float peak = 0;
    double squares = 0;
    for (const float sample : samples) {
        peak = std::max(peak, std::abs(sample));
        squares += static_cast<double>(sample) * sample;
    }
    const double rms = samples.empty() ? 0 : std::sqrt(squares / static_cast<double>(samples.size()));
    return level.peak == peak && std::abs(level.rms - rms) <= 1e-6 * rms;
}

TEST(ToneProcessor, tells_the_level_of_a_sine) {
    for (const float gain : {0.0F, 0.001F, 0.2F, 1.0F}) {
        Played played;
        played.set(441, gain);
        played.render(960);
        played.level();
        played.render(48'000);
        const Level level = played.level();
        EXPECT_NEAR(level.peak, gain, 1e-3 * gain);
        EXPECT_NEAR(level.rms, gain / std::sqrt(2.0), 1e-6 * gain);
    }
}

TEST(ToneProcessor, a_level_covers_what_was_rendered_since_the_last_one) {
    const std::uint64_t run = seed();
    std::mt19937_64 random{run};
    Played played{format_of(48'000, 64, 3)};
    for (int round = 0; round < 200; ++round) {
        played.set(static_cast<float>(random() % 5'000), static_cast<float>(random() % 100) / 99);
        const std::vector<float> samples = played.render(random() % 500);
        EXPECT_TRUE(is_level_of(played.level(), samples)) << round;
    }
    EXPECT_TRUE(is_level_of(played.level(), {})) << "no frames since the last one";
}

TEST(ToneProcessor, the_check_of_levels_catches_one_frame_too_many_or_too_few) {
    Played played;
    played.render(1'000);
    played.level();
    const std::vector<float> samples = played.render(500);
    const Level level = played.level();
    EXPECT_TRUE(is_level_of(level, samples));
    EXPECT_FALSE(is_level_of(level, std::span{samples}.subspan(1)));
    EXPECT_FALSE(is_level_of(level, std::span{samples}.first(499)));
    std::vector<float> more = samples;
    more.push_back(played.render(1)[0]);
    EXPECT_FALSE(is_level_of(level, more));
}

TEST(ToneProcessor, answers_with_the_commands_sequence) {
    Played played;
    Message command = Message::of(kind::get_level, GetLevel{});
    command.sequence = 77;
    EXPECT_TRUE(played.handle(command));
    const Message event = played.event();
    EXPECT_EQ(event.kind, kind::level);
    EXPECT_EQ(event.sequence, 77U);
}

TEST(ToneProcessor, a_level_that_was_dropped_is_part_of_the_next_one) {
    Played played;
    const Message command = Message::of(kind::get_level, GetLevel{});
    for (std::size_t count = 0; count < MessageRing::capacity; ++count) EXPECT_TRUE(played.handle(command));
    const std::vector<float> samples = played.render(1'000);
    EXPECT_TRUE(played.handle(command)) << "the ring is full";
    for (std::size_t count = 0; count < MessageRing::capacity; ++count) played.event();
    EXPECT_TRUE(is_level_of(played.level(), samples));
}

TEST(ToneMessages, a_click_is_highest_at_its_first_frame_and_over_after_20_ms) {
    Played<> played{format_of(48'000, 64)};
    played.set(440, 0);
    played.render(2000);
    EXPECT_TRUE(played.handle(Message::of(kind::click, Click{1000, 0.5F})));
    const std::vector<float> audio = played.render(2000);
    EXPECT_EQ(audio[0], 0.5F);
    EXPECT_TRUE(std::all_of(audio.begin() + 1, audio.end(), [](float sample) { return std::abs(sample) < 0.5F; }));
    EXPECT_TRUE(std::any_of(audio.begin() + 900, audio.begin() + 960, [](float sample) { return sample != 0; }));
    EXPECT_TRUE(std::all_of(audio.begin() + 960, audio.end(), [](float sample) { return sample == 0; }));
}

TEST(ToneMessages, a_click_is_added_to_the_tone_and_taken_within_the_ranges) {
    Played<> with{format_of(48'000, 64)};
    Played<> without{format_of(48'000, 64)};
    with.render(2000);
    without.render(2000);
    with.handle(Message::of(kind::click, Click{-1, 0.25F}));  // at 0 Hz only the fade remains
    const std::vector<float> audio = with.render(960);
    const std::vector<float> tone = without.render(960);
    for (std::size_t frame = 0; frame < audio.size(); ++frame) {
        const double left = 1 - static_cast<double>(frame) / 960;
        ASSERT_NEAR(audio[frame] - tone[frame], 0.25 * left * left, 1e-6) << frame;
    }
    for (const Click& click : {Click{same, same}, Click{infinite, infinite}, Click{-infinite, -infinite}}) {
        Played<> played{format_of(48'000, 64)};
        played.handle(Message::of(kind::click, click));
        for (const float sample : played.render(1000)) ASSERT_LE(std::abs(sample), 1.2F);
    }
}

}  // namespace
}  // namespace cueline::test
