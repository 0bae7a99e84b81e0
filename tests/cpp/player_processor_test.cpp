// player_processor_test.cpp: the player's voices and slots: what plays when, bit for bit, and what it reports.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/buffer_pool.hpp"
#include "player_playing.hpp"
#include "processors/player_places.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(PlayerProcessor, a_buffer_sounds_as_it_is_and_then_there_is_silence) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 100U, 128U}) {
        Player player{blocksize};
        const std::vector<float> samples = ramp(100);
        player.publish(2, samples);
        player.play(2);
        std::vector<float> expected = samples;
        expected.resize(300, 0.0F);
        EXPECT_EQ(player.render(300), expected) << "blocks of " << blocksize;
        const std::vector<Message> events = player.events();
        ASSERT_EQ(events.size(), 1U) << "blocks of " << blocksize;
        EXPECT_EQ(events[0].kind, kind::buffer_ended);
        EXPECT_EQ(events[0].as<BufferEnded>().slot, 2U);
        EXPECT_EQ(events[0].frame, 100U) << "blocks of " << blocksize;
        EXPECT_EQ(events[0].sequence, 2U);
    }
}

TEST(PlayerProcessor, gain_scales_and_is_held_to_its_range) {
    const std::vector<float> samples = ramp(10);
    const auto first = [&](float gain) {
        Player player;
        player.publish(0, samples);
        player.play(0, gain);
        return player.render(10)[0] / samples[0];
    };
    EXPECT_EQ(first(0.5F), 0.5F);
    EXPECT_EQ(first(0), 0);
    EXPECT_EQ(first(-1), 0);
    EXPECT_EQ(first(3), 3);
    EXPECT_EQ(first(7), 4);
    EXPECT_EQ(first(std::numeric_limits<float>::infinity()), 4);
    EXPECT_EQ(first(std::numeric_limits<float>::quiet_NaN()), 0);
}

TEST(PlayerProcessor, one_channel_sounds_on_all_and_several_on_as_many_as_there_are) {
    const std::vector<float> samples = ramp(6);
    Player stereo{64, 2};
    stereo.publish(0, samples, 1);
    stereo.play(0);
    const std::vector<float> mono_on_two = stereo.render(6);
    for (std::size_t frame = 0; frame < 6; ++frame) {
        EXPECT_EQ(mono_on_two[2 * frame], samples[frame]);
        EXPECT_EQ(mono_on_two[2 * frame + 1], samples[frame]);
    }
    stereo.publish(1, samples, 2);
    stereo.play(1);
    EXPECT_TRUE(std::ranges::equal(stereo.render(3), samples));
    stereo.publish(2, samples, 3);
    stereo.play(2);
    EXPECT_EQ(stereo.render(2), (std::vector<float>{samples[0], samples[1], samples[3], samples[4]}));

    Player three{64, 3};
    three.publish(0, samples, 2);
    three.play(0);
    EXPECT_EQ(three.render(2), (std::vector<float>{samples[0], samples[1], 0, samples[2], samples[3], 0}));
}

