// player_processor_test.cpp: the player's sound, bit for bit, and its events at the end of a buffer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "engine/buffer_pool.hpp"
#include "offline_playing.hpp"
#include "processors/player_processor.hpp"

namespace cueline::test {
namespace {

constexpr std::size_t fade = 240;  // 5 ms at 48 kHz

/// Controls the player's engine.
class Player : public OfflinePlaying<PlayerProcessor> {
  public:
    explicit Player(std::uint32_t blocksize = 64, std::uint32_t channels = 1) : OfflinePlaying{blocksize, channels} {}

    void empty(std::int64_t slot) { publish_nothing(slot); }
    void play(std::uint32_t slot, float gain = 1, bool loop = false) {
        send(PlayBuffer{.slot = slot, .gain = gain, .loop = static_cast<std::uint8_t>(loop)});
    }
    void stop(std::uint32_t slot) { send(StopBuffer{slot}); }
};

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
    EXPECT_EQ(first(7), 1);
    EXPECT_EQ(first(std::numeric_limits<float>::infinity()), 1);
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
    EXPECT_LT(greatest_step(around([](Player& player) { player.play(0); })), own + slack);
    EXPECT_LT(greatest_step(around([](Player& player) {
                  player.stop(0);
                  player.render(100);
                  player.play(0);
              })),
              own + slack);
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
        Player anew;
        anew.publish(0, full);
        anew.play(0);
        anew.send(PlayBuffer{.slot = 0, .gain = 1, .loop = 0}, at);
        Player swapped;
        swapped.publish(0, full);
        swapped.play(0);
        swapped.publish(0, upside_down, 1, at);
        swapped.publish(0, full, 1, at + 100);  // while it fades
        for (const float sample : anew.render(3'000)) ASSERT_LE(std::abs(sample), 1.0F) << at;
        for (const float sample : swapped.render(3'000)) ASSERT_LE(std::abs(sample), 1.0F) << at;
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

TEST(PlayerProcessor, missing_slots_and_other_kinds_are_not_handled) {
    Player player;
    player.play(8);
    player.stop(8);
    player.play(~0U);
    player.render(1);
    EXPECT_EQ(player.stats().unhandled, 3U);
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

TEST(PlayerProcessor, plays_on_in_another_format) {
    BufferSlots::Table::Returns returns;
    BufferPool pool{PlayerProcessor::slots, 0, returns};
    BufferSlots slots = pool.audio_side();
    const std::vector<float> samples = ramp(100);
    slots.apply({0, pool.hand_over(pool.make(samples, 1))});
    OwnedLink link;
    AudioSide audio{link};
    ProcessContext context{audio.events(), {}, {}, &slots};

    PlayerProcessor processor;
    processor.prepare({.outputs = 1});
    processor.handle(Message::of(kind::play_buffer, PlayBuffer{.slot = 0, .gain = 1, .loop = 0}), context);
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
