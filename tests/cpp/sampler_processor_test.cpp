// sampler_processor_test.cpp: the sampler's pads: their samples, bit for bit, and their events and meters.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "engine/buffer_pool.hpp"
#include "engine/processor_values.hpp"
#include "offline_playing.hpp"
#include "ring_checks.hpp"
#include "sampler_processor.hpp"

namespace sampler::test {
namespace {

using cueline::Message;
using cueline::test::greatest_step;
using cueline::test::ramp;
using cueline::test::sine;

constexpr std::size_t fade = 240;  // 5 ms at 48 kHz
constexpr double second = 48'000;

/// The sampler's engine, with the calls that tests need.
class Played : public cueline::test::OfflinePlaying<SamplerProcessor> {
  public:
    explicit Played(std::uint32_t blocksize = 64, std::uint32_t channels = 2) : OfflinePlaying{blocksize, channels} {}

    void load(std::int64_t pad, std::span<const float> samples, std::int64_t channels = 1, std::uint64_t at = 0) {
        publish(pad, samples, channels, at);
    }
    void unload(std::int64_t pad, std::uint64_t at = 0) { publish_nothing(pad, at); }
    void trigger(std::uint32_t pad, float velocity = 1) { send(Trigger{.pad = pad, .velocity = velocity}); }
    void stop(std::uint32_t pad) { send(StopPad{pad}); }
    void loop(std::uint32_t pad, std::uint32_t loops) { send(LoopPad{.pad = pad, .loops = loops}); }
};

void expect_ended(const Message& event, std::uint32_t pad, Reason reason, std::uint64_t frame, std::uint32_t sequence) {
    EXPECT_EQ(event.kind, PadEnded::kind);
    EXPECT_EQ(event.as<PadEnded>().pad, pad);
    EXPECT_EQ(event.as<PadEnded>().reason, static_cast<std::uint32_t>(reason));
    EXPECT_EQ(event.frame, frame);
    EXPECT_EQ(event.sequence, sequence);
}

TEST(SamplerProcessor, a_pad_plays_its_exact_samples_from_its_exact_frame) {
    const std::vector<float> samples = ramp(100);
    std::vector<float> expected(77);
    expected.insert(expected.end(), samples.begin(), samples.end());
    expected.resize(300);
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 100U, 128U}) {
        Played played{blocksize};
        played.load(2, samples);
        played.send(Trigger{.pad = 2, .velocity = 1}, 77);
        played.render(300);
        EXPECT_EQ(played.heard(0), expected) << "blocks of " << blocksize;
        EXPECT_EQ(played.heard(1), expected) << "blocks of " << blocksize;
        const std::vector<Message> events = played.events();
        ASSERT_EQ(events.size(), 1U) << "blocks of " << blocksize;
        expect_ended(events[0], 2, Reason::played, 177, 2);
    }
}

