// sequences_test.cpp: sequences come at the frames of their beats, at any block size, and end when they should.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "engine/sequences.hpp"
#include "processors.hpp"

namespace cueline::test {
namespace {

constexpr std::uint64_t beat_frames = 24'000;  // at 120 quarter notes a minute and 48 kHz

struct Played {
    std::uint64_t frame = 0;
    float value = 0;

    friend bool operator==(const Played&, const Played&) = default;
};
using All = std::vector<Played>;

/// Notes each kind::set_level, and refuses those below 0.
class Noting final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != kind::set_level) return false;
        const auto value = command.as<float>();
        if (value < 0) return Outcome::refused(first_own_reason);
        if (count_ < all_.size()) all_[count_++] = {context.events().frame(), value};
        context.events().send(kind::set_level, value, command);
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        std::ranges::fill(block.output(0), 0.0F);
    }
    [[nodiscard]] All all() const { return {all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count_)}; }

  private:
    std::size_t count_ = 0;
    All all_ = All(100'000);
};

TimedMessage event(double beat, float value = 1) {
    return {.beat = beat, .message = Message::of(kind::set_level, value)};
}

class SequencesTest : public testing::Test {
  protected:
    SequencesTest() { make(64); }

    void make(std::uint32_t blocksize) {
        make(std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize}));
    }
    void make(std::unique_ptr<Device> device) {
        engine_.reset();
        auto processor = std::make_unique<Noting>();
        processor_ = processor.get();
        engine_ = std::make_unique<Engine>(std::move(device), std::move(processor));
        engine_->start();
        sequences().open(engine_->open_line());
    }
    [[nodiscard]] Sequences& sequences() const { return engine_->sequences(); }

    [[nodiscard]] std::shared_ptr<Sequence> play(std::vector<TimedMessage> events, const Delivery& at,
                                                 double loop_beats = 0, const Swing& swing = {}) const {
        return sequences().play(std::make_shared<Score>(std::move(events), loop_beats, swing), at);
    }
    void replace(Sequence& sequence, std::vector<TimedMessage> events, const Delivery& at,
                 double loop_beats = 0) const {
        EXPECT_TRUE(sequences().replace(sequence, std::make_shared<Score>(std::move(events), loop_beats, Swing{}), at));
    }
    template <class Command>
    void send(const Command& command, const Delivery& at = {}) const {
        EXPECT_EQ(engine_->control().send(Command::kind, command, at), Status::ok);
    }
    void render(double beats) const {
        std::vector<float> audio(static_cast<std::size_t>(beats * beat_frames));
        engine_->device().render(audio);
    }
    [[nodiscard]] std::vector<std::uint64_t> frames() const {
        std::vector<std::uint64_t> found;
        for (const Played& each : processor_->all()) found.push_back(each.frame);
        return found;
    }
    /// In eighths of a beat.
    [[nodiscard]] std::vector<double> eighths() const {
        std::vector<double> found;
        for (const Played& each : processor_->all()) found.push_back(static_cast<double>(each.frame) * 8 / beat_frames);
        return found;
    }
    [[nodiscard]] std::vector<float> values() const {
        std::vector<float> found;
        for (const Played& each : processor_->all()) found.push_back(each.value);
        return found;
    }

    const Noting* processor_ = nullptr;
    std::unique_ptr<Engine> engine_;
};

using Frames = std::vector<std::uint64_t>;
using Values = std::vector<float>;
using Eighths = std::vector<double>;

