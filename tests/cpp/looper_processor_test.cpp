// looper_processor_test.cpp: the looper's pads on the grid, at any block size, and what is refused. The example's own
// tests compare every sample with a reference in NumPy.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <tuple>
#include <vector>

#include "looper_processor.hpp"
#include "offline_playing.hpp"
#include "ring_checks.hpp"

namespace looper::test {
namespace {

using cueline::Message;
using cueline::test::ramp;

class Played : public cueline::test::OfflinePlaying<LooperProcessor> {
  public:
    explicit Played(std::uint32_t blocksize = 64) : OfflinePlaying{blocksize, 2} {}

    void load(std::uint32_t pad, std::uint64_t at, std::initializer_list<std::vector<float>> stems) {
        LoadPad command{.pad = pad, .stems = {}};
        std::ranges::transform(stems, command.stems.begin(),
                               [this](const std::vector<float>& stem) { return load_buffer(stem); });
        send(command, at);
    }
};

TEST(LooperProcessor, a_trigger_sounds_on_its_grid) {
    for (const std::uint32_t blocksize : {1U, 31U, 128U, 256U}) {
        Played played{blocksize};
        played.load(0, 0, {ramp(100)});
        played.load(215, 0, {ramp(100, 50)});
        played.send(Trigger{.pad = 215, .grid = 500}, 1'000);  // on the grid already
        played.send(Trigger{.pad = 0, .grid = 500}, 1'001);
        played.render(1'700);
        std::vector<float> expected(1'700);
        for (std::size_t frame = 1'000; frame < 1'700; ++frame) expected[frame] = ramp(100, 50)[frame % 100];
        for (std::size_t frame = 1'500; frame < 1'700; ++frame) expected[frame] += ramp(100)[frame % 100];
        EXPECT_EQ(played.heard(0), expected) << "blocks of " << blocksize;
        EXPECT_EQ(played.heard(1), expected) << "blocks of " << blocksize;
    }
}

TEST(LooperProcessor, an_earlier_engine_leaves_nothing) {
    cueline::test::expect_nothing_left<LooperProcessor>(2, [](auto& played) {
        played.send(Trigger{.pad = 0, .grid = 1}, 1);  // refused, because the pad is empty
        played.render(64);
        played.send(LoadPad{.pad = 0, .stems = {played.load_buffer(ramp(1'000))}});
        played.send(Trigger{.pad = 0, .grid = 100}, 70);
        played.render(3'000);
    });
}

struct Account {
    std::vector<float> heard;
    std::vector<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t>> events;
    std::vector<double> meters;
    std::size_t buffers = 0;

    friend bool operator==(const Account&, const Account&) = default;
};

/// Random use of all messages and parameters.
Account conversation(std::uint64_t seed, std::uint32_t blocksize) {
    constexpr std::uint64_t round_frames = 2'000;
    std::mt19937_64 random{seed};
    const auto below = [&random](std::uint64_t count) { return random() % count; };
    Played played{blocksize};
    Account account;
    for (std::uint64_t round = 0; round < 30; ++round) {
        for (int cues = 0; cues < 40; ++cues) {
            const std::uint64_t at = round * round_frames + 1 + below(round_frames - 1);
            const auto pad = static_cast<std::uint32_t>(below(50));
            const auto start = static_cast<std::uint32_t>(below(2'000));
            switch (below(10)) {
                case 0:
                case 1:
                    played.load(pad, at, {ramp(below(3'000) + 1), ramp(below(3'000) + 1, 100)});
                    break;
                case 2:
                    played.send(UnloadPad{pad}, at);
                    break;
                case 3:
                    played.send(
                        SetLoop{.pad = pad, .start = start, .end = start + static_cast<std::uint32_t>(below(500))}, at);
                    break;
                case 4:
                    played.send(SetStems{.pad = pad, .mask = static_cast<std::uint32_t>(below(4))}, at);
                    break;
                case 5:
                    played.send(StopPads{.pad = pad, .count = static_cast<std::uint32_t>(below(20)), .grid = 100}, at);
                    break;
                default:
                    played.send(Trigger{.pad = pad, .grid = static_cast<std::uint32_t>(below(3) * 700)}, at);
            }
        }
        for (std::size_t knob = 0; knob <= LooperProcessor::knobs; ++knob) {
            const std::size_t pad = knob == LooperProcessor::knobs ? 0 : below(50);
            played.set(LooperProcessor::address_of(knob, pad), static_cast<double>(below(101)) / 100);
        }
        const std::vector<float> heard = played.render(round_frames);
        account.heard.insert(account.heard.end(), heard.begin(), heard.end());
        for (const Message& event : played.events()) {
            const auto ended = event.as<PadEnded>();
            account.events.emplace_back(event.frame, event.sequence, ended.pad, ended.reason);
        }
        for (std::size_t pad = 0; pad < LooperProcessor::pads; ++pad) {
            const cueline::MeterValue value = played.meter(pad);
            account.meters.insert(account.meters.end(), value.fields.begin(), value.fields.end());
        }
    }
    account.buffers = played.stats().buffers.in_use;
    std::ranges::sort(account.events);
    return account;
}

TEST(LooperProcessor, block_size_does_not_change_the_output) {
    const std::uint64_t seed = cueline::test::seed();
    const Account expected = conversation(seed, 64);
    EXPECT_GT(expected.events.size(), 50U);
    EXPECT_GT(std::ranges::max(expected.meters), 0);
    for (const std::uint32_t blocksize : {31U, 128U, 256U, 8'192U}) {
        EXPECT_TRUE(conversation(seed, blocksize) == expected) << "blocks of " << blocksize;
    }
}

TEST(LooperProcessor, any_bytes_are_refused_or_obeyed) {
    std::mt19937_64 random{cueline::test::seed()};
    Played played;
    played.load(0, 0, {ramp(100)});
    for (int count = 0; count < 5'000; ++count) {
        std::array<std::uint32_t, 10> words{};
        for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(random()) >> random() % 32;
        played.send(static_cast<cueline::Kind>(LoadPad::kind + random() % 9), words);
        played.render(1 + random() % 100);
    }
    EXPECT_EQ(played.stats().not_finite, 0U);
    EXPECT_LE(played.stats().buffers.in_use, 1U);
}

TEST(LooperProcessor, a_device_with_one_channel_gets_the_left_side) {
    cueline::test::OfflinePlaying<LooperProcessor> played{64, 1};
    std::array<float, 8> sides{1, -1, 1, -1, 1, -1, 1, -1};
    played.send(LoadPad{.pad = 0, .stems = {played.load_buffer(sides, 2)}});
    played.send(Trigger{.pad = 0, .grid = 0});
    EXPECT_EQ(played.render(10), std::vector<float>(10, 1));
}

TEST(LooperProcessor, bad_samples_of_a_buffer_stay_in_no_filter) {
    Played played;
    std::vector<float> samples(1'000, 0.25F);
    samples[10] = std::numeric_limits<float>::quiet_NaN();
    samples[20] = std::numeric_limits<float>::infinity();
    samples[30] = std::numeric_limits<float>::max();
    played.load(0, 0, {samples, samples});
    played.set(LooperProcessor::address_of(LooperProcessor::low, 0), 0.5);
    played.send(Trigger{.pad = 0, .grid = 0});
    played.render(5'000);
    EXPECT_EQ(played.stats().not_finite, 0U);
    EXPECT_LT(std::ranges::max(played.heard()), 1.5F);
    EXPECT_GT(std::ranges::min(played.heard()), -0.5F);
}

}  // namespace
}  // namespace looper::test
