// tempo_map_test.cpp: the map between frames and beats, compared with closed forms in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <cueline/exponential.hpp>
#include <cueline/tempo_map.hpp>
#include <cueline/timeline.hpp>

#include "ring_checks.hpp"

namespace cueline::test {
namespace {

constexpr double samplerate = 48'000;

double speed_of(double tempo) {
    return tempo / (60 * samplerate);
}

TempoSegment standing(double frame, double beat, double tempo) {
    return {.frame = frame, .beat = beat, .speed = speed_of(tempo), .end_speed = speed_of(tempo), .runs = 0};
}

TempoSegment constant(double frame, double beat, double tempo) {
    return {.frame = frame, .beat = beat, .speed = speed_of(tempo), .end_speed = speed_of(tempo)};
}

TEST(Exponential, agrees_with_the_long_double_functions) {
    std::mt19937_64 random{seed()};
    std::uniform_real_distribution<double> exponents{-17, 0.84};  // the largest ratio of two tempos is 1000, and e^6.9
    for (int draw = 0; draw < 200'000; ++draw) {
        const double size = std::pow(10.0, exponents(random));
        for (const double x : {size, -size}) {
            const auto exact = std::expm1(static_cast<long double>(x));
            ASSERT_LE(std::abs((expm1(x) - exact) / exact), 1e-15L) << x;
            const auto power = std::exp(static_cast<long double>(x));
            ASSERT_LE(std::abs((exp(x) - power) / power), 1e-15L) << x;
            if (x <= -1) continue;
            const auto logarithm = std::log1p(static_cast<long double>(x));
            ASSERT_LE(std::abs((log1p(x) - logarithm) / logarithm), 1e-15L) << x;
        }
    }
    EXPECT_EQ(expm1(0), 0);
    EXPECT_EQ(log1p(0), 0);
    EXPECT_NEAR(log1p(999), std::log(1000.0), 1e-14);
    EXPECT_NEAR(log1p(-0.999), std::log(0.001), 1e-12);
    for (const double x : {-700.0, -300.5, -25.6, 300.5, 700.0}) {
        const auto power = std::exp(static_cast<long double>(x));
        EXPECT_LE(std::abs((exp(x) - power) / power), 1e-15L) << x;
    }
    EXPECT_EQ(exp(0), 1);
    EXPECT_EQ(exp(std::numeric_limits<double>::quiet_NaN()), 1);
    EXPECT_TRUE(std::isfinite(exp(1e300)));
    EXPECT_TRUE(std::isfinite(expm1(1e300)));
}

TEST(TempoMap, counts_at_one_tempo_from_frame_0) {
    const TempoMap map{speed_of(120)};
    EXPECT_EQ(map.frame_at(8.5), 8.5 * 24'000);
    EXPECT_EQ(map.beat_at(8.5 * 24'000), 8.5);
    EXPECT_EQ(map.size(), 1U);
}

TEST(TempoMap, keeps_what_was_before_a_change) {
    TempoMap map{speed_of(120)};
    map.push(constant(48'000, 2, 60));
    EXPECT_EQ(map.frame_at(1), 24'000);
    EXPECT_EQ(map.frame_at(3), 96'000);
    EXPECT_EQ(map.beat_at(24'000), 1);
    EXPECT_EQ(map.beat_at(96'000), 3);
    EXPECT_EQ(map.speed_at(0), speed_of(120));
    EXPECT_EQ(map.speed_at(96'000), speed_of(60));
}

TEST(TempoMap, has_no_frame_for_a_beat_that_was_left_out_or_does_not_come) {
    TempoMap map{speed_of(120)};
    map.push(constant(24'000, 10, 120));  // from beat 1 to beat 10
    EXPECT_EQ(map.frame_at(5), endless);
    EXPECT_EQ(map.frame_at(11), 48'000);
    map.push(standing(48'000, 11, 120));
    EXPECT_EQ(map.frame_at(11), 48'000);
    EXPECT_EQ(map.frame_at(12), endless);
    EXPECT_EQ(map.beat_at(1e6), 11);
    map.push(constant(96'000, 11, 120));
    EXPECT_EQ(map.frame_at(12), 120'000);
    EXPECT_EQ(map.frame_at(10.5), 36'000);
}

TEST(TempoMap, gives_the_last_frame_of_a_beat_that_came_twice) {
    TempoMap map{speed_of(120)};
    map.push(constant(96'000, 0, 120));  // from beat 4 back to beat 0
    EXPECT_EQ(map.frame_at(1), 96'000 + 24'000);
    map.push(constant(108'000, 3, 120));  // from beat 0.5
    EXPECT_EQ(map.frame_at(0.25), 96'000 + 6'000);
    EXPECT_EQ(map.frame_at(1), 24'000);
}

TEST(TempoMap, forgets_the_oldest_of_more_than_64_segments) {
    TempoMap map{speed_of(60)};
    for (int segment = 1; segment <= 100; ++segment) map.push(constant(segment * 48'000.0, segment, 60));
    EXPECT_EQ(map.size(), TempoMap::capacity);
    EXPECT_EQ(map.first_frame(), 37 * 48'000.0);
    EXPECT_EQ(map.frame_at(50.5), 50.5 * 48'000);
    EXPECT_EQ(map.beat_at(50.5 * 48'000), 50.5);
}

TEST(TempoMap, ramps_linearly_in_beats) {
    TempoMap map;
    map.replace_last(TempoSegment::ramp(0, 0, speed_of(120), speed_of(240), 4, RampOver::beats));
    for (const double beat : {0.0, 0.5, 1.0, 3.0, 4.0}) {
        const double frame = 60 * samplerate / 30 * std::log1p(30 * beat / 120);  // 30 more a beat
        EXPECT_NEAR(map.frame_at(beat), frame, 1e-8);
        EXPECT_NEAR(map.beat_at(frame), beat, 1e-12);
        EXPECT_NEAR(map.speed_at(frame), speed_of(120 + 30 * beat), 1e-16);
    }
    const double end = map.frame_at(4);
    EXPECT_NEAR(map.frame_at(6), end + 2 * 12'000, 1e-8) << "240 from there on";
    EXPECT_NEAR(map.beat_at(end + 12'000), 5, 1e-12);
    EXPECT_EQ(map.speed_at(end + 1), speed_of(240));
}

TEST(TempoMap, ramps_linearly_in_time) {
    TempoMap map;
    map.replace_last(TempoSegment::ramp(0, 0, speed_of(180), speed_of(60), 2 * samplerate, RampOver::seconds));
    for (const double seconds : {0.0, 0.25, 1.0, 1.75, 2.0}) {
        const double beat = (180 * seconds - 60 * seconds * seconds / 2) / 60;  // 60 less a second
        EXPECT_NEAR(map.beat_at(seconds * samplerate), beat, 1e-12);
        EXPECT_NEAR(map.frame_at(beat), seconds * samplerate, 1e-8);
        EXPECT_NEAR(map.speed_at(seconds * samplerate), speed_of(180 - 60 * seconds), 1e-16);
    }
    EXPECT_NEAR(map.frame_at(4 + 1), 3 * samplerate, 1e-8) << "60 from there on";
}

TEST(TempoMap, the_rest_of_a_ramp_goes_on_as_the_whole_would) {
    for (const RampOver over : {RampOver::beats, RampOver::seconds}) {
        const double length = over == RampOver::beats ? 4 : 2 * samplerate;
        const TempoSegment whole = TempoSegment::ramp(0, 0, speed_of(120), speed_of(240), length, over);
        for (const double frames : {1.0, 20'000.0, 60'000.0, 200'000.0}) {
            const TempoSegment rest = whole.from(frames);
            for (const double further : {0.0, 100.0, 10'000.0, 100'000.0}) {
                EXPECT_NEAR(rest.beat + rest.beats_in(further), whole.beats_in(frames + further), 1e-9);
                EXPECT_NEAR(rest.speed_after(further), whole.speed_after(frames + further), 1e-15);
            }
        }
    }
}

TEST(TempoMap, a_ramp_to_the_same_tempo_is_constant) {
    for (const RampOver over : {RampOver::beats, RampOver::seconds}) {
        TempoMap map;
        map.replace_last(TempoSegment::ramp(0, 0, speed_of(120), speed_of(120), 48'000, over));
        EXPECT_NEAR(map.frame_at(7), 7 * 24'000, 1e-9);
        EXPECT_NEAR(map.beat_at(7 * 24'000), 7, 1e-12);
        EXPECT_EQ(map.speed_at(100), speed_of(120));
    }
}

/// An hour of ramps up and down, each from where the last one has come to or from its middle. The reference is computed
/// in long double, from the beginning of each ramp on.
TEST(TempoMap, after_an_hour_of_ramps_a_beat_is_within_half_a_frame_of_the_closed_form) {
    std::mt19937_64 random{seed()};
    std::uniform_real_distribution<double> tempos{40, 300};
    std::uniform_real_distribution<double> parts{0.1, 1.5};
    const auto long_speed = [](long double tempo) { return tempo / (60 * static_cast<long double>(samplerate)); };
    TempoMap map{speed_of(120)};
    long double frame = 0;
    long double beat = 0;
    long double tempo = 120;
    for (int count = 0; frame < 3600 * samplerate; ++count) {
        const double next_tempo = tempos(random);
        const RampOver over = count % 2 == 0 ? RampOver::beats : RampOver::seconds;
        const double length = over == RampOver::beats ? 8 : 3 * samplerate;
        const TempoSegment& before = map.last();
        // It begins at the exact frame of a beat, as a command of that beat does.
        const TempoSegment rest = before.from(map.frame_at(static_cast<double>(beat)) - before.frame);
        map.push(
            TempoSegment::ramp(rest.frame, static_cast<double>(beat), rest.speed, speed_of(next_tempo), length, over));

        const long double from = long_speed(tempo);
        const long double to = long_speed(next_tempo);
        const long double part = parts(random);
        const auto frames_of = [&](long double beats) {
            if (over == RampOver::beats) {
                const long double slope = (to - from) / length;
                if (beats <= length) return std::log1p(slope * beats / from) / slope;
                return std::log1p(slope * length / from) / slope + (beats - length) / to;
            }
            const long double slope = (to - from) / length;
            const long double ramp = length * (from + to) / 2;
            if (beats > ramp) return length + (beats - ramp) / to;
            return (std::sqrt(from * from + 2 * slope * beats) - from) / slope;
        };
        const long double beats = part * (over == RampOver::beats ? length : length * (from + to) / 2);
        for (const long double share : {0.0L, 0.3L, 0.7L, 1.0L}) {
            const auto at = static_cast<double>(beat + share * beats);
            const long double exact = frame + frames_of(at - beat);
            ASSERT_LE(std::abs(map.frame_at(at) - exact), 1e-5L) << count;
            ASSERT_LE(std::abs(static_cast<long double>(nearest_frame(map.frame_at(at))) - exact), 0.50001L) << count;
        }
        const auto next_beat = static_cast<double>(beat + beats);
        const long double passed = frames_of(next_beat - beat);
        const long double share = over == RampOver::beats ? (next_beat - beat) / length : passed / length;
        tempo += (next_tempo - tempo) * std::min(1.0L, share);
        frame += passed;
        beat = next_beat;
    }
}

TEST(TempoMap, the_nearest_frame_of_what_never_comes_is_the_last_one) {
    EXPECT_EQ(nearest_frame(endless), ~std::uint64_t{0});
    EXPECT_EQ(nearest_frame(1e30), ~std::uint64_t{0});
    EXPECT_EQ(nearest_frame(-3), 0U);
    EXPECT_EQ(nearest_frame(2.5), 3U);
    EXPECT_EQ(nearest_frame(2.499), 2U);
}

TEST(Timeline, begins_at_120_in_4_4) {
    constexpr Timeline timeline{48'000};
    static_assert(timeline.running());
    EXPECT_DOUBLE_EQ(timeline.tempo_at(0), 120);
    EXPECT_EQ(timeline.beat_at(24'000), 1);
    EXPECT_EQ(timeline.next_line(4.5, 0), 8);
    EXPECT_EQ(timeline.next_line(4, 0), 4) << "a line is its own next one";
}

TEST(Timeline, has_lines_at_the_multiples_of_a_grid) {
    Timeline timeline;
    EXPECT_EQ(timeline.next_line(0, 0.25), 0);
    EXPECT_EQ(timeline.next_line(1.1, 0.25), 1.25);
    EXPECT_EQ(timeline.next_line(1.1, 1e-300), endless) << "too fine for a double";
    timeline.bar_beat = 5;
    timeline.bar_beats = 3;
    EXPECT_EQ(timeline.next_line(5.5, 0), 8);
    EXPECT_EQ(timeline.next_line(0.5, 0), 2) << "bars also come before the beat at which the signature was set";
    EXPECT_EQ(timeline.next_line(5.5, 1), 6) << "other grids count from beat 0";
}

TEST(Timeline, repeats_its_region_in_the_future_too) {
    Timeline timeline;
    timeline.loop_start = 1;
    timeline.loop_end = 3;
    timeline.looping = 1;
    EXPECT_EQ(timeline.beat_at(2.5 * 24'000), 2.5);
    EXPECT_NEAR(timeline.beat_at(3.5 * 24'000), 1.5, 1e-12);
    EXPECT_NEAR(timeline.beat_at(8 * 24'000), 2, 1e-9);
    EXPECT_EQ(timeline.frame_at(2), 2 * 24'000);
    EXPECT_EQ(timeline.frame_at(3), endless);
}

TEST(Timeline, a_beat_of_the_region_that_was_left_out_comes_in_the_next_round) {
    Timeline timeline;
    timeline.map.push(constant(24'000, 2, 120));  // from beat 1 to beat 2
    timeline.loop_start = 1;
    timeline.loop_end = 3;
    timeline.looping = 1;
    EXPECT_EQ(timeline.frame_at(1.5), 24'000 + 1.5 * 24'000);
}

}  // namespace
}  // namespace cueline::test
