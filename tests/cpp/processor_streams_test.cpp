// processor_streams_test.cpp: streams that a processor declares, and reads and writes itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/error.hpp>
#include <cueline/processor.hpp>
#include <cueline/processor_streams.hpp>

#include "devices/offline_device.hpp"
#include "offline_playing.hpp"
#include "refusal.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {
namespace {

using Samples = std::vector<float>;

/// Does what the test says in render(). By default it is silent.
class StreamingProcessor final : public Processor {
  public:
    using Render = std::function<void(const AudioBlock&, ProcessContext&)>;

    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 0.0F);
        if (act) break_the_rule([&] { act(block, context); });
    }
    [[nodiscard]] std::span<const StreamSpec> playbacks() const override { return playback_specs; }
    [[nodiscard]] std::span<const StreamSpec> recordings() const override { return recording_specs; }

    std::vector<StreamSpec> playback_specs{{.name = "grains"}, {.name = "pairs", .channels = 2}};
    std::vector<StreamSpec> recording_specs{{.name = "grains"}, {.name = "pairs", .channels = 2}};
    Render act;
};

/// An engine with this processor on the offline device.
struct Streaming {
    explicit Streaming(std::uint32_t blocksize, StreamingProcessor::Render act = {})
        : processor{std::make_shared<StreamingProcessor>()},
          engine{std::make_unique<OfflineDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = blocksize}),
                 processor} {
        processor->act = std::move(act);
        engine.start();
    }

    Samples render(std::size_t frames) {
        Samples samples(frames);
        engine.device().render(samples);
        return samples;
    }
    Playback play(std::string_view name, std::int64_t frames = 4'096) {
        return engine.open_playback({.frames = frames, .stream = name});
    }
    Recording record(std::string_view name, std::int64_t frames = 4'096) {
        return engine.open_recording({.frames = frames, .stream = name});
    }

    std::shared_ptr<StreamingProcessor> processor;
    Engine engine;
};

/// Plays its first playback at double level.
void play_doubled(const AudioBlock& block, ProcessContext& context) {
    const ProcessorPlayback grains = context.playback(0);
    const PlaybackRun<> run = grains.waiting(block.frames);
    for (std::size_t frame = 0; frame < run.frames; ++frame) block.output(0)[frame] = 2 * run.sample(frame, 0);
    grains.pop(block.frames);
}

/// Writes the frames of the engine to its first recording, as numbers.
void write_numbers(const AudioBlock& block, ProcessContext& context) {
    Samples numbers(block.frames);
    for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
        numbers[frame] = static_cast<float>(block.frame + frame);
    }
    context.recording(0).write(std::array<const float*, 1>{numbers.data()}, block.frame, block.frames);
}

Samples numbers(std::uint64_t first, std::size_t count) {
    Samples samples(count);
    for (std::size_t place = 0; place < count; ++place) samples[place] = static_cast<float>(first + place);
    return samples;
}

/// Reads all that waits, which must be one run or none.
Samples read(Recording& recording) {
    Samples samples(recording.capacity() * recording.channels());
    const RecordedRun<> run = recording.read(samples);
    samples.resize(run.frames * recording.channels());
    return samples;
}