/// Cues that are sent in time are the model: what they do is tested elsewhere.
TEST_F(SequencesTest, come_at_the_frames_of_cues_at_any_block_size) {
    std::vector<TimedMessage> events;
    for (int place = 0; place < 500; ++place)
        events.push_back(event(0.047 * place * (place % 3), static_cast<float>(place)));
    const auto move = [this] {
        send(RampTempo{.tempo = 300, .length = 4, .over = RampOver::beats}, at_beat(1));
        send(SetTempo{60}, at_beat(9.01));
        send(SetTempo{1000}, at_beat(9.99));
        send(StopTimeline{}, at_beat(17));
        send(StartTimeline{}, {.frame = 200'000});
        send(Locate{20}, {.frame = 212'345});
        send(Locate{19}, {.frame = 213'000});
    };
    move();
    std::multimap<double, float> sorted;  // those of one beat keep their order
    for (const TimedMessage& each : events) sorted.emplace(each.beat, each.message.as<float>());
    for (const auto& [beat, level] : sorted) {
        engine_->make_room(0);
        EXPECT_EQ(engine_->control().send(kind::set_level, level, at_beat(beat)), Status::ok);
    }
    render(20);
    const All expected = processor_->all();
    ASSERT_EQ(expected.size(), events.size());
    for (const std::uint32_t blocksize : {1U, 64U, 1000U, 8192U}) {
        make(blocksize);
        move();
        const std::shared_ptr<Sequence> sequence = play(events, at_beat(0));
        render(20);
        EXPECT_EQ(processor_->all().size() + sequences().counts().left_out, events.size()) << blocksize;
        // A locate() leaves out what it goes over, and a cue that waits there comes late: all others are the same.
        All in_time;
        All others;
        for (const Played& each : expected) {
            if (each.frame < 212'345) in_time.push_back(each);
        }
        for (const Played& each : processor_->all()) {
            if (each.frame < 212'345) others.push_back(each);
        }
        EXPECT_TRUE(others == in_time) << blocksize;  // googletest would compare long lists for a minute
        EXPECT_TRUE(sequences().over(*sequence));
    }
}

TEST_F(SequencesTest, repeat_without_adding_up_an_error) {
    const double length = 0.7;
    const auto sequence = play({event(0), event(0.3)}, at_beat(1.1), length);
    render(400);
    Frames expected;
    for (int round = 0; round < 600; ++round) {
        for (const double beat : {0.0, 0.3}) {
            const double at = (1.1 + (round * length + beat)) * beat_frames;
            if (at < 400 * beat_frames) expected.push_back(static_cast<std::uint64_t>(std::lround(at)));
        }
    }
    EXPECT_EQ(frames(), expected);
    EXPECT_FALSE(sequences().over(*sequence));
}

TEST_F(SequencesTest, swing_gives_the_first_eighth_its_share_of_a_quarter_note) {
    const auto sequence =
        play({event(0), event(0.25), event(0.5), event(0.75), event(1), event(1.5)}, at_beat(0), 0, {.share = 0.75});
    render(3);
    EXPECT_EQ(eighths(), (Eighths{0, 3, 6, 7, 8, 14}));
    EXPECT_TRUE(sequences().over(*sequence));
    EXPECT_EQ((Swing{.share = 0.75, .grid = 0.25}.moved(2.25)), 2.375) << "a grid of sixteenths";
    EXPECT_EQ((Swing{.share = 0.5}.moved(0.1)), 0.1) << "straight is exactly that";
}

TEST_F(SequencesTest, mute_is_silent_at_once_and_keeps_the_place) {
    const auto sequence = play({event(0, 1), event(0.25, 2), event(0.5, 3), event(0.75, 4)}, at_beat(0), 1);
    render(1.6);
    sequences().mute(*sequence, true);
    render(1);
    EXPECT_TRUE(sequences().muted(*sequence));
    sequences().mute(*sequence, false);
    render(0.5);
    EXPECT_EQ(values(), (Values{1, 2, 3, 4, 1, 2, 3, 4, 1}));
    EXPECT_EQ(eighths(), (Eighths{0, 2, 4, 6, 8, 10, 12, 22, 24}));
    EXPECT_EQ(sequences().counts(*sequence).late, 0U);
}

TEST_F(SequencesTest, one_that_is_mute_is_over_when_its_last_event_is) {
    make(4096);
    const auto sequence = play({event(0, 1), event(0.5, 2)}, at_beat(0));
    sequences().mute(*sequence, true);
    render(0.5);
    EXPECT_FALSE(sequences().over(*sequence)) << "this frame is still to come";
    render(0.01);
    EXPECT_TRUE(sequences().over(*sequence));
    EXPECT_TRUE(values().empty());
}

TEST_F(SequencesTest, a_mute_reaches_an_event_of_the_next_frame) {
    const auto sequence = play({event(0, 1)}, at_beat(0), 1);
    render(1);
    sequences().mute(*sequence, true);
    render(1);
    EXPECT_EQ(values(), Values{1}) << "the second one waited for the first frame of the block";
}

TEST_F(SequencesTest, what_a_mute_had_cancelled_comes_if_the_mute_ends_before_it) {
    make(4096);  // the next event waits in the schedule already
    const auto sequence = play({event(0, 1), event(0.5, 2), event(0.5, 3)}, at_beat(0), 1);
    render(0.25);
    sequences().mute(*sequence, true);
    render(0.05);
    sequences().mute(*sequence, false);
    render(0.5);
    EXPECT_EQ(values(), (Values{1, 2, 3})) << "in their order, each once";
    EXPECT_GE(engine_->stats().cues.cancelled, 2U);
}

TEST_F(SequencesTest, a_replacement_keeps_the_phase_of_the_loop) {
    make(4096);
    const auto sequence = play({event(0, 1), event(1, 2), event(2, 3)}, at_beat(0.5), 3);
    render(0.9);
    replace(*sequence, {event(0, 10), event(1, 11), event(2.5, 12)}, at_beat(2), 3);
    render(4.1);
    EXPECT_EQ(values(), (Values{1, 2, 12, 10, 11}));
    EXPECT_EQ(eighths(), (Eighths{4, 12, 24, 28, 36}));
}

TEST_F(SequencesTest, a_replacement_at_an_earlier_beat_takes_the_place_of_one_at_a_later_beat) {
    const auto sequence = play({event(0, 1)}, at_beat(0), 1);
    replace(*sequence, {event(0, 2)}, at_beat(4), 1);
    replace(*sequence, {event(0, 3)}, at_beat(2), 1);
    render(6);
    EXPECT_EQ(values(), (Values{1, 1, 3, 3, 3, 3}));
}

TEST_F(SequencesTest, a_stop_cancels_what_waits_of_this_sequence_only) {
    make(8192);
    const auto ended = play({event(0, 1)}, at_beat(0), 0.5);
    const auto other = play({event(0.25, 2)}, at_beat(0), 0.5);
    EXPECT_EQ(engine_->control().send(kind::set_level, 3.0F, at_beat(1)), Status::ok);
    render(0.7);
    sequences().stop(*ended, {});
    render(0.8);
    EXPECT_EQ(values(), (Values{1, 2, 1, 2, 3, 2}));
    EXPECT_TRUE(sequences().over(*ended));
    EXPECT_FALSE(sequences().over(*other));
    EXPECT_FALSE(sequences().replace(*ended, std::make_shared<Score>(Swing{}), {}));
    sequences().stop(*other, at_beat(2));
    render(1.5);
    EXPECT_EQ(values(), (Values{1, 2, 1, 2, 3, 2, 2})) << "up to the beat, and not on it";
    EXPECT_TRUE(sequences().over(*other));
    EXPECT_EQ(engine_->stats().sequences.playing, 0U);
}

TEST_F(SequencesTest, begin_where_commands_before_them_have_moved_the_timeline) {
    send(Locate{17});
    send(SetSignature{.beats = 3, .unit = 4}, at_beat(18));
    const auto on_the_bar = play({event(0, 1)}, at_bar());
    const auto at_once = play({event(0, 2)}, {});
    render(3.5);
    EXPECT_EQ(values(), (Values{2, 1}));
    EXPECT_EQ(eighths(), (Eighths{0, 24})) << "bars had four beats when it looked";
    EXPECT_TRUE(sequences().over(*on_the_bar));
}

TEST_F(SequencesTest, begin_with_the_next_block_though_other_commands_wait) {
    engine_->control().ping();
    const auto at_once = play({event(0, 2)}, {});
    render(0.5);
    EXPECT_EQ(values(), (Values{2}));
    EXPECT_EQ(eighths(), (Eighths{0}));
}

TEST_F(SequencesTest, a_list_that_is_no_loop_begins_late_events_late_and_counts_them) {
    render(10);
    const auto sequence = play({event(0, 1), event(9.5, 2), event(11, 3)}, at_beat(0));
    render(2);
    EXPECT_EQ(values(), (Values{2, 3})) << "the first one is over for too long";
    EXPECT_EQ(sequences().counts(*sequence).late, 2U);
    EXPECT_EQ(engine_->stats().sequences.left_out, 1U);
    EXPECT_EQ(engine_->stats().cues.late, 1U);
}

TEST_F(SequencesTest, a_loop_that_began_in_the_past_is_in_phase_and_nothing_of_it_is_late) {
    render(10.1);
    const auto sequence = play({event(0, 1), event(0.5, 2)}, at_beat(0), 1);
    render(1);
    EXPECT_EQ(eighths(), (Eighths{84, 88}));
    EXPECT_EQ(sequences().counts(*sequence).late, 0U);
}

TEST_F(SequencesTest, a_locate_leaves_out_and_counts_whole_rounds_without_playing_them) {
    const auto sequence = play({event(0, 1), event(0.5, 2)}, at_beat(0), 1);
    render(1.25);
    send(Locate{1e8});
    render(1);
    EXPECT_EQ(values(), (Values{1, 2, 1, 1, 2, 1, 2})) << "what is over for at most a beat comes, late";
    const SequenceCounts counts = sequences().counts(*sequence);
    EXPECT_EQ(counts.played, 7U);
    EXPECT_EQ(counts.played + engine_->stats().sequences.left_out, 2U * (100'000'000 + 1));
}

TEST_F(SequencesTest, a_score_that_grows_plays_what_is_appended) {
    const auto score = std::make_shared<Score>(Swing{});
    const auto sequence = sequences().play(score, at_beat(1));
    EXPECT_LT(sequences().wanted(*score).value_or(0), 0);
    int appended = 0;
    for (int block = 0; block < 1000; ++block) {
        engine_->feed_sequences();
        while (appended * 0.125 <= sequences().wanted(*score).value_or(-1)) {
            sequences().append(*score, event(appended * 0.125, static_cast<float>(appended)));
            ++appended;
        }
        render(64.0 / beat_frames);
    }
    sequences().finish(*score);
    EXPECT_EQ(eighths().size(), 14U);
    EXPECT_EQ(eighths().front(), 8);
    EXPECT_EQ(eighths().back(), 21);
    render(1);
    EXPECT_TRUE(sequences().over(*sequence));
}

TEST_F(SequencesTest, nobody_wants_more_of_a_score_whose_sequence_was_stopped) {
    const auto score = std::make_shared<Score>(Swing{});
    const auto sequence = sequences().play(score, at_beat(1));
    sequences().stop(*sequence, {});
    EXPECT_FALSE(sequences().wanted(*score).has_value());
}

TEST_F(SequencesTest, more_events_than_the_rings_hold_come_in_one_block) {
    std::vector<TimedMessage> events;
    for (int place = 0; place < 5000; ++place) events.push_back(event(1 + place * 1e-5, static_cast<float>(place)));
    const auto sequence = play(events, at_beat(0));
    render(3);
    ASSERT_EQ(values().size(), 5000U);
    EXPECT_TRUE(std::ranges::is_sorted(values()));
    EXPECT_EQ(sequences().counts(*sequence).played, 5000U);
    EXPECT_TRUE(sequences().over(*sequence));
}

TEST_F(SequencesTest, outcomes_are_exact_also_if_more_come_at_once_than_a_ring_holds) {
    for (const std::uint32_t blocksize : {64U, 8192U}) {
        make(blocksize);
        const auto refused = play(std::vector<TimedMessage>(3000, event(0, -1)), at_beat(1));
        const auto played = play(std::vector<TimedMessage>(2000, event(0.01)), at_beat(1));
        render(2);
        EXPECT_EQ(sequences().counts(*refused).refused, 3000U) << blocksize;
        EXPECT_EQ(sequences().counts(*refused).played, 0U) << blocksize;
        EXPECT_EQ(sequences().counts(*played).played, 2000U) << blocksize;
        EXPECT_EQ(processor_->all().front().frame, 24'240U);
        const auto late = play(std::vector<TimedMessage>(1500, event(0)), at_beat(1.5));
        render(1);
        EXPECT_EQ(sequences().counts(*late).late, 1500U) << blocksize;
        EXPECT_TRUE(sequences().over(*late));
    }
}

TEST_F(SequencesTest, the_block_size_does_not_change_what_comes_when_the_timeline_moves_at_a_beat) {
    All expected;
    for (const std::uint32_t blocksize : {1U, 37U, 1000U, 8192U}) {
        make(blocksize);
        const auto sequence = play({event(1.0 / 3)}, at_beat(0), 1);
        send(StopTimeline{}, {.frame = 2'070});
        send(StartTimeline{}, {.frame = 2'570});
        send(Locate{6}, at_beat(1));  // at frame 24,500: what is over there for less than a beat comes late
        render(3);
        if (expected.empty()) expected = processor_->all();
        EXPECT_EQ(processor_->all(), expected) << blocksize;
        EXPECT_EQ(processor_->all().at(1).frame, 24'500U) << blocksize;
        EXPECT_EQ(sequences().counts(*sequence).late, 5U) << blocksize;
    }
}

TEST_F(SequencesTest, the_block_size_does_not_change_what_comes_if_the_timeline_is_moved_while_it_stands) {
    All expected;
    for (const std::uint32_t blocksize : {1U, 37U, 1000U, 8192U}) {
        make(blocksize);
        render(1.0 / beat_frames);
        const auto sequence = play({event(0)}, at_beat(0), 0.0625);
        send(SetLoop{.start = 0, .end = 1});
        send(StopTimeline{}, {.frame = 10'538});
        // The next bar line is where the region begins again. The timeline stands before that.
        send(SetTempo{120}, {.frame = std::bit_cast<std::uint64_t>(0.0), .flags = delivery::grid});
        send(Locate{3}, {.frame = 34'811});
        render(2);
        if (expected.empty()) expected = processor_->all();
        EXPECT_EQ(processor_->all(), expected) << blocksize;
    }
}

TEST_F(SequencesTest, that_move_the_timeline_take_nothing_back) {
    make(8192);
    std::vector<TimedMessage> events;
    for (int place = 0; place < 2000; ++place) {
        events.push_back({.beat = place * 5e-4, .message = Message::of(SetTempo{120.0 + place % 2})});
        events.push_back(event(place * 5e-4));
    }
    const auto sequence = play(std::move(events), at_beat(0));
    render(1.1);
    EXPECT_EQ(sequences().counts(*sequence).played, 4000U);
    EXPECT_EQ(engine_->stats().cues.cancelled, 0U);
}

TEST_F(SequencesTest, refusals_are_counted_and_answers_go_to_the_engines_line) {
    const auto sequence =
        play({event(0, -1), {.beat = 0.1, .message = Message::of(kind::flood, 0)}, event(0.2, 5)}, at_beat(0));
    render(1);
    EXPECT_EQ(sequences().counts(*sequence).refused, 2U);
    EXPECT_EQ(engine_->stats().sequences.refused_by_processor, 1U);
    Message answer;
    ASSERT_EQ(engine_->control().receive(answer), Status::ok);
    EXPECT_EQ(answer.as<float>(), 5);
}

TEST_F(SequencesTest, in_a_loop_of_the_timeline_each_event_comes_once) {
    send(SetLoop{.start = 0, .end = 1});
    const auto sequence = play({event(0, 1), event(0.5, 2), event(1.5, 3)}, at_beat(0));
    render(4);
    EXPECT_EQ(values(), (Values{1, 2}));
    send(SetLoop{.start = 0, .end = 0});
    render(2);
    EXPECT_EQ(values(), (Values{1, 2, 3}));
    EXPECT_TRUE(sequences().over(*sequence));
}

TEST_F(SequencesTest, the_end_of_the_engine_ends_them) {
    make(std::make_unique<NullDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = 64}));
    const auto endless_one = play({event(0, 1)}, at_bar(), 0.125);
    while (sequences().counts(*endless_one).played < 3) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    engine_->close();
    EXPECT_TRUE(sequences().over(*endless_one));
    EXPECT_THROW((void)play({event(0)}, at_bar()), ClosedError);
    sequences().stop(*endless_one, {});
}

TEST_F(SequencesTest, a_thread_begins_anew_after_it_had_nothing_to_play) {
    make(std::make_unique<NullDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = 64}));
    for (int turn = 0; turn < 3; ++turn) {
        const auto once = play({event(0, 1), event(0.01, 2)}, {});
        while (!sequences().over(*once)) std::this_thread::sleep_for(std::chrono::milliseconds{1});
        EXPECT_EQ(sequences().counts(*once).played, 2U);
        std::this_thread::sleep_for(std::chrono::milliseconds{turn * 4});
    }
}

}  // namespace
}  // namespace cueline::test