TEST(PlayerProcessor, a_loop_goes_round_without_a_gap_and_never_ends) {
    Player player;
    const std::vector<float> samples = ramp(30);
    player.publish(0, samples);
    player.play(0, 1, true);
    const std::vector<float> heard = player.render(1'000);
    for (std::size_t frame = 0; frame < heard.size(); ++frame) ASSERT_EQ(heard[frame], samples[frame % 30]);
    EXPECT_TRUE(player.events().empty());
}

TEST(PlayerProcessor, voices_are_added_up) {
    Player player;
    const std::vector<float> first = ramp(50);
    const std::vector<float> second = ramp(50, 700);
    player.publish(0, first);
    player.publish(7, second);
    player.play(0);
    player.play(7);
    const std::vector<float> heard = player.render(50);
    for (std::size_t frame = 0; frame < 50; ++frame) EXPECT_EQ(heard[frame], first[frame] + second[frame]);
    EXPECT_EQ(player.events().size(), 2U);
}

TEST(PlayerProcessor, a_swapped_voice_goes_on_at_its_place_in_the_new_buffer) {
    Player player;
    player.publish(0, ramp(2'000));
    player.play(0);
    player.render(500);
    const std::vector<float> other = ramp(2'000, -1'500);
    player.publish(0, other);
    const std::vector<float> heard = player.render(1'500);
    EXPECT_TRUE(std::ranges::equal(std::span{heard}.subspan(fade), std::span{other}.subspan(500 + fade)));
    EXPECT_FALSE(std::ranges::equal(std::span{heard}.first(fade), std::span{other}.subspan(500, fade)));
    const std::vector<Message> events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].frame, 2'000U);
    EXPECT_EQ(events[0].sequence, 2U);
}

/// Two sines that are far apart where a jump joins them.
template <class Act>
std::vector<float> around(Act act) {
    Player player;
    player.publish(0, sine(48'000, 200));
    player.play(0);
    player.render(64 * 20 + 50);  // at its peak
    act(player);
    player.render(2'000);
    return player.heard();
}

TEST(PlayerProcessor, nothing_clicks) {
    std::vector<float> upside_down = sine(48'000, 200);
    for (float& sample : upside_down) sample = -sample;
    const float own = greatest_step(upside_down);
    const float slack = 2.0F / static_cast<float>(fade) + 1e-4F;  // for a jump from 1 to -1
    EXPECT_GT(own, 0.03F);
    EXPECT_LT(own + slack, 0.05F);

    EXPECT_LT(greatest_step(around([&](Player& player) { player.publish(0, upside_down); })), own + slack);
    EXPECT_LT(greatest_step(around([&](Player& player) {
                  player.publish(0, upside_down);  // several in a block
                  player.publish(0, sine(48'000, 190));
              })),
              own + slack);
    EXPECT_LT(greatest_step(around([](Player& player) { player.stop(0); })), own + slack);
    EXPECT_LT(greatest_step(around([](Player& player) { player.empty(0); })), own + slack);
    EXPECT_LT(greatest_step(around([](Player& player) { player.publish(0, std::vector<float>(10)); })), own + slack);
    // The check can fail: the end of a buffer at its peak is not smoothed.
    Player player;
    player.publish(0, sine(50, 200));
    player.play(0);
    EXPECT_GT(greatest_step(player.render(100)), 0.9F);
}

TEST(PlayerProcessor, is_never_louder_than_the_louder_of_two_sounds) {
    const std::vector<float> full = sine(48'000, 48);
    std::vector<float> upside_down = full;
    for (float& sample : upside_down) sample = -sample;
    for (std::uint64_t at = 2'000; at < 2'048; ++at) {  // anywhere in the wave
        Player swapped;
        swapped.set(player_limiter, 0);
        swapped.publish(0, full);
        swapped.play(0);
        swapped.publish(0, upside_down, 1, at);
        swapped.publish(0, full, 1, at + 100);  // while it fades
        for (const float sample : swapped.render(3'000)) ASSERT_LE(std::abs(sample), 1 + 1e-6F) << at;
    }
}

TEST(PlayerProcessor, a_stopped_voice_is_silent_after_the_fade_and_says_nothing) {
    Player player;
    player.publish(0, ramp(4'000));
    player.play(0);
    player.render(1'000);
    player.stop(0);
    const std::vector<float> heard = player.render(1'000);
    EXPECT_NE(heard[fade - 1], 0);
    EXPECT_TRUE(std::ranges::all_of(std::span{heard}.subspan(fade), [](float sample) { return sample == 0; }));
    EXPECT_TRUE(player.events().empty());
    player.play(0);
    EXPECT_EQ(player.render(10), ramp(10)) << "a silent voice begins with its buffer's samples unchanged";
}

TEST(PlayerProcessor, a_voice_that_loses_its_buffer_has_ended) {
    Player player;
    player.publish(0, ramp(4'000));
    player.play(0);
    player.render(640);
    player.empty(0);
    player.render(64);
    player.publish(0, ramp(4'000));
    player.render(640);
    std::vector<Message> events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].frame, 640U);

    player.play(0);
    player.render(640);
    player.publish(0, ramp(100));  // too short to continue in
    player.render(640);
    events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].frame, 1'344U + 640U);

    player.play(5);  // an empty slot
    player.render(1);
    events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].as<BufferEnded>().slot, 5U);
    EXPECT_EQ(events[0].frame, 2'624U);
}

TEST(PlayerProcessor, a_loop_goes_round_in_a_shorter_buffer) {
    Player player;
    player.publish(0, ramp(4'000));
    player.play(0, 1, true);
    player.render(1'030);
    const std::vector<float> shorter = ramp(100);
    player.publish(0, shorter);
    const std::vector<float> heard = player.render(1'000);
    for (std::size_t frame = fade; frame < heard.size(); ++frame) {
        ASSERT_EQ(heard[frame], shorter[(1'030 + frame) % 100]) << frame;
    }
    EXPECT_TRUE(player.events().empty());
}

TEST(PlayerProcessor, missing_slots_and_impossible_rates_are_not_handled) {
    Player player;
    player.play(128);
    player.play(65'535);
    player.stop(128);
    player.stop(~0U);
    player.send(SetSlot{.slot = 128});
    for (const float rate : {0.0F, -1.0F, 65.0F, std::numeric_limits<float>::infinity(), nan}) {
        player.send(PlayBuffer{.slot = 0, .rate = rate});
    }
    player.render(1);
    EXPECT_EQ(player.stats().unhandled, 10U);
    EXPECT_EQ(player.playing(), 0);
}

TEST(PlayerProcessor, a_full_event_ring_stops_no_voice) {
    Player player;
    player.publish(0, ramp(1));
    for (std::size_t count = 0; count < MessageRing::capacity + 10; ++count) {
        player.play(0);
        player.render(1);
    }
    EXPECT_EQ(player.stats().events.dropped, 10U);
    player.play(0);
    EXPECT_EQ(player.render(1)[0], ramp(1)[0]);
}

TEST(PlayerProcessor, a_place_is_found_for_each_voice_and_the_oldest_makes_room) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 512U}) {
        Player player{blocksize, 1, 8, 2};
        player.publish(0, std::vector<float>(10'000, 0.125F));
        player.publish(1, std::vector<float>(10'000, 0.25F));
        player.publish(2, std::vector<float>(10'000, 0.5F));
        const std::uint32_t oldest = player.play(0);
        const std::uint32_t other = player.send(PlayBuffer{.slot = 1}, 100);
        player.send(PlayBuffer{.slot = 2}, 1'000);
        player.confirm(StopVoice{oldest}, 1'001);
        player.confirm(StopVoice{other}, 1'002);
        const std::vector<float> heard = player.render(2'000);
        EXPECT_EQ(heard[99], 0.125F);
        EXPECT_EQ(heard[999], 0.375F);
        EXPECT_EQ(heard[1'000], 0.875F) << "the new voice begins at once, and the oldest fades";
        EXPECT_LT(heard[1'001], 0.875F);
        EXPECT_EQ(heard[1'000 + 2 * fade], 0.5F);
        EXPECT_EQ(player.stolen(), 1);
        EXPECT_EQ(player.playing(), 1);
        EXPECT_TRUE(player.events().empty());
        const std::vector<Message> outcomes = player.confirmations();
        ASSERT_EQ(outcomes.size(), 2U);
        EXPECT_EQ(outcomes[0].kind, kind::refused) << "a stolen voice has ended";
        EXPECT_EQ(static_cast<std::uint32_t>(outcomes[0].as<Refused>().reason), first_own_reason);
        EXPECT_EQ(outcomes[1].kind, kind::applied);
    }
}

TEST(PlayerProcessor, a_confirmation_names_the_place_whose_meter_names_the_voice) {
    Player player{64, 1, 8, 3};
    player.publish(0, ramp(100));
    player.confirm(PlayBuffer{.slot = 0, .loop = 1});
    const std::uint32_t second = player.confirm(PlayBuffer{.slot = 0});
    player.render(64);
    const std::vector<Message> outcomes = player.confirmations();
    ASSERT_EQ(outcomes.size(), 2U);
    const std::size_t place = outcomes[1].as<Applied>().value;
    EXPECT_EQ(place, 1U);
    EXPECT_EQ(player.meter(player_first_voice + place).fields[1], second);
    EXPECT_EQ(player.playing(), 2);
    player.render(64);
    EXPECT_EQ(player.meter(player_first_voice + place).fields[1], 0) << "it has ended";
    EXPECT_EQ(player.meter(player_first_voice + place).frame, 100U);
    EXPECT_EQ(player.playing(), 1);
}

TEST(PlayerProcessor, a_voice_belongs_to_the_line_that_started_it) {
    Player player;
    player.publish(0, ramp(1'000));
    const std::uint32_t voice = player.play(0);
    Message foreign = Message::of(StopVoice{voice});
    foreign.line = 1;
    BufferSlots::Table::Returns returns;
    BufferPool pool{8, 0, returns};
    BufferSlots slots = pool.audio_side();
    const OwnedLink link;
    AudioSide audio{link};
    // Two lines have a voice of the same sequence.
    PlayerProcessor processor{8, 4};
    processor.prepare({.outputs = 1});
    std::vector<SharedMeter> shared(2 + 4 + 8);
    std::vector<Meter> meters;
    for (SharedMeter& one : shared) meters.emplace_back(one);
    ProcessContext context{audio.events(), {}, meters, &slots};
    for (const std::uint8_t line : {std::uint8_t{0}, std::uint8_t{1}}) {
        Message start = Message::of(PlayBuffer{});
        start.set_origin(line, voice);
        EXPECT_EQ(processor.handle(start, context).result, Outcome::Result::applied);
    }
    EXPECT_EQ(processor.handle(foreign, context).result, Outcome::Result::applied);
    foreign.line = 2;
    EXPECT_EQ(processor.handle(foreign, context).result, Outcome::Result::refused);
}

TEST(PlayerProcessor, a_new_voice_of_a_choke_group_fades_the_others_of_it) {
    Player player;
    player.publish(0, std::vector<float>(10'000, 0.25F));
    player.send(PlayBuffer{.slot = 0, .choke_group = 1});
    player.send(PlayBuffer{.slot = 0, .choke_group = 2}, 1);
    player.send(PlayBuffer{.slot = 0}, 2);
    player.send(PlayBuffer{.slot = 0, .choke_group = 1}, 1'000);
    const std::vector<float> heard = player.render(2'000);
    EXPECT_EQ(heard[999], 0.75F);
    EXPECT_EQ(heard[1'000], 1.0F);
    EXPECT_LT(heard[1'001], 1.0F);
    EXPECT_GT(heard[1'000 + fade - 1], 0.75F);
    EXPECT_EQ(heard[1'000 + fade], 0.75F);
    EXPECT_EQ(player.playing(), 3);
    EXPECT_EQ(player.stolen(), 0);
}

TEST(PlayerProcessor, a_slot_has_an_attack_and_a_release) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 512U}) {
        Player player{blocksize};
        player.publish(0, std::vector<float>(10'000, 0.5F));
        player.send(SetSlot{.slot = 0, .attack_s = 0.01F});
        player.send(SetSlot{.slot = 0, .release_s = 0.02F});
        const std::uint32_t voice = player.play(0);
        player.send(StopVoice{voice}, 1'000);
        const std::vector<float> heard = player.render(3'000);
        for (std::size_t frame = 0; frame < 480; ++frame) {
            ASSERT_NEAR(heard[frame], 0.5 * static_cast<double>(frame) / 480, 1e-6) << frame;
        }
        for (std::size_t frame = 480; frame <= 1'000; ++frame) ASSERT_EQ(heard[frame], 0.5F) << frame;
        for (std::size_t frame = 0; frame < 960; ++frame) {
            ASSERT_NEAR(heard[1'000 + frame], 0.5 - 0.5 * static_cast<double>(frame) / 960, 1e-6) << frame;
        }
        for (std::size_t frame = 1'960; frame < 3'000; ++frame) ASSERT_EQ(heard[frame], 0) << frame;
        EXPECT_TRUE(player.events().empty()) << "it was stopped";
    }
}

TEST(PlayerProcessor, a_release_of_zero_ends_at_its_frame) {
    Player player;
    player.publish(0, std::vector<float>(10'000, 0.5F));
    player.send(SetSlot{.slot = 0, .release_s = 0});
    player.send(StopVoice{player.play(0)}, 1'000);
    const std::vector<float> heard = player.render(1'100);
    EXPECT_EQ(heard[999], 0.5F);
    EXPECT_EQ(heard[1'000], 0);
    EXPECT_EQ(player.playing(), 0);
}

TEST(PlayerProcessor, a_loop_goes_on_under_the_release) {
    Player player;
    const std::vector<float> samples = noise(100);
    player.publish(0, samples);
    player.send(SetSlot{.slot = 0, .release_s = 0.1F});
    const std::uint32_t voice = player.send(PlayBuffer{.slot = 0, .loop = 1, .loop_start = 20, .loop_end = 70});
    player.send(StopVoice{voice}, 500);
    const std::vector<float> heard = player.render(6'000);
    for (std::size_t frame = 0; frame < 4'800; ++frame) {
        const std::size_t at = 500 + frame < 70 ? 500 + frame : 20 + (500 + frame - 20) % 50;
        const double part = 1 - static_cast<double>(frame) / 4'800;
        ASSERT_NEAR(heard[500 + frame], samples[at] * part, 1e-6) << frame;
    }
    EXPECT_EQ(heard[5'300], 0);
}

TEST(PlayerProcessor, a_stop_of_a_slot_stops_all_of_its_voices_and_no_other) {
    Player player;
    player.publish(0, std::vector<float>(10'000, 0.125F));
    player.publish(1, std::vector<float>(10'000, 0.25F));
    player.play(0);
    player.play(0);
    player.play(1);
    player.send(StopBuffer{.slot = 0}, 500);
    const std::vector<float> heard = player.render(1'000);
    EXPECT_EQ(heard[499], 0.5F);
    EXPECT_EQ(heard[500 + fade], 0.25F);
    EXPECT_EQ(player.playing(), 1);
}

TEST(PlayerProcessor, gain_and_pan_of_a_voice_move_within_5_ms) {
    Player player{64, 2};
    player.publish(0, std::vector<float>(10'000, 0.5F));
    const std::uint32_t voice = player.send(PlayBuffer{.slot = 0, .pan = -1});
    player.send(SetVoice{.voice = voice, .gain = 0.5F}, 1'000);
    player.send(SetVoice{.voice = voice, .pan = 0.5F}, 2'000);
    player.render(3'000);
    const std::vector<float> left = player.heard(0);
    const std::vector<float> right = player.heard(1);
    EXPECT_EQ(left[0], 0.5F);
    EXPECT_EQ(right[0], 0);
    EXPECT_EQ(left[1'000 + fade], 0.25F);
    EXPECT_EQ(right[1'999], 0);
    EXPECT_EQ(left[2'000 + fade], 0.125F);
    EXPECT_EQ(right[2'000 + fade], 0.25F);
    EXPECT_LT(greatest_step(left), 1.0F / fade);
    EXPECT_LT(greatest_step(right), 1.0F / fade);
}

TEST(PlayerProcessor, a_change_at_the_first_frame_counts_from_there) {
    Player player;
    player.publish(0, std::vector<float>(1'000, 0.5F));
    const std::uint32_t voice = player.send(PlayBuffer{.slot = 0}, 100);
    player.send(SetVoice{.voice = voice, .gain = 0.5F}, 100);
    EXPECT_EQ(player.render(101)[100], 0.25F);
}

TEST(PlayerProcessor, a_voice_that_has_ended_or_never_was_refuses_messages) {
    Player player;
    player.publish(0, ramp(100));
    const std::uint32_t voice = player.play(0);
    player.confirm(SetVoice{.voice = voice, .gain = 0.5F}, 99);
    player.confirm(SetVoice{.voice = voice, .gain = 0.5F}, 100);
    player.confirm(StopVoice{voice}, 101);
    player.confirm(StopVoice{12'345}, 102);
    player.confirm(SetVoice{.voice = voice, .rate = 0}, 103);
    player.render(200);
    const std::vector<Message> outcomes = player.confirmations();
    ASSERT_EQ(outcomes.size(), 5U);
    EXPECT_EQ(outcomes[0].kind, kind::applied);
    for (const std::size_t index : {1U, 2U, 3U}) {
        ASSERT_EQ(outcomes[index].kind, kind::refused);
        const auto [frame, reason] = outcomes[index].as<Refused>();
        EXPECT_EQ(static_cast<std::uint32_t>(reason), first_own_reason) << "ENDED";
    }
    EXPECT_EQ(outcomes[4].as<Refused>().reason, Reason::unknown);
    const PlayerProcessor processor;
    EXPECT_EQ(processor.reasons()[0], "ENDED");
}

TEST(PlayerProcessor, fields_that_others_make_void_are_refused) {
    Player player;
    player.publish(3, ramp(100));
    const BufferHandle handle = player.load_buffer(ramp(100));
    const auto is_refused = [&](const auto& command) {
        const std::uint64_t before = player.stats().unhandled;
        player.send(command);
        player.render(1);
        return player.stats().unhandled == before + 1;
    };
    EXPECT_FALSE(is_refused(PlayBuffer{.slot = 3}));
    EXPECT_FALSE(is_refused(PlayBuffer{.handle = handle}));
    EXPECT_TRUE(is_refused(PlayBuffer{.slot = 3, .handle = handle}));
    EXPECT_TRUE(is_refused(PlayBuffer{.slot = 3, .unload = 1}));
    EXPECT_TRUE(is_refused(PlayBuffer{.slot = 3, .loop_start = 1}));
    EXPECT_TRUE(is_refused(PlayBuffer{.slot = 3, .loop_end = 50}));
    EXPECT_FALSE(is_refused(PlayBuffer{.slot = 3, .loop = 1, .loop_start = 1, .loop_end = 50}));
    const std::uint32_t voice = player.play(3);
    EXPECT_TRUE(is_refused(SetVoice{.voice = voice, .loop_end = 50}));
    EXPECT_TRUE(is_refused(SetVoice{.voice = voice, .loop_start = 5, .loop = looping::off}));
    EXPECT_FALSE(is_refused(SetVoice{.voice = voice, .loop_start = 5, .loop = looping::on}));
    EXPECT_TRUE(is_refused(PlayBuffer{.slot = 3, .unload = 1, .handle = handle}));
    EXPECT_EQ(player.stats().buffers.in_use, 1U) << "a start that is refused unloads, too";
}

TEST(PlayerProcessor, a_group_fades_out_once) {
    Player player;
    player.publish(0, std::vector<float>(48'000, 0.25F));
    player.send(PlayBuffer{.slot = 0, .choke_group = 1});
    player.send(PlayBuffer{.slot = 0, .choke_group = 2});
    player.render(64);
    player.send(PlayBuffer{.slot = 0, .choke_group = 1, .gain = 0});
    player.render(fade / 2);
    player.send(PlayBuffer{.slot = 0, .choke_group = 1, .gain = 0});
    player.render(fade / 2);
    EXPECT_EQ(player.render(fade).front(), 0.25F) << "the fade did not begin again";
    EXPECT_EQ(player.playing(), 2) << "one of each group";
}

TEST(PlayerPlaces, agree_with_a_list_of_starts) {
    std::mt19937_64 random{seed()};
    for (const std::size_t count : {1U, 2U, 32U, 65U, 256U}) {
        PlayerPlaces places{count};
        std::vector<std::size_t> started;  // the places of those that play, the oldest first
        for (std::uint32_t step = 1; step < 5'000; ++step) {
            std::size_t expected = started.empty() ? 0 : started.front();
            for (std::size_t index = count; index-- > 0;) {
                if (std::ranges::find(started, index) == started.end()) expected = index;
            }
            ASSERT_EQ(places.next(), expected);
            const bool is_full = started.size() == count;
            if (!started.empty() && random() % (is_full ? 4 : 3) == 0) {
                const auto ended = started.begin() + static_cast<std::ptrdiff_t>(random() % started.size());
                const Cause cause = places.all()[*ended].started_by;
                ASSERT_EQ(places.free(*ended), cause);
                ASSERT_FALSE(places.all()[*ended].plays);
                started.erase(ended);
            } else {
                Cause cause;
                cause.sequence = step;
                ASSERT_EQ(places.take(expected, cause, 0), is_full);
                std::erase(started, expected);
                started.push_back(expected);
                ASSERT_EQ(places.all()[expected].started_by, cause);
            }
            ASSERT_EQ(places.playing(), started.size());
        }
    }
}

TEST(PlayerProcessor, a_loaded_buffer_plays_and_is_unloaded_when_its_voice_has_ended) {
    Player player;
    const std::vector<float> samples = ramp(100);
    const BufferHandle kept = player.load_buffer(samples);
    player.send(PlayBuffer{.handle = kept});
    const BufferHandle given = player.load_buffer(samples);
    const std::uint32_t voice = player.send(PlayBuffer{.unload = 1, .handle = given}, 200);
    player.render(250);
    EXPECT_EQ(player.stats().buffers.in_use, 2U);
    player.render(250);
    EXPECT_EQ(player.stats().buffers.in_use, 1U);
    std::vector<float> expected(500);
    std::ranges::copy(samples, expected.begin());
    std::ranges::copy(samples, expected.begin() + 200);
    EXPECT_EQ(player.heard(), expected);
    const std::vector<Message> events = player.events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].as<BufferEnded>().handle, kept);
    EXPECT_EQ(events[1].as<BufferEnded>().handle, given);
    EXPECT_EQ(events[1].sequence, voice);
    EXPECT_EQ(events[1].frame, 300U);
    player.send(PlayBuffer{.handle = given});  // it stands for nothing any more
    player.render(64);
    EXPECT_EQ(player.events().size(), 1U);
}

TEST(PlayerProcessor, a_loaded_buffer_is_unloaded_whatever_becomes_of_its_voice) {
    const auto after = [](auto act) {
        Player player{64, 1, 8, 1};
        const BufferHandle sound = player.load_buffer(std::vector<float>(48'000, 0.5F));
        act(player, PlayBuffer{.unload = 1, .handle = sound});
        player.render(2'000);
        return player.stats().buffers.in_use;
    };
    EXPECT_EQ(after([](Player& player, PlayBuffer start) { player.send(start); }), 1U) << "it plays";
    EXPECT_EQ(after([](Player& player, PlayBuffer start) { player.send(StopVoice{player.send(start)}, 100); }), 0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) {
                  player.send(start);
                  player.play(0);  // steals it before it begins
              }),
              0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) {
                  player.send(start);
                  player.send(PlayBuffer{.slot = 0}, 100);  // steals it
              }),
              0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) {
                  player.send(start);
                  player.send(PlayBuffer{.slot = 0}, 100);
                  player.send(PlayBuffer{.slot = 0}, 150);  // while it fades
              }),
              0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) {
                  const std::uint32_t voice = player.send(start);
                  player.send(SetVoice{.voice = voice, .loop_end = 50, .loop = looping::on}, 100);  // fades a copy
                  player.send(StopVoice{voice}, 101);
              }),
              0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) { player.send(Cancel{player.send(start, 10'000)}); }), 0U);
    EXPECT_EQ(after([](Player& player, PlayBuffer start) {
                  start.rate = 0;
                  player.send(start);
              }),
              0U);
}

TEST(PlayerProcessor, a_buffer_that_is_unloaded_under_a_voice_fades) {
    Player player;
    const BufferHandle sound = player.load_buffer(std::vector<float>(48'000, 0.5F));
    player.send(PlayBuffer{.handle = sound});
    player.send(UnloadBuffer{sound}, 1'000);
    const std::vector<float> heard = player.render(2'000);
    EXPECT_EQ(heard[1'000], 0.5F);
    EXPECT_LT(greatest_step(std::span{heard}.subspan(1)), 1.0F / fade);
    EXPECT_EQ(heard[1'000 + fade], 0);
    EXPECT_EQ(player.stats().buffers.in_use, 0U);
    const std::vector<Message> events = player.events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].frame, 1'000U);
}

TEST(PlayerProcessor, meters_have_the_peaks_of_each_twentieth_of_a_second) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 512U}) {
        Player player{blocksize, 2};
        std::vector<float> samples(2'400, 0.25F);
        samples[2'399] = -0.5F;
        player.publish(3, samples);
        player.play(3, 0.5F);
        player.set(player_gain, 2);
        const std::size_t slot = player_first_voice + 32 + 3;
        player.render(2'399);
        EXPECT_EQ(player.meter(player_peak).frame, 0U) << "no window is over";
        player.render(1);
        EXPECT_EQ(player.meter(player_peak).fields[0], 0.5);
        EXPECT_EQ(player.meter(player_peak).frame, 2'400U);
        EXPECT_EQ(player.meter(slot).fields[0], 0.25) << "before the gain of the sum";
        EXPECT_EQ(player.meter(slot - 1).frame, 0U);
        player.render(2'400);
        EXPECT_EQ(player.meter(player_peak).fields[0], 0);
        EXPECT_EQ(player.meter(slot).fields[0], 0);
    }
}

TEST(PlayerProcessor, has_as_many_slots_and_voices_as_asked_for) {
    Player player{64, 1, 1'000, 40};
    player.publish(999, std::vector<float>(100, 0.015625F));
    for (int count = 0; count < 40; ++count) player.play(999);
    EXPECT_EQ(player.render(1)[0], 0.625F);
    EXPECT_EQ(player.playing(), 40);
    const auto refuses = [](std::int64_t slots, std::int64_t voices) {
        try {
            const PlayerProcessor processor{slots, voices};
        } catch (const ArgumentError& error) {
            return std::string{error.what()};
        }
        return std::string{};
    };
    EXPECT_EQ(refuses(2'049, 1), "slots must be from 1 to 2048, got 2049");
    EXPECT_EQ(refuses(0, 1), "slots must be from 1 to 2048, got 0");
    EXPECT_EQ(refuses(1, 257), "voices must be from 1 to 256, got 257");
    EXPECT_EQ(refuses(2'048, 256), "");
}

TEST(PlayerProcessor, an_earlier_engine_leaves_nothing) {
    expect_nothing_left<PlayerProcessor>(5, [](auto& player) {
        player.publish(0, ramp(1'000));
        for (int voice = 0; voice <= 32; ++voice) player.send(PlayBuffer{.slot = 0, .loop = 1, .gain = 0.25F});
        player.send(SetSlot{.slot = 0, .attack_s = 1});
        player.send(StopVoice{.voice = 3});
        player.render(5'000);
        player.render(100);
    });
}

TEST(PlayerProcessor, plays_on_in_another_format) {
    BufferSlots::Table::Returns returns;
    BufferPool pool{8, 0, returns};
    BufferSlots slots = pool.audio_side();
    const std::vector<float> samples = ramp(100);
    slots.apply({0, pool.hand_over(pool.make(samples, 1))});
    const OwnedLink link;
    AudioSide audio{link};
    PlayerProcessor processor{8, 4};
    processor.prepare({.outputs = 1});
    const ParameterClock clock;
    std::vector<Parameter> parameters;
    for (const ParameterSpec& spec : processor.parameters()) parameters.emplace_back(spec, clock);
    std::vector<SharedMeter> shared(elements(processor.meters()));
    std::vector<Meter> meters;
    for (SharedMeter& one : shared) meters.emplace_back(one);
    ProcessContext context{audio.events(), parameters, meters, &slots};
    processor.handle(Message::of(PlayBuffer{.slot = 0}), context);
    std::vector<float> left(10);
    std::vector<float> right(10);
    const std::vector<float*> channels{left.data(), right.data()};
    processor.render({.outputs = std::span{channels}.first(1), .frames = 10}, context);
    processor.prepare({.samplerate = 8'000, .outputs = 2});
    processor.render({.outputs = channels, .frames = 10}, context);
    EXPECT_TRUE(std::ranges::equal(left, std::span{samples}.subspan(10, 10)));
    EXPECT_EQ(left, right);
}

}  // namespace
}  // namespace cueline::test
