// streams_test.cpp: playbacks and recordings of an engine: exact samples at any block size, cues, places, their end.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "cues.hpp"
#include "devices/offline_device.hpp"
#include "offline_playing.hpp"
#include "processors/passthrough_processor.hpp"
#include "refusal.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

using Samples = std::vector<float>;

/// A silent engine on the offline device, with as many inputs as outputs, which come back a block later.
struct Looped {
    Looped(std::uint32_t blocksize, std::uint32_t count) : Looped{blocksize, count, all(count)} {}

    Samples render(std::size_t frames) {  // NOLINT(readability-make-member-function-const): it plays on
        Samples samples(frames * channels);
        engine->device().render(samples);
        return samples;
    }
    /// Reads all that waits, which must be one run or none.
    static Samples read(Recording& recording) {
        Samples samples(recording.capacity() * recording.channels());
        const RecordedRun<> run = recording.read(samples);
        samples.resize(run.frames * recording.channels());
        return samples;
    }
    [[nodiscard]] std::vector<Message> confirmations() const {
        std::vector<Message> all;
        Message message;
        while (engine->control().receive_confirmation(message) == Status::ok) all.push_back(message);
        return all;
    }

    std::uint32_t channels;
    std::unique_ptr<Engine> engine;

  private:
    Looped(std::uint32_t blocksize, std::uint32_t count, const std::vector<std::uint32_t>& loopback)
        : channels{count},
          engine{
              std::make_unique<Engine>(std::make_unique<OfflineDevice>(
                                           Format{.inputs = count, .outputs = count, .blocksize = blocksize}, loopback),
                                       std::make_unique<SilenceProcessor>())} {
        engine->start();
    }
    static std::vector<std::uint32_t> all(std::uint32_t count) {
        std::vector<std::uint32_t> numbers(count);
        for (std::uint32_t number = 0; number < count; ++number) numbers[number] = number;
        return numbers;
    }
};

