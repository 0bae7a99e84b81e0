// stream_cost.cpp: the cost of a block by the number of streams that play, and that record; also with a cue at each of
// its frames, which makes each frame a segment.
//
// Each block is timed by itself, and contains one reading of the clock (see clock_each). Between two blocks, the same
// thread writes and reads what the next block needs.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/message.hpp>
#include <cueline/monotonic.hpp>

#include "spread.hpp"
#include "step_device.hpp"

namespace cueline::bench {
namespace {

/// An engine with streams of two channels.
class Streaming {
  public:
    Streaming(std::int64_t playbacks, std::int64_t recordings, std::int64_t cues)
        : Streaming{std::make_unique<StepDevice>(block_format)} {
        cues_ = cues;
        for (std::int64_t number = 0; number < playbacks; ++number) {
            playbacks_.push_back(engine_.open_playback({.frames = 4096, .channels = 2}));
            playbacks_.back().start();
        }
        for (std::int64_t number = 0; number < recordings; ++number) {
            recordings_.push_back(
                engine_.open_recording({.frames = 4096, .channels = 2, .source = RecordingSource::outputs}));
            recordings_.back().start();
        }
    }

    void prepare() {
        for (Playback& playback : playbacks_) playback.write(samples_);
        for (Recording& recording : recordings_) static_cast<void>(recording.read(read_));
        Line& line = engine_.control();
        Message pong;
        while (line.receive(pong) == Status::ok) {
        }
        const std::uint64_t now = engine_.now();
        for (std::int64_t frame = 1; frame <= cues_; ++frame) {
            line.send(kind::ping, Ping{}, {.frame = now + static_cast<std::uint64_t>(frame)});
        }
    }
    void run_block(std::uint64_t block_ns) { device_->run_block(block_ns); }

  private:
    explicit Streaming(std::unique_ptr<StepDevice> device)
        : device_{device.get()}, engine_{std::move(device), std::make_unique<SilenceProcessor>()} {
        engine_.start();
    }

    std::int64_t cues_ = 0;  // at the second frame and those that follow
    StepDevice* device_;
    Engine engine_;
    std::vector<Playback> playbacks_;
    std::vector<Recording> recordings_;
    std::vector<float> samples_ = std::vector<float>(std::size_t{2} * block_format.blocksize, 0.01F);
    std::vector<float> read_ = std::vector<float>(samples_.size());
};

void block_with_streams_each(benchmark::State& state) {
    Streaming streaming{state.range(0), state.range(1), state.range(2)};
    const double median_ns = time_each(
        state, {.all = 50'000, .in_a_row = 1}, [&] { streaming.prepare(); },
        [&, block_ns = monotonic_ns()] { streaming.run_block(block_ns); });
    report_share(state, median_ns);
}

BENCHMARK(block_with_streams_each)
    ->ArgNames({"playbacks", "recordings", "cues"})
    ->Args({0, 0, 0})
    ->Args({1, 0, 0})
    ->Args({0, 1, 0})
    ->Args({16, 0, 0})
    ->Args({0, 16, 0})
    ->Args({0, 0, 63})
    ->Args({16, 0, 63})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cueline::bench
