// sealed_streams_test.cpp: playbacks and recordings, of the engine and of a processor, that come, start, clear,
// overrun, stop and go, on a thread that dies at any system call.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/processor.hpp>
#include <cueline/processor_streams.hpp>

#include "sealed_engine.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {
namespace {

/// Plays its own playback, and records what it plays. Misses a part of each block.
class StreamingProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const StreamSpec> playbacks() const override { return streams_; }
    [[nodiscard]] std::span<const StreamSpec> recordings() const override { return streams_; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        const PlaybackRun<> run = context.playback(0).waiting(block.frames);
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const float sample = frame < run.frames ? run.sample(frame, 0) : 0;
            for (float* const channel : block.outputs) channel[frame] = sample;
        }
        context.playback(0).pop(block.frames);
        context.recording(0).write(block.outputs, block.frame, block.frames / 2);
    }

  private:
    std::array<StreamSpec, 1> streams_{{{.name = "own"}}};
};

/// What came of the streams.
struct Counts {
    std::uint64_t played = 0;
    std::uint64_t cleared = 0;
    std::uint64_t underrun = 0;
    std::uint64_t recorded = 0;
    std::uint64_t lost = 0;
    std::uint64_t by_processor = 0;  // frames that it played and recorded
};

void surely(const auto& send) {
    while (send() == Status::full) {
    }
}

/// Opens, uses and closes streams: `rounds` times seven playbacks and seven recordings. The last ones are the
/// processor's.
void go_on(Engine& engine, int rounds, Counts& counts) {
    constexpr std::size_t each = 7;
    const std::vector<float> samples(2'000, 0.25F);
    std::vector<float> read(2'000);
    for (int round = 0; round < rounds; ++round) {
        while (engine.stats().streams > 0) {
        }
        std::vector<Playback> playbacks;
        std::vector<Recording> recordings;
        for (std::size_t number = 0; number < each; ++number) {
            const std::int64_t channels = 1 + static_cast<std::int64_t>(number % 2);
            const std::string_view stream = number + 1 == each ? "own" : "";
            playbacks.push_back(engine.open_playback({.frames = 500, .channels = channels, .stream = stream}));
            recordings.push_back(engine.open_recording(
                {.frames = 200, .channels = channels, .source = RecordingSource::outputs, .stream = stream}));
            playbacks.back().write(samples, number % 3 == 0);
            surely([&] { return playbacks.back().start({.frame = number % 2 * (engine.now() + 100)}); });
            surely([&] { return recordings.back().start(); });
        }
        const std::uint64_t until = engine.now() + 1'000;
        while (engine.now() < until) {
            for (std::size_t number = 0; number < each; ++number) {
                // The second one runs dry.
                if (number != 1) playbacks[number].write(std::span{samples}.first(100 * number));
                if (number > 3) static_cast<void>(recordings[number].read(read));
            }
            if (engine.now() % 5 == 0) static_cast<void>(playbacks[2].clear());
        }
        surely([&] { return recordings[1].stop(); });
        surely([&] { return playbacks[1].stop(); });
        counts.by_processor += std::min(playbacks.back().position().played, recordings.back().state().recorded);
        for (const Playback& playback : playbacks) {
            const PlaybackPosition position = playback.position();
            counts.played += position.played;
            counts.cleared += position.cleared;
            counts.underrun += position.underrun;
        }
        for (const Recording& recording : recordings) {
            counts.recorded += recording.state().recorded;
            counts.lost += recording.state().lost;
        }
    }
}

[[noreturn]] void be_sealed_with_streams(int rounds) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<StreamingProcessor>()};
    engine.start();
    Counts counts;
    const Toll toll = run_blocks_sealed([&] { device.run_block(); }, [&] { go_on(engine, 1, counts); },
                                        [&] { go_on(engine, rounds, counts); });
    std::fprintf(stderr,
                 "%llu played, %llu cleared, %llu missing, %llu recorded, %llu lost, %llu by the processor: page "
                 "faults %llu, voluntary "
                 "switches %llu, allocations %llu\n",
                 static_cast<unsigned long long>(counts.played), static_cast<unsigned long long>(counts.cleared),
                 static_cast<unsigned long long>(counts.underrun), static_cast<unsigned long long>(counts.recorded),
                 static_cast<unsigned long long>(counts.lost), static_cast<unsigned long long>(counts.by_processor),
                 static_cast<unsigned long long>(toll.page_faults),
                 static_cast<unsigned long long>(toll.voluntary_switches),
                 static_cast<unsigned long long>(toll.allocations));
    const bool complete =
        counts.played > 0 && counts.underrun > 0 && counts.recorded > 0 && counts.lost > 0 && counts.by_processor > 0;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, fourteen_streams_that_come_and_go_are_real_time_safe) {
    EXPECT_EXIT(be_sealed_with_streams(200), testing::ExitedWithCode(0),
                "page faults 0, voluntary switches 0, allocations 0");
}

}  // namespace
}  // namespace cueline::test
