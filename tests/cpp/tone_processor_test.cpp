// tone_processor_test.cpp: the test tone's wave, sample by sample, in several formats.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include <cueline/engine/open_processor.hpp>
#include <cueline/error.hpp>

#include "offline_playing.hpp"
#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"
#include "tone_playing.hpp"

namespace cueline::test {
namespace {

constexpr double pi = std::numbers::pi;

/// The greatest difference between a sample and the sine; the first sample is `first` frames after phase 0. Needs exact
/// products: a frequency and a frame of 53 bits together.
double distance_from_sine(std::span<const float> samples, double first, double frequency_hz, double gain,
                          double samplerate) {
    double furthest = 0;
    for (std::size_t frame = 0; frame < samples.size(); ++frame) {
        const double cycles = std::fmod((first + static_cast<double>(frame)) * frequency_hz, samplerate) / samplerate;
        furthest = std::max(furthest, std::abs(gain * std::sin(2 * pi * cycles) - samples[frame]));
    }
    return furthest;
}

TEST(ToneProcessor, begins_with_440_hz_and_rises_to_a_gain_of_a_fifth_in_20_ms) {
    Played played;
    const std::vector<float> rising = played.render(960);
    for (std::size_t frame = 0; frame < rising.size(); ++frame) {
        const auto n = static_cast<double>(frame);
        ASSERT_NEAR(rising[frame], 0.2 * (n + 1) / 960 * std::sin(2 * pi * 440 * n / 48'000), 1e-7);
    }
    EXPECT_LT(distance_from_sine(played.render(48'000), 960, 440, 0.2, 48'000), 1e-7);
}

TEST(ToneProcessor, has_the_frequency_at_every_rate_and_block_size) {
    for (const Format& format : {format_of(8'000, 8'192), format_of(44'100, 64), format_of(48'000, 1, 1),
                                 format_of(96'000, 333, 5), format_of(192'000, 1'024)}) {
        for (const double hz : {20.0, 440.0, 2'345.5}) {
            Played played{format};
            played.set(static_cast<float>(hz), same);
            EXPECT_NEAR(frequency_of(played.render(format.samplerate), format.samplerate), hz, 0.05);
        }
    }
}

TEST(ToneProcessor, is_a_sine_to_within_140_db) {
    for (const float hz : {440.0F, 0.5F, 9'999.75F, 24'000.0F}) {
        Played played;
        played.set(hz, 1);
        played.render(960);
        EXPECT_LT(distance_from_sine(played.render(480'000), 960, hz, 1, 48'000), 1e-7);
    }
}

TEST(ToneProcessor, the_check_of_the_sine_catches_a_harmonic_at_90_db_and_a_hundredth_of_a_hertz) {
    std::vector<float> impure;
    std::vector<float> detuned;
    for (int frame = 0; frame < 48'000; ++frame) {
        const double phase = 2 * pi * 440 * frame / 48'000;
        impure.push_back(static_cast<float>(std::sin(phase) + std::pow(10, -90.0 / 20) * std::sin(3 * phase)));
        detuned.push_back(static_cast<float>(std::sin(phase * 440.01 / 440)));
    }
    EXPECT_GT(distance_from_sine(impure, 0, 440, 1, 48'000), 1e-5);
    EXPECT_GT(distance_from_sine(detuned, 0, 440, 1, 48'000), 1e-2);
}

TEST(ToneProcessor, does_not_drift_in_an_hour) {
    Played played{format_of(8'000, 8'000, 1)};
    constexpr float hz = 440.123F;
    played.set(hz, 1);
    constexpr int hour_s = 3'600;
    for (int second = 0; second < hour_s; ++second) played.render(8'000);
    EXPECT_LT(distance_from_sine(played.render(8'000), hour_s * 8'000.0, hz, 1, 8'000), 1e-7);
}

TEST(ToneProcessor, goes_on_in_phase_in_another_format) {
    Played played{format_of(48'000, 128)};
    played.render(1'230);  // 11.275 cycles
    played.prepare(format_of(44'100, 77, 1));
    EXPECT_LT(distance_from_sine(played.render(44'100), 1'130.0625, 440, 0.2, 44'100), 1e-7);
    played.prepare(format_of(192'000, 8'192, 4));
    EXPECT_LT(distance_from_sine(played.render(192'000), 4'920, 440, 0.2, 192'000), 1e-7);
}

TEST(ToneProcessor, an_earlier_engine_leaves_nothing) {
    expect_nothing_left<ToneProcessor>(1, [](auto& tone) {
        tone.render(30);
        tone.send(SetTone{.frequency_hz = 1'000, .gain = 0.5F});
        tone.send(Click{.frequency_hz = 2'000, .gain = 0.3F});
        tone.send(GetLevel{});
        tone.render(2'500);
        tone.send(Click{.frequency_hz = 2'000, .gain = 0.3F});
        tone.send(GetLevel{});
        tone.render(100);
    });
}

TEST(ToneProcessor, ends_its_ramps_in_another_format) {
    Played played{format_of(48'000)};
    played.render(1'200);
    played.set(880, 1);
    played.render(480);
    played.prepare(format_of(96'000));
    EXPECT_LT(played.render(1)[0], 0.7F) << "the ramp still runs";
    played.render(1'919);
    EXPECT_NEAR(frequency_of(played.render(96'000), 96'000), 880, 0.001);
    played.level();
    played.render(96'000);
    EXPECT_NEAR(played.level().peak, 1, 1e-3);
}

TEST(ToneProcessor, comes_down_to_half_of_a_lower_sample_rate) {
    Played played{format_of(96'000)};
    played.set(40'000, 1);
    played.render(96'000);
    played.prepare(format_of(48'000));
    const std::vector<float> samples = played.render(1'000);
    for (std::size_t frame = 1; frame < samples.size(); ++frame) {
        ASSERT_NEAR(samples[frame], -samples[frame - 1], 1e-6);
    }
}

TEST(OpenProcessor, knows_silence_tone_and_player) {
    EXPECT_NE(dynamic_cast<SilenceProcessor*>(open_processor("silence").get()), nullptr);
    EXPECT_NE(dynamic_cast<ToneProcessor*>(open_processor("tone").get()), nullptr);
    EXPECT_NE(dynamic_cast<PlayerProcessor*>(open_processor("player").get()), nullptr);
    try {
        open_processor("loud");
        FAIL() << "it was opened";
    } catch (const ArgumentError& error) {
        EXPECT_STREQ(
            error.what(),
            "processor must be 'player', 'tone', 'passthrough' or 'silence', or left out for the player, got 'loud'");
    }
}

}  // namespace
}  // namespace cueline::test
