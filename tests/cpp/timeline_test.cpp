// timeline_test.cpp: cues in beats come at their exact frames, whatever moves the timeline, at any block size.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>

#include "cues.hpp"
#include "engine/transport.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

constexpr double beat_frames = 24'000;  // at 120 quarter notes a minute and 48 kHz

using Frames = std::vector<std::uint64_t>;

/// A command as a processor gets it.
struct Handled {
    float level = 0;
    std::uint64_t frame = 0;
    Message command;
};

/// Renders the level that kind::set_level sets. Notes each command, and the beat at each segment's begin.
class NotingProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != kind::set_level) return false;
        level_ = command.as<float>();
        if (handled_ < all_.size()) all_[handled_++] = {level_, context.events().frame(), command};
        return true;
    }
    void discarded(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        last_discarded = command;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        std::ranges::fill(block.output(0), level_);
        first_beat = context.timeline().beat_at(static_cast<double>(block.frame));
    }

    [[nodiscard]] std::span<const Handled> all() const { return std::span{all_}.first(handled_); }

    Message last_discarded;
    double first_beat = -1;  // of the last segment

  private:
    float level_ = 0;
    std::size_t handled_ = 0;
    std::vector<Handled> all_ = std::vector<Handled>(100'000);
};

class TimelineTest : public testing::Test {
  protected:
    TimelineTest() { make(64); }

    void make(std::uint32_t blocksize) {
        make(std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize}));
    }
    void make(std::unique_ptr<Device> device, std::int64_t lines = default_lines) {
        engine_.reset();
        auto processor = std::make_unique<NotingProcessor>();
        processor_ = processor.get();
        engine_ = std::make_unique<Engine>(std::move(device), std::move(processor), default_budget, lines);
        engine_->start();
    }

    std::vector<float> render(std::size_t frames) {
        std::vector<float> audio(frames);
        engine_->device().render(audio);
        return audio;
    }
    [[nodiscard]] Line& control() const { return engine_->control(); }
    [[nodiscard]] CueStats counts() const { return engine_->stats().cues; }
    [[nodiscard]] Timeline timeline() const { return engine_->timeline(); }

    template <class Command>
    std::uint32_t send(const Command& command, const Delivery& delivery = {}) {
        EXPECT_EQ(control().send(Command::kind, command, delivery), Status::ok);
        return control().sequence();
    }
    std::uint32_t set(float level, const Delivery& delivery) {
        EXPECT_EQ(control().send(kind::set_level, level, delivery), Status::ok);
        return control().sequence();
    }

    /// The frames at which the processor handled commands since the last call.
    Frames frames() {
        Frames found;
        for (const Handled& each : processor_->all().subspan(seen_)) found.push_back(each.frame);
        seen_ += found.size();
        return found;
    }
    [[nodiscard]] std::vector<float> levels() const {
        std::vector<float> found;
        for (const Handled& each : processor_->all()) found.push_back(each.level);
        return found;
    }
    Message confirmation() {
        Message message;
        EXPECT_EQ(control().receive_confirmation(message), Status::ok);
        return message;
    }

    const NotingProcessor* processor_ = nullptr;
    std::unique_ptr<Engine> engine_;
    std::size_t seen_ = 0;
};

TEST_F(TimelineTest, runs_from_frame_0_at_120_in_4_4) {
    EXPECT_TRUE(timeline().running()) << "before the first block too";
    EXPECT_DOUBLE_EQ(timeline().tempo_at(0), 120);
    EXPECT_EQ(timeline().bar_beats, 4);
    render(1000);
    EXPECT_DOUBLE_EQ(timeline().beat_at(2 * beat_frames), 2);
}

TEST_F(TimelineTest, a_cue_comes_at_the_frame_that_is_nearest_to_its_beat) {
    set(1, at_beat(0));
    set(2, at_beat(0.01));
    set(3, at_beat(0.02 + 0.4 / beat_frames));
    set(4, at_beat(0.03 + 0.6 / beat_frames));
    const std::vector<float> audio = render(1000);
    EXPECT_EQ(frames(), (Frames{0, 240, 480, 721}));
    EXPECT_EQ(audio[0], 1.0F);
    EXPECT_EQ(audio[239], 1.0F);
    EXPECT_EQ(audio[240], 2.0F);
    EXPECT_EQ(audio[720], 3.0F);
    EXPECT_EQ(audio[721], 4.0F);
    EXPECT_EQ(counts().late, 0U);
}

