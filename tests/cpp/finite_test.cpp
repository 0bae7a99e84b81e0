// finite_test.cpp: samples that are not finite become 0, sample by sample, and are counted and reported.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>

#include "engine/finite.hpp"
#include "offline_playing.hpp"
#include "processors/player_processor.hpp"

namespace cueline::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float greatest = std::numeric_limits<float>::max();

/// Renders 0.5, and bad samples in some frames.
class BrokenProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            for (float* const channel : block.outputs) channel[frame] = 0.5F;
            const std::uint64_t at = block.frame + frame;
            if (at == 70) block.outputs[0][frame] = nan;
            if (at == 75) block.outputs[0][frame] = infinity;
            if (at == 76) block.outputs[1][frame] = -infinity;
            if (at == 77) block.outputs[0][frame] = -greatest;
            if (at == 200) block.outputs[1][frame] = -nan;
        }
    }
};

TEST(NotFinite, a_sample_becomes_0_and_its_neighbours_stay) {
    OfflinePlaying<BrokenProcessor> playing{64, 2};
    playing.render(256);
    std::vector<float> left(256, 0.5F);
    std::vector<float> right(256, 0.5F);
    for (const std::size_t frame : {70U, 75U}) left[frame] = 0;
    for (const std::size_t frame : {76U, 200U}) right[frame] = 0;
    left[77] = -greatest;
    EXPECT_EQ(playing.heard(0), left);
    EXPECT_EQ(playing.heard(1), right);
}

TEST(NotFinite, samples_are_counted_with_one_event_a_block) {
    OfflinePlaying<BrokenProcessor> playing{64, 2};
    playing.render(256);
    EXPECT_EQ(playing.stats().not_finite, 4U);
    const std::vector<Message> events = playing.events();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, kind::not_finite);
    EXPECT_EQ(events[0].frame, 70U);
    EXPECT_EQ(events[0].as<NotFinite>().samples, 3U);
    EXPECT_EQ(events[1].frame, 200U);
    EXPECT_EQ(events[1].as<NotFinite>().samples, 1U);
}

TEST(NotFinite, one_is_found_wherever_it_is) {
    for (std::size_t size = 1; size <= 70; ++size) {
        std::vector<float> samples(size, -greatest);
        EXPECT_TRUE(all_finite(samples));
        for (float& sample : samples) {
            for (const float bad : {nan, -nan, infinity, -infinity}) {
                sample = bad;
                EXPECT_FALSE(all_finite(samples));
            }
            sample = std::numeric_limits<float>::denorm_min();
        }
        EXPECT_TRUE(all_finite(samples));
    }
}

TEST(NotFinite, the_player_loses_no_more_than_the_buffers_own_bad_samples) {
    const auto lost_none = [](float bad, auto act) {
        OfflinePlaying<PlayerProcessor> playing{64, 1};
        std::vector<float> samples(4'800, 0.25F);
        samples[1'000] = bad;
        playing.publish(0, samples);
        playing.send(PlayBuffer{.slot = 0});
        playing.publish(1, std::vector<float>(4'800, 0.25F));
        playing.send(PlayBuffer{.slot = 1});
        act(playing);  // in the frame after the bad sample
        playing.render(1'900);
        EXPECT_EQ(playing.stats().not_finite, 1U);
        const std::vector<float> heard = playing.heard();
        EXPECT_EQ(heard[1'000], 0.0F);
        for (std::size_t frame = 1'001; frame < heard.size(); ++frame) EXPECT_GE(heard[frame], 0.25F) << frame;
    };
    for (const float bad : {nan, infinity, -infinity}) {
        lost_none(bad, [](auto&) {});
        lost_none(bad, [](auto& playing) { playing.send(StopBuffer{.slot = 0}, 1'001); });
        lost_none(bad, [](auto& playing) { playing.send(PlayBuffer{.slot = 0}, 1'001); });
        lost_none(bad, [](auto& playing) { playing.publish(0, std::vector<float>(4'800, 0.5F), 1, 1'001); });
        lost_none(bad, [](auto& playing) { playing.publish_nothing(0, 1'001); });
    }
}

}  // namespace
}  // namespace cueline::test
