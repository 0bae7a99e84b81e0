// player_sound_test.cpp: the player's interpolation, loops and limiter: how far its samples are from what they should
// be.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "player_playing.hpp"

namespace cueline::test {
namespace {

constexpr std::size_t nyquist_frames = 2;

/// A tone at this share of half the sample rate.
std::vector<float> tone(std::size_t frames, double share, float peak = 0.5F) {
    std::vector<float> samples = sine(frames, nyquist_frames / share);
    for (float& sample : samples) sample *= peak;
    return samples;
}

double decibels(double power) {
    return 10 * std::log10(power);
}

struct Heard {
    double tone_db;   // of the tone at a frequency, against full scale
    double noise_db;  // of all else
};

/// Fits a tone at this share of half the sample rate to `samples`, and measures what is left.
Heard measure(std::span<const float> samples, double share) {
    const double step = std::numbers::pi * share;
    double ss = 0;
    double sc = 0;
    double cc = 0;
    double xs = 0;
    double xc = 0;
    for (std::size_t frame = 0; frame < samples.size(); ++frame) {
        const double s = std::sin(step * static_cast<double>(frame));
        const double c = std::cos(step * static_cast<double>(frame));
        ss += s * s;
        sc += s * c;
        cc += c * c;
        xs += samples[frame] * s;
        xc += samples[frame] * c;
    }
    const double determinant = ss * cc - sc * sc;
    const double a = (xs * cc - xc * sc) / determinant;
    const double b = (xc * ss - xs * sc) / determinant;
    double noise = 0;
    for (std::size_t frame = 0; frame < samples.size(); ++frame) {
        const double s = std::sin(step * static_cast<double>(frame));
        const double c = std::cos(step * static_cast<double>(frame));
        const double rest = samples[frame] - a * s - b * c;
        noise += rest * rest;
    }
    return {.tone_db = decibels(a * a + b * b), .noise_db = decibels(2 * noise / static_cast<double>(samples.size()))};
}

/// Plays a tone at a rate, and returns 8000 frames from its middle.
std::vector<float> at_rate(double share, float rate) {
    Player player;
    player.publish(0, tone(static_cast<std::size_t>(9'000 * static_cast<double>(rate)) + 1'000, share));
    player.send(PlayBuffer{.slot = 0, .rate = rate});
    const std::vector<float> heard = player.render(9'000);
    return {heard.begin() + 500, heard.begin() + 8'500};
}

TEST(PlayerSound, interpolation_has_a_signal_to_noise_ratio_of_90_dB_up_to_four_fifths_of_half_the_sample_rate) {
    double worst = 1'000;
    for (const float rate : {0.1F, 0.5F, 0.7318F, 0.99F, 0.9999F}) {
        for (int percent = 2; percent <= 80; percent += 6) {
            const double share = percent / 100.0;
            const auto [tone_db, noise_db] = measure(at_rate(share, rate), share * static_cast<double>(rate));
            EXPECT_NEAR(tone_db, decibels(0.25), 0.01) << share << " at " << rate;
            worst = std::min(worst, tone_db - noise_db);
            EXPECT_GT(tone_db - noise_db, percent <= 50 ? 100 : 90) << share << " at " << rate;
        }
    }
    RecordProperty("signal_to_noise_db", std::to_string(worst));
    EXPECT_GT(worst, 90);
    EXPECT_LT(worst, 150) << "the measure sees no noise at all";
}

TEST(PlayerSound, higher_rates_keep_three_fifths_of_what_fits_and_take_out_what_would_fold) {
    double kept = 1'000;
    double folded = -1'000;
    for (const float rate : {1.01F, 1.189F, 1.5F, 2.0F, 2.7F, 4.0F}) {
        const double fits = 1 / static_cast<double>(rate);  // the highest tone, as a share of half the sample rate
        for (int percent = 2; percent <= 60; percent += 2) {
            const double share = percent / 100.0 * fits;
            const auto [tone_db, noise_db] = measure(at_rate(share, rate), share * static_cast<double>(rate));
            EXPECT_NEAR(tone_db, decibels(0.25), 0.1) << share << " at " << rate;
            kept = std::min(kept, tone_db - noise_db);
        }
        for (int percent = static_cast<int>(100 * fits) + 11; percent < 100; ++percent) {
            const double share = percent / 100.0;
            double power = 0;
            for (const float sample : at_rate(share, rate)) power += static_cast<double>(sample) * sample;
            folded = std::max(folded, decibels(power / 8'000 / 0.125));
        }
    }
    RecordProperty("signal_to_noise_db", std::to_string(kept));
    RecordProperty("folded_db", std::to_string(folded));
    EXPECT_GT(kept, 90);
    EXPECT_LT(folded, -88);
}

TEST(PlayerSound, a_rate_of_1_is_exact_to_the_bit_from_any_frame) {
    for (const std::uint32_t channels : {1U, 2U, 3U}) {
        Player player{64, channels};
        const std::vector<float> samples = noise(std::size_t{1'000} * channels);
        player.publish(0, samples, channels);
        player.send(PlayBuffer{.slot = 0, .start = 123});
        const std::vector<float> heard = player.render(877);
        EXPECT_TRUE(std::ranges::equal(heard, std::span{samples}.subspan(std::size_t{123} * channels)));
    }
}

TEST(PlayerSound, channels_are_interpolated_like_one) {
    const std::vector<float> left = noise(1'000, 1);
    const std::vector<float> right = noise(1'000, 2);
    const auto of = [](const std::vector<float>& samples) {
        Player player;
        player.publish(0, samples);
        player.send(PlayBuffer{.slot = 0, .rate = 0.7F});
        return player.render(1'400);
    };
    for (const std::uint32_t channels : {2U, 3U}) {
        std::vector<float> all;
        for (std::size_t frame = 0; frame < 1'000; ++frame) {
            all.push_back(left[frame]);
            all.push_back(right[frame]);
            all.insert(all.end(), channels - 2, 0.0F);
        }
        Player player{64, 2};
        player.publish(0, all, channels);
        player.send(PlayBuffer{.slot = 0, .rate = 0.7F});
        player.render(1'400);
        const std::vector<float> lone_left = of(left);
        const std::vector<float> lone_right = of(right);
        for (std::size_t frame = 0; frame < 1'400; ++frame) {
            ASSERT_NEAR(player.heard(0)[frame], lone_left[frame], 1e-6) << frame;
            ASSERT_NEAR(player.heard(1)[frame], lone_right[frame], 1e-6) << frame;
            if (frame > 20) frame += 50;
        }
    }
}

TEST(PlayerSound, a_loop_is_interpolated_across_its_ends) {
    for (const float rate : {0.7318F, 1.7F}) {
        Player player;
        std::vector<float> samples = tone(2'000, 0.1);            // 20 frames a cycle
        std::fill(samples.begin() + 1'500, samples.end(), 0.9F);  // nothing of this may be heard
        player.publish(0, samples);
        player.send(PlayBuffer{.slot = 0, .loop = 1, .rate = rate, .loop_start = 1'000, .loop_end = 1'060});
        std::vector<float> heard = player.render(20'000);
        heard.erase(heard.begin(), heard.begin() + 2'000);
        const auto [tone_db, noise_db] = measure(heard, 0.1 * static_cast<double>(rate));
        EXPECT_GT(tone_db - noise_db, 90) << rate;
    }
}

TEST(PlayerSound, a_loop_shorter_than_the_kernel_is_interpolated_like_a_long_one) {
    for (const float rate : {0.7318F, 1.7F}) {
        const std::vector<float> cycle = tone(20, 0.1);
        std::vector<float> cycles;
        for (int count = 0; count < 100; ++count) cycles.insert(cycles.end(), cycle.begin(), cycle.end());
        const auto heard = [&](const std::vector<float>& samples) {
            Player player;
            player.publish(0, samples);
            player.send(PlayBuffer{.slot = 0, .loop = 1, .rate = rate});
            std::vector<float> all = player.render(10'000);
            all.erase(all.begin(), all.begin() + 3'000);
            return all;
        };
        const std::vector<float> of_short = heard(cycle);
        const std::vector<float> of_long = heard(cycles);
        for (std::size_t frame = 0; frame < of_long.size(); ++frame) {
            ASSERT_NEAR(of_short[frame], of_long[frame], 1e-6) << frame;
        }
    }
}

TEST(PlayerSound, a_loop_that_moves_does_not_click) {
    const std::vector<float> samples = sine(48'000, 200);
    const float own = greatest_step(samples);
    const float slack = 2.0F / static_cast<float>(fade) + 1e-4F;
    const auto moves =
        std::to_array<SetVoice>({{.voice = 2, .loop_start = 100, .loop_end = 750, .loop = looping::on},  // far behind
                                 {.voice = 2, .loop_start = 10'000, .loop_end = 20'000, .loop = looping::on},
                                 {.voice = 2, .loop = looping::off}});
    for (const SetVoice& move : moves) {
        Player player;
        player.publish(0, samples);
        player.send(PlayBuffer{.slot = 0, .loop = 1, .rate = 1.0F, .loop_start = 1'000, .loop_end = 5'000});
        player.send(move, 4'950);  // at a peak
        player.send(move, 5'050);  // while it fades
        player.send(PlayBuffer{.slot = 0, .gain = 0}, 5'100);
        const std::vector<float> heard = player.render(9'000);
        EXPECT_LT(greatest_step(std::span{heard}.first(4'960 + fade)), own + slack);
    }
}

TEST(PlayerSound, a_moved_loop_plays_its_own_frames) {
    Player player;
    const std::vector<float> samples = noise(2'000);
    player.publish(0, samples);
    const std::uint32_t voice = player.send(PlayBuffer{.slot = 0, .loop = 1, .loop_start = 100, .loop_end = 900});
    player.send(SetVoice{.voice = voice, .loop_start = 200, .loop_end = 300, .loop = looping::on}, 500);
    player.send(SetVoice{.voice = voice, .loop = looping::off}, 1'005);
    const std::vector<float> heard = player.render(4'000);
    for (std::size_t frame = 0; frame < 500; ++frame) ASSERT_EQ(heard[frame], samples[frame]);
    for (std::size_t frame = 500 + fade; frame < 1'005; ++frame) ASSERT_EQ(heard[frame], samples[200 + frame % 100]);
    for (std::size_t frame = 1'005 + fade; frame < 2'800; ++frame) {
        ASSERT_EQ(heard[frame], samples[frame - 800]) << frame;  // from 205 on, to the end
    }
    const std::vector<Message> events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].frame, 2'800U);
}

TEST(PlayerSound, a_rate_changes_without_a_jump) {
    Player player;
    const std::vector<float> samples = sine(48'000, 200);
    player.publish(0, samples);
    const std::uint32_t voice = player.play(0);
    for (std::uint32_t count = 1; count < 100; ++count) {
        player.send(SetVoice{.voice = voice, .rate = 0.2F + 0.03F * static_cast<float>(count)},
                    std::uint64_t{100} * count);
    }
    EXPECT_LT(greatest_step(player.render(9'000)), 3.2F * greatest_step(samples) + 1e-3F);
}

TEST(PlayerSound, a_stolen_voice_and_one_that_is_stopped_do_not_click) {
    const std::vector<float> samples = sine(48'000, 200);
    const float own = greatest_step(samples);
    const float slack = 2.0F / static_cast<float>(fade) + 1e-4F;
    Player player{64, 1, 8, 1};
    player.publish(0, samples);
    player.publish(1, std::vector<float>(48'000));
    player.play(0);
    player.send(PlayBuffer{.slot = 1}, 1'050);  // at the peak
    player.send(PlayBuffer{.slot = 1}, 1'060);  // while it fades
    player.empty(0, 1'070);
    EXPECT_LT(greatest_step(player.render(3'000)), own + slack);
}

TEST(PlayerSound, the_limiter_lets_no_sample_exceed_the_threshold) {
    std::mt19937_64 random{std::random_device{}()};
    const auto below = [&random](std::uint32_t count) { return static_cast<std::uint32_t>(random() % count); };
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t seed = random();
        random.seed(seed);
        const std::uint32_t blocksize = 1 + below(200);
        Player player{blocksize, 1 + below(3)};
        const double threshold = 0.01 * (1 + below(100));
        player.set(player_threshold, threshold);
        player.set(player_gain, 0.04 * (1 + below(100)));
        const float pan = round % 2 == 0 ? 1.0F : 0.02F * static_cast<float>(below(101)) - 1;  // 1: one output alone
        for (std::uint16_t slot = 0; slot < 8; ++slot) {
            player.publish(slot, noise(std::size_t{2} * (500 + below(2'500)), below(1'000), 1.0F), 1 + below(2));
        }
        for (int count = 0; count < 40; ++count) {
            player.send(PlayBuffer{.slot = static_cast<std::uint16_t>(below(8)),
                                   .loop = static_cast<std::uint8_t>(below(2)),
                                   .gain = 0.1F * static_cast<float>(below(41)),
                                   .pan = pan,
                                   .rate = 0.01F * static_cast<float>(1 + below(300))},
                        below(10'000));
        }
        const auto most = static_cast<float>(threshold);
        for (const float sample : player.render(12'000)) ASSERT_LE(std::abs(sample), most) << "seed " << seed;
    }
}

TEST(PlayerSound, the_limiter_can_be_off_and_changes_nothing_below_the_threshold) {
    Player player;
    const std::vector<float> loud = sine(2'000, 100);
    const std::vector<float> quiet = noise(20'000);
    player.publish(0, loud);
    player.publish(1, quiet);
    player.send(PlayBuffer{.slot = 0, .gain = 3}, 1'000);
    player.send(PlayBuffer{.slot = 1}, 30'000);
    player.set(player_limiter, 0);
    std::vector<float> heard = player.render(30'000);
    EXPECT_EQ(std::ranges::max(heard), 3.0F);
    player.set(player_limiter, 1);
    heard = player.render(20'000);
    EXPECT_TRUE(std::ranges::equal(heard, quiet));
    player.send(PlayBuffer{.slot = 0, .gain = 3});
    heard = player.render(2'000);
    EXPECT_EQ(std::ranges::max(heard), 1.0F);
    player.send(PlayBuffer{.slot = 1}, 80'000);
    player.render(28'000);
    EXPECT_TRUE(std::ranges::equal(player.render(20'000), quiet)) << "it has recovered";
}

TEST(PlayerSound, the_limiter_recovers_within_a_tenth_of_a_second) {
    Player player;
    std::vector<float> samples(48'000, 0.5F);
    samples[1'000] = 2;
    player.publish(0, samples);
    player.play(0);
    const std::vector<float> heard = player.render(20'000);
    EXPECT_EQ(heard[999], 0.5F);
    EXPECT_EQ(heard[1'000], 1.0F);
    EXPECT_NEAR(heard[1'001], 0.25F, 0.01F);
    EXPECT_GT(heard[1'000 + 4'800], 0.48F);
    EXPECT_EQ(heard[19'999], 0.5F);
}

TEST(PlayerSound, the_gain_is_a_parameter) {
    Player player;
    const std::vector<float> samples = noise(5'000);
    player.publish(0, samples);
    player.set(player_gain, 0.5);  // before the first block: at once
    player.play(0);
    std::vector<float> heard = player.render(1'000);
    for (std::size_t frame = 0; frame < 1'000; ++frame) ASSERT_EQ(heard[frame], 0.5F * samples[frame]);
    player.set(player_gain, 1);
    heard = player.render(4'000);
    for (std::size_t frame = 960; frame < 4'000; ++frame) ASSERT_EQ(heard[frame], samples[1'000 + frame]);
}

struct Account {
    std::vector<float> heard;
    std::vector<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>> events;
    std::vector<std::uint32_t> outcomes;
    std::vector<double> meters;
};

/// Random use of all messages and parameters.
Account conversation(std::uint64_t seed, std::uint32_t blocksize) {
    constexpr std::uint32_t round_frames = 3'000;
    std::mt19937_64 random{seed};
    const auto below = [&random](std::uint32_t count) { return static_cast<std::uint32_t>(random() % count); };
    Player player{blocksize, 2, 8, 6};
    Account account;
    for (std::uint32_t round = 0; round < 12; ++round) {
        std::vector<std::uint32_t> voices{1};
        for (int cues = 0; cues < 60; ++cues) {
            const std::uint64_t at = round * round_frames + 1 + below(round_frames - 1);
            const auto slot = static_cast<std::uint16_t>(below(8));
            const auto loop_start = below(900);
            const auto rate = 0.01F * static_cast<float>(1 + below(300));
            const std::uint32_t voice = voices[below(static_cast<std::uint32_t>(voices.size()))];
            switch (below(9)) {
                case 0:
                    player.publish(slot, noise(std::size_t{2} * (1 + below(3'000)), below(100)), 2, at);
                    break;
                case 1:
                    player.empty(slot, at);
                    break;
                case 2:
                    player.send(SetSlot{.slot = slot,
                                        .attack_s = 0.001F * static_cast<float>(below(20)),
                                        .release_s = 0.001F * static_cast<float>(below(50))},
                                at);
                    break;
                case 3:
                    player.confirm(StopVoice{voice}, at);
                    break;
                case 4:
                case 5:
                    player.confirm(SetVoice{.voice = voice,
                                            .gain = 0.01F * static_cast<float>(below(100)),
                                            .pan = 0.02F * static_cast<float>(below(100)) - 1,
                                            .rate = rate,
                                            .loop_start = loop_start,
                                            .loop_end = loop_start + below(1'000),
                                            .loop = static_cast<std::uint8_t>(below(3))},
                                   at);
                    break;
                default:
                    voices.push_back(player.confirm(PlayBuffer{.slot = slot,
                                                               .choke_group = static_cast<std::uint16_t>(below(3)),
                                                               .loop = static_cast<std::uint8_t>(below(2)),
                                                               .pan = 0.02F * static_cast<float>(below(100)) - 1,
                                                               .rate = below(3) == 0 ? 1.0F : rate,
                                                               .start = below(500),
                                                               .loop_start = loop_start,
                                                               .loop_end = loop_start + below(1'000)},
                                                    at));
            }
        }
        player.set(player_gain, 0.02 * below(101));
        player.set(player_threshold, 0.01 * (1 + below(100)));
        if (below(4) == 0) player.set(player_limiter, below(2));
        player.render(round_frames);
        for (const Message& event : player.events()) {
            account.events.emplace_back(event.frame, event.sequence, event.as<BufferEnded>().slot);
        }
        std::ranges::sort(account.events);  // those of one block come in the order of the voices
        for (const Message& outcome : player.confirmations()) {
            account.outcomes.push_back(outcome.sequence);
            account.outcomes.push_back(outcome.kind == kind::applied
                                           ? outcome.as<Applied>().value
                                           : static_cast<std::uint32_t>(outcome.as<Refused>().reason));
        }
        for (std::size_t address = 0; address < 2 + 6 + 8; ++address) {
            const MeterValue value = player.meter(address);
            account.meters.insert(account.meters.end(), {value.fields[0], value.fields[1]});
        }
    }
    account.heard = player.heard(0);
    const std::vector<float> right = player.heard(1);
    account.heard.insert(account.heard.end(), right.begin(), right.end());
    return account;
}

TEST(PlayerSound, block_size_does_not_change_where_an_automation_switches_the_limiter) {
    const std::vector<float> loud = noise(3'000, 1, 4);
    for (const double from : {0, 1}) {
        const auto heard = [&](std::uint32_t blocksize) {
            Player player{blocksize};
            player.publish(0, loud);
            player.play(0);
            Automate automation{.value = from, .parameter = player_limiter};
            automation.automation = player.send(automation);
            automation.shape = Shape::linear;
            automation.value = 1 - from;
            automation.end = 2'001;
            player.send(automation);
            return player.render(3'000);
        };
        const std::vector<float> expected = heard(1);
        const std::span limited{from == 1 ? expected.begin() : expected.begin() + 1'001, 1'000};
        EXPECT_EQ(std::ranges::max(limited), 1);
        EXPECT_GT(std::ranges::max(expected), 1);
        for (const std::uint32_t blocksize : {7U, 64U, 1'000U}) {
            const std::vector<float> other = heard(blocksize);
            const auto [at, wanted] = std::ranges::mismatch(other, expected);
            EXPECT_EQ(at, other.end()) << blocksize << ", frame " << at - other.begin();
        }
    }
}

TEST(PlayerSound, block_size_does_not_change_a_sample) {
    const std::uint64_t seed = std::random_device{}();
    for (std::uint64_t number = seed; number < seed + 5; ++number) {
        const Account expected = conversation(number, 64);
        EXPECT_GT(std::ranges::max(expected.heard), 0);
        EXPECT_FALSE(expected.events.empty());
        for (const std::uint32_t blocksize : {1U, 7U, 512U}) {
            const Account account = conversation(number, blocksize);
            EXPECT_TRUE(account.events == expected.events) << "seed " << number << ", " << blocksize;
            EXPECT_TRUE(account.outcomes == expected.outcomes) << "seed " << number << ", " << blocksize;
            EXPECT_TRUE(account.meters == expected.meters) << "seed " << number << ", " << blocksize;
            const auto [at, other] = std::ranges::mismatch(account.heard, expected.heard);
            EXPECT_EQ(at, account.heard.end())
                << "seed " << number << ", " << blocksize << ", frame " << at - account.heard.begin();
        }
    }
}

}  // namespace
}  // namespace cueline::test