TEST_F(TimelineTest, the_processor_gets_a_command_of_a_frame) {
    set(1, at_beat(0.01, delivery::confirm));
    set(2, at_grid(0.02));
    render(1000);
    ASSERT_EQ(processor_->all().size(), 2U);
    EXPECT_EQ(processor_->all()[0].command.frame, 0U) << "the grid has a line there";
    EXPECT_EQ(processor_->all()[0].command.flags, 0U);
    EXPECT_EQ(processor_->all()[1].command.frame, 240U);
    EXPECT_EQ(processor_->all()[1].command.flags, delivery::confirm);
}

TEST_F(TimelineTest, at_one_frame_frame_cues_apply_before_beat_cues_each_in_order_of_arrival) {
    set(1, at_beat(0.01));
    set(2, {.frame = 240});
    set(3, at_beat(0.01));
    set(4, {.frame = 240});
    set(5, at_beat(0.01 - 0.3 / beat_frames));
    set(6, {.frame = 241});
    render(300);
    EXPECT_EQ(levels(), (std::vector<float>{2, 4, 5, 1, 3, 6}));
}

TEST_F(TimelineTest, a_tempo_moves_the_waiting_beats_in_the_middle_of_a_block) {
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 1000U}) {
        make(blocksize);
        for (int note = 1; note <= 4; ++note) set(static_cast<float>(note), at_beat(note * 0.01));
        send(SetTempo{240}, at_beat(0.02));
        send(SetTempo{60}, {.frame = 600});  // exactly beat 0.03
        render(2000);
        seen_ = 0;
        EXPECT_EQ(frames(), (Frames{240, 480, 600, 600 + 480})) << blocksize;
        EXPECT_EQ(counts().late, 0U);
    }
}

TEST_F(TimelineTest, a_ramp_over_beats_follows_its_closed_form) {
    for (const std::uint32_t blocksize : {1U, 64U, 1024U}) {
        make(blocksize);
        send(RampTempo{240, 0.1, RampOver::beats}, at_beat(0.05));
        Frames expected;
        for (int note = 1; note <= 30; ++note) {
            const double beat = note * 0.01;
            set(1, at_beat(beat));
            const double begin = 0.05 * beat_frames;
            const double slope = (240.0 - 120) / 0.1;  // quarter notes a minute, a beat
            const double ramp = 60 * 48'000 / slope * std::log1p(slope * std::min(0.1, beat - 0.05) / 120);
            const double after = std::max(0.0, beat - 0.15) * beat_frames / 2;
            const double frame = beat <= 0.05 ? beat * beat_frames : begin + ramp + after;
            expected.push_back(static_cast<std::uint64_t>(std::lround(frame)));
        }
        render(8000);
        seen_ = 0;
        EXPECT_EQ(frames(), expected) << blocksize;
    }
}

TEST_F(TimelineTest, a_ramp_over_seconds_follows_its_closed_form) {
    send(RampTempo{60, 0.1, RampOver::seconds}, {.frame = 100});
    Frames expected;
    const double first = 100 / beat_frames;
    for (int frame = 150; frame < 4900; frame += 333) {
        const double seconds = (frame - 100) / 48'000.0;
        const double beat = first + (120 * seconds - 600 * seconds * seconds / 2) / 60;
        set(1, at_beat(beat));
        expected.push_back(static_cast<std::uint64_t>(frame));
    }
    render(6000);
    EXPECT_EQ(frames(), expected);
    EXPECT_DOUBLE_EQ(timeline().tempo_at(6000), 60);
}