TEST(ProcessorStreams, the_processor_plays_and_nobody_else_at_any_block_size) {
    const Samples played = ramp(1'000);
    Samples expected(2'000);
    for (std::size_t frame = 0; frame < 400; ++frame) expected[300 + frame] = 2 * played[frame];
    for (std::size_t frame = 400; frame < 1'000; ++frame) expected[600 + frame] = 2 * played[frame];
    for (const std::uint32_t blocksize : {1U, 16U, 64U, 100U, 512U}) {
        Streaming streaming{blocksize, play_doubled};
        Playback playback = streaming.play("grains", 1'000);
        EXPECT_EQ(playback.channels(), 1U);
        ASSERT_EQ(playback.write(played, true), 1'000U);
        ASSERT_EQ(playback.start({.frame = 300}), Status::ok);
        ASSERT_EQ(playback.stop({.frame = 700}), Status::ok);
        ASSERT_EQ(playback.start({.frame = 1'000}), Status::ok);
        EXPECT_EQ(streaming.render(2'000), expected) << "blocks of " << blocksize;
        const PlaybackPosition position = playback.position();
        EXPECT_EQ(position.played, 1'000U);
        EXPECT_EQ(position.underrun, 0U) << "they were the last frames";
        EXPECT_EQ(position.frame, 2'000U);
    }
}

TEST(ProcessorStreams, frames_that_the_processor_needs_and_that_are_missing_are_an_underrun) {
    Streaming streaming{64, play_doubled};
    Playback playback = streaming.play("grains");
    EXPECT_EQ(playback.start({.frame = 10}), Status::ok);
    streaming.render(64);
    EXPECT_EQ(playback.position().underrun, 0U) << "nothing was written yet";
    playback.write(Samples(40, 1));
    const Samples outputs = streaming.render(64);
    EXPECT_EQ(std::ranges::count(outputs, 2.0F), 40);
    EXPECT_EQ(playback.position().played, 40U);
    EXPECT_EQ(playback.position().underrun, 24U);
    EXPECT_EQ(playback.write(Samples(10, 1), true), 10U);
    streaming.render(64);
    EXPECT_EQ(playback.position().played, 50U) << "it heals";
    EXPECT_EQ(playback.position().underrun, 24U);
}

TEST(ProcessorStreams, a_processor_may_read_faster_than_the_engine_and_across_the_end_of_the_ring) {
    Streaming streaming{16, [](const AudioBlock& block, ProcessContext& context) {
                            const ProcessorPlayback pairs = context.playback(1);
                            const PlaybackRun<> run = pairs.waiting(std::size_t{3} * block.frames);
                            for (std::size_t frame = 0; 3 * frame < run.frames; ++frame) {
                                block.output(0)[frame] = run.sample(3 * frame, 0) + run.sample(3 * frame, 1);
                            }
                            pairs.pop(std::size_t{3} * block.frames);
                        }};
    Playback playback = streaming.play("pairs", 64);
    EXPECT_EQ(playback.channels(), 2U);
    EXPECT_EQ(playback.start(), Status::ok);
    std::uint64_t written = 0;
    Samples outputs;
    for (int block = 0; block < 20; ++block) {
        Samples frames;
        for (int frame = 0; frame < 48; ++frame, ++written) {
            frames.push_back(static_cast<float>(written));
            frames.push_back(10'000);
        }
        ASSERT_EQ(playback.write(frames), 48U);
        const Samples more = streaming.render(16);
        outputs.insert(outputs.end(), more.begin(), more.end());
    }
    for (std::size_t frame = 0; frame < outputs.size(); ++frame) {
        ASSERT_EQ(outputs[frame], static_cast<float>(10'000 + 3 * frame));
    }
    EXPECT_EQ(playback.position().played, written);
}

TEST(ProcessorStreams, a_clear_drops_frames_at_once_and_without_a_fade) {
    Streaming streaming{64, play_doubled};
    Playback playback = streaming.play("grains");
    playback.write(Samples(1'000, 1));
    EXPECT_EQ(playback.start(), Status::ok);
    EXPECT_EQ(playback.clear({.frame = 30}), Status::ok);
    playback.write(Samples(10, 4), true);
    Samples expected(64);
    std::fill_n(expected.begin(), 30, 2.0F);
    std::fill_n(expected.begin() + 30, 10, 8.0F);
    EXPECT_EQ(streaming.render(64), expected);
    EXPECT_EQ(playback.position().cleared, 970U);
}

TEST(ProcessorStreams, what_the_processor_writes_has_its_frames_at_any_block_size) {
    for (const std::uint32_t blocksize : {1U, 16U, 64U, 100U, 512U}) {
        Streaming streaming{blocksize, write_numbers};
        Recording recording = streaming.record("grains");
        ASSERT_EQ(recording.start({.frame = 333}), Status::ok);
        ASSERT_EQ(recording.stop({.frame = 777}), Status::ok);
        streaming.render(1'024);
        EXPECT_EQ(recording.waiting(1).frame, 333U);
        EXPECT_EQ(read(recording), numbers(333, 444)) << "blocks of " << blocksize;
        EXPECT_TRUE(recording.waiting(1).ended);
        EXPECT_EQ(recording.state().lost, 0U);
    }
}

TEST(ProcessorStreams, frames_that_the_processor_does_not_write_are_a_gap) {
    Streaming streaming{64, [](const AudioBlock& block, ProcessContext& context) {
                            if (block.frame < 128 || block.frame >= 256) write_numbers(block, context);
                        }};
    Recording recording = streaming.record("grains");
    EXPECT_EQ(recording.start({.frame = 100}), Status::ok);
    EXPECT_EQ(recording.stop({.frame = 300}), Status::ok);
    streaming.render(192);
    EXPECT_EQ(recording.state().lost, 64U) << "those of the blocks that ended";
    EXPECT_EQ(recording.state().frame, 192U);
    streaming.render(208);
    const RecordingState state = recording.state();
    EXPECT_EQ(state.lost, 128U);
    EXPECT_EQ(state.frame - state.first, state.recorded + state.lost);
    EXPECT_EQ(read(recording), numbers(100, 28));
    EXPECT_EQ(recording.waiting(64).lost, 128U);
    EXPECT_EQ(recording.waiting(64).frame, 256U);
    EXPECT_EQ(read(recording), numbers(256, 44));
}

TEST(ProcessorStreams, frames_of_other_blocks_are_ignored) {
    Streaming streaming{64, [](const AudioBlock& block, ProcessContext& context) {
                            const Samples samples(1'000, 7);
                            const std::array<const float*, 1> channels{samples.data()};
                            const ProcessorRecording recording = context.recording(0);
                            recording.write(channels, block.frame + block.frames, 1'000);
                            recording.write(channels, ~std::uint64_t{0}, 1'000);
                            write_numbers(block, context);
                            recording.write(channels, 0, 1'000);
                        }};
    Recording recording = streaming.record("grains");
    EXPECT_EQ(recording.start({.frame = 10}), Status::ok);
    streaming.render(200);
    EXPECT_EQ(read(recording), numbers(10, 190));
    EXPECT_EQ(recording.state().lost, 0U);
}

TEST(ProcessorStreams, channels_that_the_processor_leaves_out_are_silent) {
    Streaming streaming{4, [](const AudioBlock& block, ProcessContext& context) {
                            const Samples ones(block.frames, 1);
                            context.recording(1).write(std::array<const float*, 1>{ones.data()}, block.frame,
                                                       block.frames);
                        }};
    Recording recording = streaming.record("pairs");
    EXPECT_EQ(recording.channels(), 2U);
    EXPECT_EQ(recording.start(), Status::ok);
    streaming.render(2);
    EXPECT_EQ(read(recording), (Samples{1, 0, 1, 0}));
}

TEST(ProcessorStreams, that_are_not_open_or_do_not_exist_are_empty) {
    std::size_t found = 0;
    Streaming streaming{
        64, [&](const AudioBlock& block, ProcessContext& context) {
            for (const std::size_t index : {std::size_t{0}, std::size_t{1}, max_streams, ~std::size_t{0}}) {
                found += context.playback(index).waiting(block.frames).frames;
                context.playback(index).pop(block.frames);
                context.recording(index).write({}, block.frame, block.frames);
            }
        }};
    streaming.render(64);
    std::optional<Playback> playback = streaming.play("grains");
    playback->write(Samples(1'000, 1));
    streaming.render(64);
    EXPECT_EQ(found, 0U) << "it was not started";
    EXPECT_EQ(playback->position().underrun, 0U);
    EXPECT_EQ(playback->start(), Status::ok);
    streaming.render(64);
    EXPECT_EQ(found, 64U);
    playback.reset();
    streaming.render(64);
    EXPECT_EQ(found, 64U) << "it is closed";
}

TEST(ProcessorStreams, each_is_open_once_at_a_time) {
    Streaming streaming{64, play_doubled};
    std::optional<Playback> playback = streaming.play("grains");
    const Recording recording = streaming.record("grains");
    const Playback pairs = streaming.play("pairs");
    const auto open_again = [&] { static_cast<void>(streaming.play("grains")); };
    EXPECT_EQ(refusal<StreamsTakenError>(open_again),
              "this stream of the processor is open: close it. Two blocks later, you can open it again");
    EXPECT_EQ(playback->start(), Status::ok);
    streaming.render(64);
    playback.reset();
    EXPECT_THROW(open_again(), StreamsTakenError) << "the audio thread has it";
    streaming.render(128);
    playback = streaming.play("grains");
    playback->write(Samples(64, 1));
    EXPECT_EQ(playback->start(), Status::ok);
    EXPECT_EQ(streaming.render(64), Samples(64, 2));
}

TEST(ProcessorStreams, refuse_names_and_channels_that_the_processor_does_not_have) {
    Streaming streaming{64};
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(streaming.play("grain")); }),
              "no playback 'grain': the processor has 'grains', 'pairs'");
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(streaming.record("grain")); }),
              "no recording 'grain': the processor has 'grains', 'pairs', and the engine has 'inputs' and 'outputs'");
    EXPECT_EQ(refusal<ArgumentError>([&] {
                  static_cast<void>(streaming.engine.open_playback({.frames = 1, .channels = 3, .stream = "pairs"}));
              }),
              "playback 'pairs' of the processor has 2 channels, got 3: leave them out");
    Engine silent{std::make_unique<OfflineDevice>(Format{}), std::make_unique<SilenceProcessor>()};
    EXPECT_EQ(
        refusal<ArgumentError>([&] { static_cast<void>(silent.open_recording({.frames = 1, .stream = "grains"})); }),
        "no recording 'grains': the processor has none, and the engine has 'inputs' and 'outputs'");
}

TEST(ProcessorStreams, refuse_wrong_declarations) {
    using Specs = std::vector<StreamSpec>;
    const auto refused = [](Specs playbacks, Specs recordings) {
        const auto processor = std::make_shared<StreamingProcessor>();
        processor->playback_specs = std::move(playbacks);
        processor->recording_specs = std::move(recordings);
        return refusal<ArgumentError>(
            [&] { const Engine engine{std::make_unique<OfflineDevice>(Format{}), processor}; });
    };
    EXPECT_EQ(refused({{.name = "", .channels = 1}}, {}), "a processor: playback 0 has no name");
    EXPECT_EQ(refused({}, {{.name = "a"}, {.name = "a"}}), "a processor declares two recordings named 'a'");
    EXPECT_EQ(refused({{.name = "a", .channels = 0}}, {}), "playback 'a' must have 1 to 64 channels, got 0");
    EXPECT_EQ(refused({}, {{.name = "a", .channels = 65}}), "recording 'a' must have 1 to 64 channels, got 65");
    EXPECT_EQ(refused(Specs(17), {}), "a processor can have at most 16 playbacks, and declares 17");
    EXPECT_EQ(refused({}, {{.name = "outputs"}}),
              "a recording of a processor must have another name than 'outputs', which is the engine's");
}

}  // namespace
}  // namespace cueline::test