TEST(Streams, a_recorded_ramp_equals_the_played_one_at_the_frame_asked_for) {
    constexpr std::size_t frames = 5'000;
    constexpr std::uint64_t begin = 777;
    for (const std::uint32_t channels : {1U, 2U, 16U}) {
        const Samples played = ramp(frames * channels);
        for (const std::uint32_t blocksize : {16U, 64U, 100U, 512U, 4'096U}) {
            Looped looped{blocksize, channels};
            Playback playback = looped.engine->open_playback({.frames = frames, .channels = channels});
            Recording inputs = looped.engine->open_recording({.frames = frames, .channels = channels});
            Recording outputs = looped.engine->open_recording(
                {.frames = frames, .channels = channels, .source = RecordingSource::outputs});
            ASSERT_EQ(playback.write(played, true), frames);
            ASSERT_EQ(playback.start({.frame = begin}), Status::ok);
            ASSERT_EQ(outputs.start({.frame = begin}), Status::ok);
            ASSERT_EQ(outputs.stop({.frame = begin + frames}), Status::ok);
            ASSERT_EQ(inputs.start({.frame = begin + blocksize}), Status::ok);
            ASSERT_EQ(inputs.stop({.frame = begin + blocksize + frames}), Status::ok);
            looped.render(begin + blocksize + frames + 100);
            const std::string where = std::to_string(channels) + " channels, blocks of " + std::to_string(blocksize);
            EXPECT_EQ(outputs.waiting(1).frame, begin) << where;
            EXPECT_EQ(Looped::read(outputs), played) << where;
            EXPECT_TRUE(outputs.waiting(1).ended) << where;
            EXPECT_EQ(inputs.waiting(1).frame, begin + blocksize) << where;
            EXPECT_EQ(Looped::read(inputs), played) << where;
            EXPECT_EQ(inputs.state().lost + playback.position().underrun, 0U) << where;
            EXPECT_EQ(playback.position().played, frames) << where;
        }
    }
}

TEST(Streams, starts_stops_and_clears_are_exact_to_the_sample_at_any_block_size) {
    const Samples played = ramp(2'000);
    Samples expected(4'000);
    std::copy_n(played.begin(), 500, expected.begin() + 1'000);
    std::copy_n(played.begin() + 500, 100, expected.begin() + 2'000);
    for (std::size_t frame = 0; frame < clear_fade_frames; ++frame) {
        const float gain = 1.0F / 65.0F * static_cast<float>(64 - frame);
        expected[2'100 + frame] = gain * played[600 + frame];
    }
    std::copy_n(played.begin(), 300, expected.begin() + 2'164);
    for (const std::uint32_t blocksize : {1U, 16U, 64U, 100U, 333U, 4'096U}) {
        Looped looped{blocksize, 1};
        Playback playback = looped.engine->open_playback({.frames = 2'500});
        ASSERT_EQ(playback.write(played), 2'000U);
        ASSERT_EQ(playback.start({.frame = 1'000}), Status::ok);
        ASSERT_EQ(playback.stop({.frame = 1'500}), Status::ok);
        ASSERT_EQ(playback.start({.frame = 2'000}), Status::ok);
        ASSERT_EQ(playback.clear({.frame = 2'100}), Status::ok);
        ASSERT_EQ(playback.write(std::span{played}.first(300), true), 300U);
        EXPECT_EQ(looped.render(4'000), expected) << "blocks of " << blocksize;
        const PlaybackPosition position = playback.position();
        EXPECT_EQ(position.played, 964U);
        EXPECT_EQ(position.cleared, 1'336U);
        EXPECT_EQ(position.waiting, 0U);
        EXPECT_EQ(position.underrun, 0U);
        EXPECT_EQ(position.frame, 4'000U);
    }
}

TEST(Streams, a_playback_is_added_to_what_the_processor_renders) {
    auto device = std::make_unique<OfflineDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 64});
    Engine engine{std::move(device), std::make_unique<PassthroughProcessor>()};
    engine.start();
    Playback first = engine.open_playback({.frames = 100});
    Playback second = engine.open_playback({.frames = 100});
    const Samples hundred(100, 100);
    const Samples tens(100, 10);
    first.write(hundred);
    second.write(tens);
    EXPECT_EQ(first.start(), Status::ok);
    EXPECT_EQ(second.start({.frame = 2}), Status::ok);
    Samples outputs(4);
    engine.device().render(outputs, Samples{1, 2, 3, 4});
    EXPECT_EQ(outputs, (Samples{101, 102, 113, 114}));
}

TEST(Streams, a_recording_that_nobody_reads_loses_the_newest_frames_and_says_which) {
    Looped looped{16, 1};
    Playback playback = looped.engine->open_playback({.frames = 1'000});
    Recording recording = looped.engine->open_recording({.frames = 64, .source = RecordingSource::outputs});
    playback.write(ramp(1'000));
    EXPECT_EQ(playback.start(), Status::ok);
    EXPECT_EQ(recording.start({.frame = 8}), Status::ok);
    const Samples outputs = looped.render(160);
    EXPECT_EQ(recording.state().lost, 88U);
    EXPECT_EQ(Looped::read(recording), Samples(outputs.begin() + 8, outputs.begin() + 72));
    const Samples more = looped.render(16);
    const RecordedRun<> run = recording.waiting(64);
    EXPECT_EQ(run.frame, 160U);
    EXPECT_EQ(run.lost, 88U);
    EXPECT_EQ(Looped::read(recording), more);
}

TEST(Streams, inputs_and_playbacks_that_are_not_finite_count_and_become_0) {
    constexpr float infinite = std::numeric_limits<float>::infinity();
    auto device = std::make_unique<OfflineDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 64});
    Engine engine{std::move(device), std::make_unique<SilenceProcessor>()};
    engine.start();
    Playback playback = engine.open_playback({.frames = 3});
    Recording inputs = engine.open_recording({.frames = 64});
    Recording outputs = engine.open_recording({.frames = 64, .source = RecordingSource::outputs});
    playback.write(Samples{1, infinite, 3});
    EXPECT_EQ(playback.start(), Status::ok);
    EXPECT_EQ(inputs.start(), Status::ok);
    EXPECT_EQ(outputs.start(), Status::ok);
    Samples rendered(3);
    engine.device().render(rendered, Samples{infinite, 5, 6});
    EXPECT_EQ(rendered, (Samples{1, 0, 3}));
    EXPECT_EQ(Looped::read(inputs), (Samples{0, 5, 6}));
    EXPECT_EQ(Looped::read(outputs), (Samples{1, 0, 3}));
    EXPECT_EQ(engine.stats().not_finite, 1U);
    EXPECT_EQ(engine.stats().not_finite_inputs, 1U);
}

TEST(Streams, commands_are_confirmed_at_their_frames_and_refused_after_the_end) {
    Looped looped{64, 1};
    Recording recording = looped.engine->open_recording({.frames = 64});
    EXPECT_EQ(recording.start({.frame = 10, .flags = delivery::confirm}), Status::ok);
    EXPECT_EQ(recording.stop({.frame = 20, .flags = delivery::confirm}), Status::ok);
    EXPECT_EQ(recording.start({.frame = 30, .flags = delivery::confirm}), Status::ok);
    looped.render(64);
    const std::vector<Message> all = looped.confirmations();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].kind, cueline::kind::applied);
    EXPECT_EQ(all[0].frame, 10U);
    EXPECT_EQ(all[1].kind, cueline::kind::applied);
    EXPECT_EQ(all[1].frame, 20U);
    EXPECT_EQ(all[2].kind, cueline::kind::refused) << "a recording begins once";
}

TEST(Streams, handles_that_no_stream_sent_are_refused) {
    Looped looped{64, 1};
    const Playback never_started = looped.engine->open_playback({.frames = 64});
    Playback playback = looped.engine->open_playback({.frames = 64});
    EXPECT_EQ(playback.start(), Status::ok);
    looped.render(64);
    Line& control = looped.engine->control();
    for (std::uint32_t handle : {0U, 1U, first_handle(0), first_handle(1), first_handle(15), first_handle(16), ~0U}) {
        if (handle == first_handle(1)) continue;  // the playback's
        if (handle != first_handle(0)) looped.engine->hand_over_stream(Message::of(StartStream{handle}));
        control.send(cueline::kind::start_stream, StartStream{handle});
        control.send(cueline::kind::stop_stream, StopStream{handle});
        control.send(cueline::kind::clear_playback, ClearPlayback{0, handle});
    }
    control.send(cueline::kind::clear_playback, ClearPlayback{1, first_handle(1)});  // a frame that was never written
    looped.render(64);
    EXPECT_EQ(looped.engine->stats().unhandled, 19U);
}

TEST(Streams, there_are_16_places_and_two_blocks_free_one) {
    Looped looped{64, 1};
    std::vector<Playback> playbacks;
    for (std::size_t number = 0; number < max_streams; ++number) {
        playbacks.push_back(looped.engine->open_playback({.frames = 64}));
        if (number == 0) continue;
        EXPECT_EQ(playbacks.back().start(), Status::ok);
    }
    const auto open_another = [&] { static_cast<void>(looped.engine->open_recording({.frames = 64})); };
    EXPECT_EQ(refusal<StreamsTakenError>(open_another),
              "all 16 streams are open: close one. Two blocks later, its place is free");
    playbacks.erase(playbacks.begin());  // the audio thread never had it
    EXPECT_NO_THROW(open_another());
    playbacks.push_back(looped.engine->open_playback({.frames = 64}));
    playbacks.erase(playbacks.begin());
    EXPECT_THROW(open_another(), StreamsTakenError) << "the audio thread has it";
    looped.render(128);
    EXPECT_NO_THROW(open_another());
    for (int round = 0; round < 100; ++round) {
        playbacks.erase(playbacks.begin() + round % 15);
        looped.render(128);
        playbacks.push_back(looped.engine->open_playback({.frames = 64}));
        EXPECT_EQ(playbacks.back().start(), Status::ok);
    }
}

TEST(Streams, a_playback_that_is_closed_fades_out) {
    Looped looped{16, 1};
    std::optional<Playback> playback = looped.engine->open_playback({.frames = 1'000});
    playback->write(Samples(1'000, 65));
    EXPECT_EQ(playback->start(), Status::ok);
    EXPECT_EQ(looped.render(16), Samples(16, 65));
    playback.reset();
    const Samples faded = looped.render(100);
    for (std::size_t frame = 0; frame < faded.size(); ++frame) {
        EXPECT_FLOAT_EQ(faded[frame], frame < 64 ? static_cast<float>(64 - frame) : 0.0F);
    }
}

TEST(Streams, a_stream_that_is_closed_before_its_start_comes_back) {
    for (const bool cancelled : {false, true}) {
        Looped looped{64, 1};
        std::vector<Playback> playbacks;
        for (std::size_t number = 0; number < max_streams; ++number) {
            playbacks.push_back(looped.engine->open_playback({.frames = 64}));
            EXPECT_EQ(playbacks.back().start({.frame = 1'000}), Status::ok);
        }
        playbacks.clear();
        looped.render(500);
        if (cancelled) looped.engine->control().cancel_all();
        looped.render(cancelled ? 64 : 564);
        looped.render(64);
        EXPECT_NO_THROW(static_cast<void>(looped.engine->open_playback({.frames = 64}))) << cancelled;
    }
}

TEST(Streams, can_outlive_their_engine) {
    std::optional<Playback> playback;
    std::optional<Recording> recording;
    {
        Looped looped{64, 1};
        playback = looped.engine->open_playback({.frames = 64});
        recording = looped.engine->open_recording({.frames = 64});
        EXPECT_EQ(playback->start(), Status::ok);
        EXPECT_EQ(recording->start(), Status::ok);
        playback->write(Samples(10, 1));
        looped.render(32);
        looped.engine->close();
        EXPECT_THROW(playback->start(), ClosedError);
        EXPECT_THROW(static_cast<void>(looped.engine->open_playback({.frames = 64})), ClosedError);
        EXPECT_EQ(recording->waiting(64).frames, 32U) << "what it holds can still be read";
        EXPECT_EQ(playback->position().played, 10U);
    }
    recording.reset();
    playback.reset();
}

TEST(Streams, one_that_is_closed_before_its_frame_frees_its_place_and_cancels_its_cues) {
    Looped looped{64, 1};
    for (std::size_t number = 0; number < 2 * max_streams; ++number) {
        Recording recording = looped.engine->open_recording({.frames = 64});
        EXPECT_EQ(recording.start({.frame = 10'000, .flags = delivery::confirm}), Status::ok);
        looped.render(64);
        {
            const Recording closed = std::move(recording);
        }
        looped.render(64);
    }
    EXPECT_TRUE(looped.confirmations().empty());
    looped.render(10'000);
    const std::vector<Message> all = looped.confirmations();
    EXPECT_EQ(all.size(), 2 * max_streams);
    for (const Message& message : all) EXPECT_EQ(message.as<Refused>().reason, Reason::cancelled);
    EXPECT_EQ(looped.engine->stats().unhandled, 0U);
}

TEST(Streams, end_with_a_new_samplerate) {
    auto device = std::make_unique<StepDevice>(Format{.outputs = 1, .blocksize = 64});
    StepDevice& step = *device;
    Engine engine{std::move(device), std::make_unique<SilenceProcessor>()};
    engine.start();
    Playback playback = engine.open_playback({.frames = 1'000});
    Playback not_started = engine.open_playback({.frames = 1'000});
    Recording recording = engine.open_recording({.frames = 1'000, .source = RecordingSource::outputs});
    playback.write(ramp(500));
    EXPECT_EQ(playback.start(), Status::ok);
    EXPECT_EQ(recording.start(), Status::ok);
    step.run();
    step.change({.samplerate = 44'100, .outputs = 1, .blocksize = 64});
    EXPECT_EQ(playback.position().phase, StreamPhase::new_samplerate);
    EXPECT_EQ(playback.position().played, 64U);
    EXPECT_EQ(recording.state().phase, StreamPhase::new_samplerate);
    EXPECT_EQ(recording.waiting(1'000).frames, 64U);
    recording.pop(64);
    EXPECT_TRUE(recording.waiting(1'000).ended);
    EXPECT_EQ(not_started.start(), Status::ok);
    step.run();
    EXPECT_EQ(not_started.position().phase, StreamPhase::new_samplerate);
    EXPECT_EQ(engine.stats().unhandled, 1U);
}

TEST(Streams, a_stop_of_the_engine_leaves_no_gap) {
    auto device = std::make_unique<StepDevice>(Format{.outputs = 1, .blocksize = 64});
    StepDevice& step = *device;
    Engine engine{std::move(device), std::make_unique<SilenceProcessor>()};
    engine.start();
    Recording recording = engine.open_recording({.frames = 1'000, .source = RecordingSource::outputs});
    EXPECT_EQ(recording.start(), Status::ok);
    step.run();
    engine.stop();
    engine.start();
    step.run();
    const RecordedRun<> run = recording.waiting(1'000);
    EXPECT_EQ(run.frames, 128U);
    EXPECT_EQ(run.lost, 0U);
}

TEST(Streams, refuse_more_channels_than_there_are_and_wrong_numbers_of_frames) {
    Looped looped{64, 2};
    Engine& engine = *looped.engine;
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(engine.open_playback({.frames = 1, .channels = 3})); }),
              "a stream's channels must be from 1 to 2 (the engine's outputs), got 3");
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(engine.open_recording({.frames = 0, .channels = 2})); }),
              "a stream's buffer must be from 1 to 536870912 frames, got 0");
    Engine deaf{std::make_unique<OfflineDevice>(Format{.outputs = 1}), std::make_unique<SilenceProcessor>()};
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(deaf.open_recording({.frames = 1})); }),
              "this engine has no inputs: make it with inputs=1");
    EXPECT_EQ(engine.open_playback({.frames = 1'000}).capacity(), 1'024U);
}

TEST(Streams, a_full_command_ring_refuses_a_start_and_counts_it) {
    Engine engine{std::make_unique<StepDevice>(Format{.outputs = 1, .blocksize = 64}),
                  std::make_unique<SilenceProcessor>()};
    engine.start();
    Playback playback = engine.open_playback({.frames = 64});
    while (engine.control().ping() == Status::ok) {
    }
    EXPECT_EQ(playback.start(), Status::full);
    EXPECT_EQ(playback.clear(), Status::full);
    EXPECT_EQ(engine.stats().commands.dropped, 3U);
}

}  // namespace
}  // namespace cueline::test