TEST(SamplerProcessor, velocity_gain_and_master_scale_what_is_heard) {
    Played played;
    played.load(0, ramp(10'000));
    played.set(SamplerProcessor::gain_of(0), 0.5);
    played.set(SamplerProcessor::master_gain, 0.25);
    played.trigger(0, 0.5F);
    played.render(100);
    const std::vector<float> heard = played.heard();
    for (std::size_t frame = 0; frame < heard.size(); ++frame) EXPECT_EQ(heard[frame], ramp(100)[frame] / 16);
}

TEST(SamplerProcessor, a_pan_keeps_the_power) {
    for (const double pan : {-1.0, -0.3, 0.0, 0.7, 1.0}) {
        Played played;
        played.load(1, std::vector<float>(10, 0.5F));
        played.set(SamplerProcessor::pan_of(1), pan);
        played.trigger(1);
        const std::vector<float> heard = played.render(1);
        const double angle = (pan + 1) * std::numbers::pi / 4;
        EXPECT_NEAR(heard[0], 0.5 * std::numbers::sqrt2 * std::cos(angle), 0.01);
        EXPECT_NEAR(heard[1], 0.5 * std::numbers::sqrt2 * std::sin(angle), 0.01);
        EXPECT_NEAR(heard[0] * heard[0] + heard[1] * heard[1], 0.5, 1e-6);
    }
}

TEST(SamplerProcessor, channels_are_left_and_right_and_mono_gets_the_mean) {
    const std::vector<float> samples = ramp(6);
    Played stereo;
    stereo.load(0, samples, 2);
    stereo.trigger(0);
    EXPECT_EQ(stereo.render(3), samples);
    stereo.load(1, samples, 3);
    stereo.trigger(1);
    EXPECT_EQ(stereo.render(2), (std::vector<float>{samples[0], samples[1], samples[3], samples[4]}));

    Played mono{64, 1};
    mono.load(0, std::vector<float>{0.5F, 0.25F, 0.125F, 0.0F}, 2);
    mono.trigger(0);
    EXPECT_EQ(mono.render(2), (std::vector<float>{0.375F, 0.0625F}));

    Played three{64, 3};
    three.load(0, samples, 1);
    three.trigger(0);
    EXPECT_EQ(three.render(2), (std::vector<float>{samples[0], samples[0], 0, samples[1], samples[1], 0}));
}

TEST(SamplerProcessor, pads_are_mixed) {
    Played played;
    played.load(0, ramp(50));
    played.load(7, ramp(50, 700));
    played.trigger(0);
    played.trigger(7);
    played.render(50);
    const std::vector<float> heard = played.heard();
    for (std::size_t frame = 0; frame < 50; ++frame) EXPECT_EQ(heard[frame], ramp(50)[frame] + ramp(50, 700)[frame]);
}

TEST(SamplerProcessor, a_pad_loops_until_it_is_set_to_play_to_its_end) {
    Played played{64, 1};
    const std::vector<float> samples = ramp(30);
    played.load(0, samples);
    played.loop(0, 1);
    played.trigger(0);
    std::vector<float> heard = played.render(1'000);
    for (std::size_t frame = 0; frame < heard.size(); ++frame) ASSERT_EQ(heard[frame], samples[frame % 30]);
    EXPECT_TRUE(played.events().empty());
    played.loop(0, 0);
    heard = played.render(100);
    EXPECT_EQ(heard[19], samples[29]);
    EXPECT_EQ(heard[20], 0);
    const std::vector<Message> events = played.events();
    ASSERT_EQ(events.size(), 1U);
    expect_ended(events[0], 0, Reason::played, 1'020, 3);
}

TEST(SamplerProcessor, a_reloaded_pad_keeps_its_position) {
    Played played{64, 1};
    played.load(0, ramp(2'000));
    played.trigger(0);
    played.render(500);
    const std::vector<float> other = ramp(2'000, -1'500);
    played.load(0, other);
    const std::vector<float> heard = played.render(1'500);
    EXPECT_TRUE(std::ranges::equal(std::span{heard}.subspan(fade), std::span{other}.subspan(500 + fade)));
    EXPECT_FALSE(std::ranges::equal(std::span{heard}.first(fade), std::span{other}.subspan(500, fade)));

    played.loop(0, 1);
    played.trigger(0);
    played.render(1'030);
    const std::vector<float> shorter = ramp(100);
    played.load(0, shorter);
    const std::vector<float> round = played.render(1'000);
    for (std::size_t frame = fade; frame < round.size(); ++frame) {
        ASSERT_EQ(round[frame], shorter[(1'030 + frame) % 100]) << frame;
    }
}

TEST(SamplerProcessor, each_trigger_is_answered_once_when_its_pad_has_ended) {
    Played played;
    played.load(0, ramp(4'000));  // 1
    played.trigger(0);            // 2
    played.render(100);
    played.trigger(0);  // 3
    played.render(100);
    played.stop(0);  // 4
    played.stop(0);  // 5: it has ended already
    played.render(1'000);
    played.trigger(0);  // 6
    played.render(640);
    played.unload(0);   // 7
    played.trigger(5);  // 8: the slot is empty
    played.render(60);
    played.load(0, ramp(4'000));  // 9
    played.trigger(0);            // 10
    played.render(200);
    played.load(0, ramp(10));  // 11: shorter than the playhead
    played.render(1);
    const std::vector<Message> events = played.events();
    ASSERT_EQ(events.size(), 5U);
    expect_ended(events[0], 0, Reason::triggered, 100, 2);
    expect_ended(events[1], 0, Reason::stopped, 200, 3);
    expect_ended(events[2], 0, Reason::empty, 1'840, 6);
    expect_ended(events[3], 5, Reason::empty, 1'840, 8);
    expect_ended(events[4], 0, Reason::played, 2'100, 10);
    EXPECT_EQ(played.stats().unhandled, 0U);
}

/// The greatest step when something happens to a sine at its peak.
template <class Act>
std::vector<float> around(Act act) {
    Played played;
    played.load(0, sine(48'000, 200));
    played.trigger(0);
    played.render(64 * 20 + 50);
    act(played);
    played.render(2'000);
    return played.heard();
}

TEST(SamplerProcessor, nothing_clicks) {
    std::vector<float> upside_down = sine(48'000, 200);
    for (float& sample : upside_down) sample = -sample;
    const float own = greatest_step(upside_down);
    const float bound = own + 2.0F / static_cast<float>(fade) + 1e-4F;  // of a jump from 1 to -1
    EXPECT_LT(bound, 0.05F);

    EXPECT_LT(greatest_step(around([&](Played& played) { played.load(0, upside_down); })), bound);
    EXPECT_LT(greatest_step(around([&](Played& played) {
                  for (int times = 0; times < 20; ++times) {  // each while the last one still fades
                      played.load(0, times % 2 == 0 ? upside_down : sine(48'000, 190));
                      played.render(32);
                  }
              })),
              bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.stop(0); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.unload(0); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.trigger(0); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.trigger(0, 0.1F); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) {
                  played.stop(0);
                  played.render(100);
                  played.trigger(0);
              })),
              bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.load(0, std::vector<float>(10)); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.set(SamplerProcessor::gain_of(0), 0); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.set(SamplerProcessor::pan_of(0), 1); })), bound);
    EXPECT_LT(greatest_step(around([](Played& played) { played.set(SamplerProcessor::master_gain, 0); })), bound);
    Played aside;  // from one side to the other
    aside.load(0, std::vector<float>(48'000, 0.5F));
    aside.set(SamplerProcessor::pan_of(0), 1);
    aside.trigger(0);
    aside.render(100);
    aside.set(SamplerProcessor::pan_of(0), -1);
    aside.render(2'000);
    EXPECT_LT(greatest_step(aside.heard()), 0.005F);
}

TEST(SamplerProcessor, a_bad_sample_of_a_buffer_is_not_in_the_fade_after_it) {
    Played played;
    std::vector<float> samples = ramp(2'000);
    samples[99] = std::numeric_limits<float>::quiet_NaN();
    played.load(0, samples);
    played.trigger(0);
    played.render(100);
    played.stop(0);
    played.render(1'000);
    EXPECT_EQ(played.stats().not_finite, 2U) << "one on each side";
}

TEST(SamplerProcessor, a_stopped_pad_is_silent_after_5_ms_and_then_begins_without_a_fade) {
    Played played{64, 1};
    played.load(0, ramp(4'000));
    played.trigger(0);
    played.render(1'000);
    played.stop(0);
    const std::vector<float> heard = played.render(1'000);
    EXPECT_NE(heard[fade - 1], 0);
    EXPECT_TRUE(std::ranges::all_of(std::span{heard}.subspan(fade), [](float sample) { return sample == 0; }));
    played.trigger(0);
    played.trigger(0);  // the first trigger was never heard, so nothing fades
    EXPECT_EQ(played.render(10), ramp(10));
}

TEST(SamplerProcessor, a_retriggered_pad_begins_at_once_while_its_old_sound_fades) {
    Played played{64, 1};
    const std::vector<float> samples(1'000, 0.5F);
    played.load(0, samples);
    played.trigger(0);
    played.render(100);
    played.trigger(0, 0.5F);
    const std::vector<float> heard = played.render(300);
    for (std::size_t frame = 0; frame < heard.size(); ++frame) {
        const float tail = frame < fade ? 0.5F * static_cast<float>(fade - frame) / static_cast<float>(fade) : 0.0F;
        EXPECT_FLOAT_EQ(heard[frame], 0.25F + tail);
    }
}

TEST(SamplerProcessor, knobs_act_at_once_on_a_silent_pad_and_in_20_ms_on_a_playing_one) {
    Played played{64, 1};
    played.load(0, std::vector<float>(48'000, 1.0F));
    played.render(64);
    played.set(SamplerProcessor::gain_of(0), 0.5);
    played.trigger(0);
    EXPECT_EQ(played.render(1)[0], 0.5F);
    played.set(SamplerProcessor::gain_of(0), 0);
    const std::vector<float> heard = played.render(1'000);
    EXPECT_NEAR(heard[480], 0.25, 0.001);
    EXPECT_GT(heard[950], 0);
    EXPECT_EQ(heard[960], 0);
}

TEST(SamplerProcessor, invalid_values_are_refused_and_counted) {
    Played played;
    played.load(0, ramp(1'000));
    played.trigger(0);
    for (const std::uint32_t pad : {8U, 200U, ~0U}) {
        played.trigger(pad);
        played.stop(pad);
        played.loop(pad, 1);
    }
    using Limits = std::numeric_limits<float>;
    for (const float velocity : {-0.1F, 1.1F, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
        played.trigger(0, velocity);
    }
    played.send(PadEnded{.pad = 0, .reason = 0});
    EXPECT_EQ(played.render(1)[0], ramp(1)[0]);
    EXPECT_EQ(played.stats().unhandled, 15U);
    EXPECT_TRUE(played.events().empty());
}

TEST(SamplerProcessor, meters_have_the_level_and_the_playhead_of_each_twentieth_of_a_second) {
    for (const std::uint32_t blocksize : {64U, 2'400U, 5'000U}) {
        Played played{blocksize};
        played.load(3, std::vector<float>(6'000, 0.5F));
        played.set(SamplerProcessor::gain_of(3), 0.5);
        played.send(Trigger{.pad = 3, .velocity = 1}, 1'200);
        played.render(2'399);
        EXPECT_EQ(played.meter(3).frame, 0U);
        played.render(1);
        EXPECT_EQ(played.meter(3).frame, 2'400U);
        EXPECT_EQ(played.meter(3).fields[0], 0.25);
        EXPECT_EQ(played.meter(3).fields[1], 1'200 / second);
        EXPECT_EQ(played.meter(2).fields[0], 0);
        const cueline::MeterValue master = played.meter(SamplerProcessor::master_meter);
        EXPECT_EQ(master.fields[0], 0.25);
        EXPECT_FLOAT_EQ(static_cast<float>(master.fields[1]), 0.25F * std::sqrt(0.5F));
        played.render(2'400);
        EXPECT_EQ(played.meter(3).fields[1], 3'600 / second);
        played.render(4'800);
        EXPECT_EQ(played.meter(3).frame, 9'600U);
        EXPECT_EQ(played.meter(3).fields[0], 0);
        EXPECT_EQ(played.meter(3).fields[1], 0);
    }
}

struct Account {
    std::vector<float> heard;
    std::vector<std::array<std::uint64_t, 4>> events;  // frame, sequence, pad, reason
    std::vector<double> meters;

    bool operator==(const Account&) const = default;
};

/// The output of a long random session: cues at random frames, and now and then a knob is turned or a meter is read.
Account conversation(std::uint64_t seed, std::uint32_t blocksize) {
    std::mt19937_64 random{seed};
    const auto below = [&random](std::uint64_t count) { return random() % count; };
    Played played{blocksize};
    Account account;
    for (std::uint64_t round = 0; round < 40; ++round) {
        const std::uint64_t now = round * 3'000;
        for (int cues = 0; cues < 20; ++cues) {
            const std::uint64_t at = now + 1 + below(2'999);
            const auto pad = static_cast<std::uint32_t>(below(SamplerProcessor::pads));
            switch (below(8)) {
                case 0:
                    played.load(pad, sine(20 + below(8'000), 20 + static_cast<double>(below(200))), 1, at);
                    break;
                case 1:
                    played.load(pad, sine(2 * (20 + below(8'000)), 50), 2, at);
                    break;
                case 2:
                    played.unload(pad, at);
                    break;
                case 3:
                    played.send(StopPad{pad}, at);
                    break;
                case 4:
                    played.send(LoopPad{.pad = pad, .loops = static_cast<std::uint32_t>(below(2))}, at);
                    break;
                default:
                    played.send(Trigger{.pad = pad, .velocity = static_cast<float>(below(101)) / 100}, at);
            }
        }
        const auto pad = below(SamplerProcessor::pads);
        played.set(SamplerProcessor::gain_of(pad), static_cast<double>(below(101)) / 100);
        played.set(SamplerProcessor::pan_of(pad), static_cast<double>(below(201)) / 100 - 1);
        played.set(SamplerProcessor::master_gain, static_cast<double>(below(101)) / 100);
        const std::vector<float> heard = played.render(3'000);
        account.heard.insert(account.heard.end(), heard.begin(), heard.end());
        for (const Message& event : played.events()) {
            const auto ended = event.as<PadEnded>();
            account.events.push_back({event.frame, event.sequence, ended.pad, ended.reason});
        }
        for (std::size_t number = 0; number <= SamplerProcessor::master_meter; ++number) {
            const cueline::MeterValue value = played.meter(number);
            account.meters.insert(account.meters.end(), value.fields.begin(), value.fields.end());
        }
    }
    // If two pads end in one block, the events are in the order of the pads, not of the frames.
    std::ranges::sort(account.events);
    return account;
}

TEST(SamplerProcessor, block_size_does_not_change_the_output) {
    const std::uint64_t seed = cueline::test::seed();
    const Account expected = conversation(seed, 64);
    EXPECT_GT(expected.events.size(), 100U);
    for (const std::uint32_t blocksize : {1U, 37U, 128U, 1'000U, 8'192U}) {
        EXPECT_TRUE(conversation(seed, blocksize) == expected) << "blocks of " << blocksize;
    }
}

TEST(SamplerProcessor, a_full_event_ring_stops_no_pad) {
    Played played;
    played.load(0, ramp(1));
    for (std::size_t count = 0; count < cueline::MessageRing::capacity + 10; ++count) {
        played.trigger(0);
        played.render(1);
    }
    EXPECT_EQ(played.stats().events.dropped, 10U);
    played.trigger(0);
    EXPECT_EQ(played.render(1)[0], ramp(1)[0]);
}

TEST(SamplerProcessor, a_thousand_reloads_while_it_plays_neither_click_nor_pile_up) {
    Played played;
    played.load(0, sine(96'000, 200));
    played.loop(0, 1);
    played.trigger(0);
    for (int count = 0; count < 1'000; ++count) {
        played.load(0, sine(96'000, count % 2 == 0 ? 190 : 200));
        played.render(300);
        ASSERT_LE(played.stats().buffers.in_use, 2U);
    }
    EXPECT_LT(greatest_step(played.heard()), greatest_step(sine(1'000, 190)) + 2.0F / static_cast<float>(fade) + 1e-4F);
    EXPECT_EQ(played.stats().buffers.published, 1'001U);
}

TEST(SamplerProcessor, an_earlier_engine_leaves_nothing) {
    cueline::test::expect_nothing_left<SamplerProcessor>(9, [](auto& sampler) {
        sampler.publish(0, ramp(10'000));
        sampler.render(100);
        sampler.send(Trigger{.pad = 0, .velocity = 1});
        sampler.send(LoopPad{.pad = 0, .loops = 1});
        sampler.render(3'000);
    });
}

TEST(SamplerProcessor, keeps_playing_in_another_format) {
    cueline::BufferSlots::Table::Returns returns;
    cueline::BufferPool pool{SamplerProcessor::pads, 0, returns};
    cueline::BufferSlots slots = pool.audio_side();
    const std::vector<float> samples = ramp(100);
    slots.apply({0, pool.hand_over(pool.make(samples, 1))});
    const cueline::OwnedLink link{{.parameters = 64, .meters = 32}};
    cueline::AudioSide audio{link};
    cueline::ProcessorValues values{link};
    SamplerProcessor processor;
    processor.prepare({.outputs = 1});
    values.declare(processor.parameters(), processor.meters());
    values.prepare(cueline::Format{}.samplerate);
    cueline::ProcessContext context{audio.events(), values.parameters(), values.meters(), &slots};

    processor.handle(Message::of(Trigger{.pad = 0, .velocity = 1}), context);
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
}  // namespace sampler::test