TEST_F(TimelineTest, beats_wait_while_the_timeline_stands) {
    send(StopTimeline{}, at_beat(0.01));
    const std::uint32_t sent = set(1, at_beat(0.01, delivery::confirm));
    set(2, at_beat(0.02));
    render(1000);
    EXPECT_EQ(frames(), Frames{}) << "the stop came first";
    EXPECT_FALSE(timeline().running());
    EXPECT_EQ(timeline().beat_at(1e9), 0.01);
    send(StartTimeline{}, {.frame = 5000});
    render(10'000);
    EXPECT_EQ(frames(), (Frames{5000, 5240}));
    const Message confirmed = confirmation();
    EXPECT_EQ(confirmed.sequence, sent);
    EXPECT_EQ(confirmed.frame, 5000U);
    EXPECT_FALSE(confirmed.as<Applied>().late);
}

TEST_F(TimelineTest, a_stop_of_the_timeline_lets_the_beats_of_its_frame_come_first) {
    for (const std::uint32_t blocksize : {1U, 64U, 1000U}) {
        make(blocksize);
        set(1, at_beat((240 - 0.3) / beat_frames));  // the nearest frame is 240, but the beat is before it
        set(2, at_beat((240 + 0.3) / beat_frames));
        send(StopTimeline{}, {.frame = 240});
        render(1000);
        seen_ = 0;
        EXPECT_EQ(frames(), Frames{240}) << blocksize;
        EXPECT_EQ(counts().late, 0U);
        send(StartTimeline{}, {.frame = 5000});
        render(5000);
        seen_ = 0;
        EXPECT_EQ(frames(), (Frames{240, 5000})) << "the other one waits until the timeline goes on";
        EXPECT_EQ(counts().late, 0U);
    }
}

TEST_F(TimelineTest, a_ramp_waits_while_the_timeline_stands) {
    send(RampTempo{240, 0.1, RampOver::beats});
    send(StopTimeline{}, at_beat(0.05));
    render(5000);
    EXPECT_NEAR(timeline().tempo_at(5000), 180, 1e-9);
    send(StartTimeline{}, {.frame = 6000});
    render(1001);
    EXPECT_NEAR(timeline().tempo_at(6000), 180, 1e-9);
    EXPECT_NEAR(timeline().tempo_at(20'000), 240, 1e-9);
    const double frames = 60 * 48'000 / 1200.0 * std::log1p(60 / 180.0);
    EXPECT_NEAR(timeline().frame_at(0.1), 6000 + frames, 1e-6);
}

TEST_F(TimelineTest, a_locate_past_a_beat_makes_its_cue_late) {
    set(1, at_beat(1));
    set(2, at_beat(2, delivery::drop_if_late | delivery::confirm));
    set(3, at_beat(4));
    send(Locate{3}, {.frame = 100});
    render(200);
    EXPECT_EQ(frames(), Frames{100});
    EXPECT_EQ(counts().late, 1U);
    EXPECT_EQ(counts().dropped_late, 1U);
    const Message refused = confirmation();
    EXPECT_EQ(refused.as<Refused>().reason, Reason::late);
    render(30'000);
    EXPECT_EQ(frames(), Frames{100 + 24'000});
    EXPECT_EQ(counts().late, 1U);
}

TEST_F(TimelineTest, a_locate_back_lets_beats_come_again_but_not_cues) {
    set(1, at_beat(0.01));
    send(Locate{0}, {.frame = 480});
    render(1000);
    EXPECT_EQ(frames(), Frames{240});
    set(2, at_beat(0.03));  // the timeline is at frame 520 of its second round
    render(1000);
    EXPECT_EQ(frames(), Frames{480 + 720});
    EXPECT_EQ(counts().late, 0U);
}

TEST_F(TimelineTest, a_beat_that_is_over_when_it_is_read_is_late) {
    render(1024);
    set(1, at_beat(0.01, delivery::confirm));
    set(2, at_beat(0.01, delivery::drop_if_late | delivery::confirm));
    render(64);
    EXPECT_EQ(frames(), Frames{1024});
    EXPECT_TRUE(confirmation().as<Applied>().late);
    const auto refused = confirmation().as<Refused>();
    EXPECT_EQ(refused.reason, Reason::late);
    EXPECT_EQ(refused.wanted_frame, 240U);
}

TEST_F(TimelineTest, in_a_loop_a_cue_comes_in_the_first_round) {
    for (const std::uint32_t blocksize : {1U, 64U, 4096U}) {
        make(blocksize);
        send(SetLoop{0, 0.1});  // 2400 frames
        set(1, at_beat(0));
        set(2, at_beat(0.05));
        set(3, at_beat(0.1));  // the first beat outside
        render(3000);
        seen_ = 0;
        EXPECT_EQ(frames(), (Frames{0, 1200})) << blocksize;
        const std::uint64_t now = engine_->now();
        EXPECT_EQ(now, 3000U);
        set(4, at_beat(0.01));  // passed in this round: it comes in the next one
        set(5, at_beat(0.03));
        render(3000);
        EXPECT_EQ(frames(), (Frames{2400 + 720, 4800 + 240})) << blocksize;
        EXPECT_NEAR(timeline().beat_at(6000), 0.05, 1e-9);
        send(SetLoop{0, 0});
        render(3000);
        EXPECT_EQ(frames(), Frames{6000 + 1200}) << "without a loop, beat 0.1 comes";
        EXPECT_EQ(counts().late, 0U);
    }
}

TEST_F(TimelineTest, a_loop_that_ends_makes_what_it_has_passed_late) {
    send(SetLoop{0, 0.1});
    render(1200);
    set(1, at_beat(0.01));
    render(64);
    EXPECT_EQ(counts().pending, 1U);
    send(SetLoop{0, 0});
    render(64);
    EXPECT_EQ(frames(), Frames{1264});
    EXPECT_EQ(counts().late, 1U);
}

TEST_F(TimelineTest, rounds_of_a_loop_add_up_no_error) {
    send(SetTempo{123.4567});
    send(SetLoop{0.3, 0.3 + 1.0 / 3});
    render(std::size_t{48'000} * 60);
    const double beats = 60 * 123.4567 / 60;
    const double length = 1.0 / 3;
    const double expected = 0.3 + std::fmod(beats - 0.3, length);
    EXPECT_NEAR(timeline().beat_at(48'000.0 * 60), expected, 1e-9);
    EXPECT_EQ(timeline().map.size(), TempoMap::capacity);
}

TEST_F(TimelineTest, a_grid_is_the_first_line_after_the_command_was_read) {
    set(1, at_bar());
    set(2, at_grid(0.25));
    render(1000);
    EXPECT_EQ(frames(), (Frames{0, 0}));
    set(3, at_grid(1));
    set(4, at_grid(0.25));
    set(5, at_bar());
    render(std::size_t{100'000});
    EXPECT_EQ(frames(), (Frames{6000, 24'000, 96'000}));
}

TEST_F(TimelineTest, the_next_bar_in_a_loop_is_the_begin_of_its_region_if_that_is_one) {
    send(SetLoop{0, 4});
    render(72'000);
    set(1, at_bar());
    render(48'000);
    EXPECT_EQ(frames(), Frames{96'000});
}

TEST_F(TimelineTest, a_time_signature_begins_a_bar_where_it_applies) {
    send(SetSignature{7, 8}, at_beat(0.5));
    render(std::size_t{24'000});
    EXPECT_EQ(timeline().bar_beats, 3.5);
    EXPECT_EQ(timeline().signature_beats, 7U);
    EXPECT_EQ(timeline().signature_unit, 8U);
    set(1, at_bar());
    render(std::size_t{96'000});
    EXPECT_EQ(frames(), Frames{96'000});
}

TEST_F(TimelineTest, cancels_reach_cues_of_beats_and_of_grids) {
    const std::uint32_t first = set(1, at_beat(0.1, delivery::confirm));
    set(2, at_beat(0.2));
    const std::uint32_t third = set(3, at_grid(0.3));
    set(4, at_beat(0.3));
    render(64);
    EXPECT_EQ(counts().pending, 3U) << "the grid has a line at beat 0";
    control().cancel(first);
    control().cancel(third);
    render(64);
    EXPECT_EQ(confirmation().as<Refused>().reason, Reason::cancelled);
    EXPECT_EQ(counts().pending, 2U);
    control().cancel_all();
    render(10'000);
    EXPECT_EQ(counts().pending, 0U);
    EXPECT_EQ(counts().cancelled, 3U);
    EXPECT_EQ(frames(), Frames{0});
    EXPECT_EQ(processor_->last_discarded.frame, 7200U) << "where the beat would have been";
    EXPECT_EQ(processor_->last_discarded.flags, 0U);
}

TEST_F(TimelineTest, a_cancel_all_before_a_beat_cue_is_read_cancels_it) {
    Line other = engine_->open_line();
    other.send(kind::set_level, 1.0F, at_beat(0));
    other.send(kind::set_level, 1.0F, at_beat(1));
    control().cancel_all(true);
    render(30'000);
    EXPECT_EQ(counts().cancelled, 2U) << "line 0 is read first";
    EXPECT_EQ(frames(), Frames{});
}

TEST_F(TimelineTest, a_transaction_of_a_beat_applies_whole_at_its_frame) {
    const std::array<Message, 3> members{Message::of(kind::set_level, 1.0F), Message::of(SetTempo{240}),
                                         Message::of(kind::set_level, 2.0F)};
    const std::uint32_t whole = control().try_send_whole(members, at_beat(0.01, delivery::confirm));
    set(3, at_beat(0.02));
    render(1000);
    EXPECT_EQ(frames(), (Frames{240, 240, 360}));
    EXPECT_EQ(confirmation().sequence, whole);
    const std::uint32_t second = control().try_send_whole(members, at_beat(5, delivery::confirm));
    render(64);
    EXPECT_EQ(counts().pending, 4U);
    control().cancel(second);
    render(64);
    EXPECT_EQ(counts().pending, 0U);
    EXPECT_EQ(counts().cancelled, 1U);
}

TEST_F(TimelineTest, a_transaction_stays_whole_if_a_member_moves_the_timeline) {
    for (const double to : {0.0, 100.0}) {
        make(64);
        const std::array<Message, 4> members{Message::of(kind::set_level, 1.0F), Message::of(Locate{to}),
                                             Message::of(SetTempo{240}), Message::of(kind::set_level, 2.0F)};
        control().try_send_whole(members, at_beat(0.01));
        set(3, at_beat(0.02));
        render(400);
        EXPECT_EQ(levels(), (to == 0 ? std::vector<float>{1, 2} : std::vector<float>{1, 2, 3})) << to;
        EXPECT_EQ(processor_->all()[1].frame, 240U) << to;
        EXPECT_EQ(timeline().map.last().frame, 240) << to;
        EXPECT_EQ(timeline().beat_at(240 + 12'000), to + 1);
    }
    EXPECT_EQ(counts().late, 1U) << "the last cue was passed over";
}

TEST_F(TimelineTest, a_transaction_that_a_locate_has_passed_counts_as_late_once) {
    const std::array<Message, 2> members{Message::of(kind::set_level, 1.0F), Message::of(kind::set_level, 2.0F)};
    control().try_send_whole(members, at_beat(1));
    control().try_send_whole(members, at_beat(1, delivery::drop_if_late));
    render(64);
    send(Locate{2});
    render(64);
    EXPECT_EQ(frames(), (Frames{64, 64}));
    EXPECT_EQ(counts().late, 1U);
    EXPECT_EQ(counts().dropped_late, 1U);
    EXPECT_EQ(counts().pending, 0U);
}

TEST_F(TimelineTest, a_line_holds_1024_beats_and_frames_together) {
    make(std::make_unique<StepDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = 64}));
    for (int round = 0; round < 8; ++round) {
        for (int cue = 0; cue < 64; ++cue) {
            set(1, at_beat(1000));
            set(1, {.frame = 1'000'000});
        }
        render(64);
    }
    EXPECT_EQ(counts().pending, 1024U);
    set(1, at_beat(1000, delivery::confirm));
    render(64);
    const auto refused = confirmation().as<Refused>();
    EXPECT_EQ(refused.reason, Reason::schedule_full);
    EXPECT_EQ(refused.wanted_frame, 24'000'000U);
    EXPECT_EQ(counts().refused, 1U);
    control().cancel_all();
    render(64);
    EXPECT_EQ(counts().pending, 0U);
}

TEST_F(TimelineTest, what_is_no_beat_is_refused_as_unknown) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double value : {nan, endless, -endless, -1.0, -0.0}) {
        for (const std::uint8_t flag : {delivery::beat, delivery::grid}) {
            set(1, {.frame = std::bit_cast<std::uint64_t>(value), .flags = flag});
        }
    }
    set(1, at_grid(1e-300));
    render(64);
    // -0 is 0, so it is a beat and a bar.
    EXPECT_EQ(frames(), (Frames{0, 0, 0}));
    EXPECT_EQ(engine_->stats().unhandled, 8U);
}

TEST_F(TimelineTest, a_beat_that_is_nearly_0_is_0_in_a_block_and_outside) {
    send(StopTimeline{});
    render(64);
    constexpr double denormal = std::numeric_limits<double>::denorm_min();
    set(1, at_beat(denormal));
    set(2, at_beat(-0.0));
    set(3, at_beat(0));
    set(4, at_grid(denormal));
    send(Locate{-0.0});
    send(SetLoop{denormal, -0.0});
    render(64);
    EXPECT_EQ(counts().pending, 4U);
    EXPECT_EQ(engine_->stats().unhandled, 0U);
    EXPECT_FALSE(std::signbit(timeline().beat_at(0)));
    send(StartTimeline{});
    render(64);
    EXPECT_EQ(levels(), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(TimelineTest, wrong_values_are_refused_and_change_nothing) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double tempo : {nan, 0.0, 0.99, 1000.1, -120.0, endless}) {
        send(SetTempo{tempo});
        send(RampTempo{tempo, 4, RampOver::beats});
    }
    for (const double length : {nan, 0.0, -1.0, 1e7, endless}) {
        send(RampTempo{60, length, RampOver::beats});
        send(RampTempo{60, length, RampOver::seconds});
    }
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): any program can send such bytes
    send(RampTempo{60, 4, static_cast<RampOver>(2)});
    for (const double beat : {nan, -1.0, 1e10, endless}) {
        send(Locate{beat});
        send(SetLoop{beat, 8});
        send(SetLoop{4, beat});
    }
    send(SetLoop{4, 4});
    send(SetLoop{4, 4.01});
    send(SetLoop{5, 4});
    for (const std::uint32_t number : {0U, 65U}) {
        send(SetSignature{number, 4});
        send(SetSignature{4, number});
    }
    send(SetSignature{4, 3});
    render(64);
    EXPECT_EQ(engine_->stats().unhandled, 12U + 10U + 1U + 12U + 3U + 5U);
    const Timeline now = timeline();
    EXPECT_DOUBLE_EQ(now.tempo_at(1e6), 120);
    EXPECT_EQ(now.beat_at(24'000), 1);
    EXPECT_EQ(now.bar_beats, 4);
    EXPECT_EQ(now.looping, 0U);
    EXPECT_EQ(now.map.size(), 1U);
}

TEST_F(TimelineTest, a_processor_sees_the_beat_of_each_frame) {
    send(SetTempo{240}, {.frame = 32});
    render(64);
    EXPECT_DOUBLE_EQ(processor_->first_beat, 32 / beat_frames);
    render(64);
    EXPECT_DOUBLE_EQ(processor_->first_beat, 32 / beat_frames + 32 / (beat_frames / 2));
}

TEST(TimelineContext, one_without_a_timeline_has_an_untouched_one) {
    const auto link = std::make_unique<OwnedLink>(LinkShape{});
    AudioSide audio{*link};
    const ProcessContext context{audio.events()};
    EXPECT_DOUBLE_EQ(context.timeline().tempo_at(0), 120);
    EXPECT_TRUE(context.timeline().running());
}

TEST_F(TimelineTest, keeps_its_tempo_and_its_beat_when_the_samplerate_changes) {
    Format format{.samplerate = 48'000, .outputs = 1, .blocksize = 64};
    auto device = std::make_unique<StepDevice>(format);
    StepDevice& step = *device;
    make(std::move(device));
    send(RampTempo{240, 1, RampOver::seconds});
    render(std::size_t{24'000});
    format.samplerate = 96'000;
    step.change(format);
    EXPECT_NEAR(timeline().tempo_at(24'000), 180, 1e-9);
    const double beat = timeline().beat_at(24'000);
    EXPECT_NEAR(timeline().tempo_at(24'000 + 24'000), 210, 1e-9) << "a quarter of a second later";
    EXPECT_NEAR(timeline().beat_at(24'000 + 24'000), beat + 195 * 0.25 / 60, 1e-9);
}

/// What a piece renders at one block size: everything that moves the timeline, and cues at many beats.
std::vector<float> piece(std::uint32_t blocksize, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    auto processor = std::make_unique<LevelProcessor>();
    Engine engine{std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize}),
                  std::move(processor)};
    engine.start();
    const auto number = [&random](double least, double most) {
        return std::uniform_real_distribution<double>{least, most}(random);
    };
    const auto when = [&]() -> Delivery {
        if (random() % 2 == 0) return {.frame = 1 + random() % 20'000};
        return at_beat(number(0, 4));
    };
    Line& control = engine.control();
    const auto send = [&](const auto& command) { control.send(command.kind, command, when()); };
    for (int command = 0; command < 200; ++command) {
        switch (random() % 13) {
            case 0:
                send(SetTempo{number(30, 900)});
                break;
            case 12:
                control.try_send_whole(
                    std::array{Message::of(Locate{number(0, 4)}), Message::of(SetTempo{number(30, 900)}),
                               Message::of(kind::set_level, static_cast<float>(command))},
                    when());
                break;
            case 1:
                send(RampTempo{number(30, 900), number(0.01, 1), RampOver::beats});
                break;
            case 2:
                send(RampTempo{number(30, 900), number(0.01, 0.2), RampOver::seconds});
                break;
            case 3:
                if (random() % 4 == 0) send(StopTimeline{});
                send(StartTimeline{});
                break;
            case 4:
                send(Locate{number(0, 4)});
                break;
            case 5:
                send(SetLoop{number(0, 1), number(1.1, 4)});
                break;
            case 6:
                send(SetLoop{0, 0});
                break;
            default:
                control.send(kind::set_level, static_cast<float>(command), when());
        }
    }
    std::vector<float> audio(30'000);
    engine.device().render(audio);
    EXPECT_LE(engine.timeline().map.last().frame, 30'000) << "no change begins later than its command";
    return audio;
}

TEST(TimelinePieces, give_the_same_samples_at_every_block_size) {
    const std::uint64_t first = seed();
    for (std::uint64_t round = 0; round < 20; ++round) {
        const std::vector<float> expected = piece(64, first + round);
        for (const std::uint32_t blocksize : {1U, 7U, 480U, 8192U}) {
            ASSERT_EQ(piece(blocksize, first + round), expected) << blocksize << ", round " << round;
        }
    }
}

TEST(TimelinePieces, after_an_hour_of_ramps_cues_are_within_half_a_frame_of_the_closed_form) {
    auto owned = std::make_unique<NotingProcessor>();
    const NotingProcessor& processor = *owned;
    Engine engine{std::make_unique<OfflineDevice>(Format{.samplerate = 8000, .outputs = 1, .blocksize = 4096}),
                  std::move(owned)};
    engine.start();
    // Up and down between 90 and 150 in turn, over 8 beats each, from beat to beat.
    engine.control().send(SetTempo::kind, SetTempo{90}, at_beat(0));
    std::vector<long double> exact;
    const long double minute = 60 * 8000.0L;
    long double frame = 0;
    std::vector<float> audio(8000);
    double beat = 0;
    while (frame < 3600 * 8000.0L) {
        const bool up = exact.size() % 2 == 0;
        const long double slope = (up ? 60 : -60) / 8.0L;
        const long double from = up ? 90 : 150;
        engine.control().send(RampTempo::kind, RampTempo{up ? 150.0 : 90.0, 8, RampOver::beats}, at_beat(beat));
        engine.control().send(kind::set_level, 1.0F, at_beat(beat + 5));
        exact.push_back(frame + minute / slope * std::log1p(slope * 5 / from));
        frame += minute / slope * std::log1p(slope * 8 / from);
        beat += 8;
        while (engine.now() + 8000 < frame) engine.device().render(audio);
    }
    audio.resize(100'000);
    engine.device().render(audio);
    ASSERT_EQ(processor.all().size(), exact.size());
    EXPECT_GT(exact.size(), 800U);
    for (std::size_t place = 0; place < exact.size(); ++place) {
        ASSERT_LE(std::abs(static_cast<long double>(processor.all()[place].frame) - exact[place]), 0.50001L) << place;
    }
}

}  // namespace
}  // namespace cueline::test
