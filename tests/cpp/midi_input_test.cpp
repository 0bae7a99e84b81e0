// midi_input_test.cpp: what a device hands over as MIDI applies at its frame, and reaches the control side.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/worst_case.hpp>
#include <cueline/line.hpp>
#include <cueline/midi.hpp>
#include <cueline/outcome.hpp>
#include <cueline/schedule.hpp>

#include "ring_checks.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Kind set_level = kind::first_user;  // payload: float
constexpr Kind rest = kind::first_user + 1;   // a NoteOn schedules one

/// Renders the velocity of the last note, or the level that was set. A ControlChange adds its value. A note of channel
/// 2 ends after ten frames. Refuses channel 16.
class Levels final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        switch (command.kind) {
            case kind::note_on: {
                const auto note = command.as<NoteOn>();
                if (note.channel == 16) return Outcome::refused(first_own_reason);
                level_ = note.velocity;
                if (note.channel == 2) {
                    context.schedule(Message::of(rest, note), context.events().frame() + 10);
                }
                return true;
            }
            case kind::control_change:
                level_ += static_cast<float>(command.as<ControlChange>().value);
                return true;
            case set_level:
                level_ = command.as<float>();
                return true;
            case rest:
                level_ = 0;
                return true;
            default:
                return false;
        }
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        ++segments;
        std::ranges::fill(block.output(0), level_);
    }

    std::size_t segments = 0;

  private:
    float level_ = 0;
};

/// A message at this frame of its block.
template <class Payload>
Message at(std::uint64_t frame, const Payload& payload) {
    Message message = Message::of(payload);
    message.frame = frame;
    return message;
}

class MidiInput : public testing::Test {
  protected:
    MidiInput() { engine_.start(); }

    /// Plays a block with these messages.
    const std::vector<float>& play(const std::vector<Message>& messages, std::uint32_t frames = 64) {
        device_.callback().take_midi(messages);
        return device_.run(frames);
    }

    std::vector<Message> events() {
        std::vector<Message> all;
        Message message;
        while (engine_.control().receive(message) == Status::ok) all.push_back(message);
        return all;
    }

    std::unique_ptr<StepDevice> own_device_ =
        std::make_unique<StepDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = 64});
    StepDevice& device_ = *own_device_;
    std::unique_ptr<Levels> own_processor_ = std::make_unique<Levels>();
    Levels& processor_ = *own_processor_;
    Engine engine_{std::move(own_device_), std::move(own_processor_)};
};

TEST_F(MidiInput, each_message_applies_at_its_frame) {
    const std::uint64_t run = seed();
    std::mt19937_64 random{run};
    for (int block = 0; block < 200; ++block) {
        const auto frames = static_cast<std::uint32_t>(1 + random() % 200);  // also more than the blocksize
        std::vector<Message> messages(random() % 20);
        std::vector<std::uint64_t> at_frames(messages.size());
        for (std::uint64_t& frame : at_frames) frame = random() % frames;
        std::ranges::sort(at_frames);
        std::vector<float> expected(frames, block == 0 ? 0.0F : 99.0F);
        for (std::size_t number = 0; number < messages.size(); ++number) {
            const auto velocity = static_cast<std::uint8_t>(1 + random() % 127);
            messages[number] = at(at_frames[number], NoteOn{60, velocity});
            std::fill(expected.begin() + static_cast<std::ptrdiff_t>(at_frames[number]), expected.end(), velocity);
        }
        ASSERT_EQ(play(messages, frames), expected) << "block " << block << " of " << frames;
        play({at(0, NoteOn{60, 99})}, 1);
    }
    EXPECT_EQ(engine_.stats().midi.dropped, 0U);
}

TEST_F(MidiInput, at_one_frame_cues_come_first_and_messages_keep_their_order) {
    engine_.control().send(set_level, 50.0F, {.frame = 7});
    engine_.control().send(set_level, 20.0F);
    const std::vector<float>& heard = play(
        {at(0, ControlChange{1, 1}), at(7, ControlChange{1, 2}), at(7, NoteOn{60, 100}), at(7, ControlChange{1, 3})});
    EXPECT_EQ(heard[0], 21.0F) << "a command without a frame comes first, too";
    EXPECT_EQ(heard[7], 103.0F);
}

TEST_F(MidiInput, what_the_device_handed_over_is_gone_after_its_block) {
    play({at(63, ControlChange{1, 1})});
    EXPECT_EQ(device_.run()[63], 1.0F);
    EXPECT_EQ(events().size(), 1U);
}

TEST_F(MidiInput, messages_reach_the_control_side_with_their_frame) {
    Line quiet = engine_.open_line();
    Line all = engine_.open_line(Events::all);
    device_.run(30);
    play({at(0, NoteOn{60, 1, 5, 3}), at(9, PitchBend{-100})});
    const std::vector<Message> came = events();
    ASSERT_EQ(came.size(), 2U);
    EXPECT_EQ(came[0].kind, kind::note_on);
    EXPECT_EQ(came[0].as<NoteOn>().channel, 5);
    EXPECT_EQ(came[0].as<NoteOn>().port, 3);
    EXPECT_EQ(came[0].frame, 30U);
    EXPECT_EQ(came[1].as<PitchBend>().value, -100);
    EXPECT_EQ(came[1].frame, 39U);
    for (const Message& event : came) {
        EXPECT_EQ(event.sequence, 0U) << "it answers nothing";
        EXPECT_EQ(event.line, 0);
        EXPECT_EQ(event.flags, 0);
    }
    Message event;
    EXPECT_EQ(all.receive(event), Status::ok);
    EXPECT_EQ(quiet.receive(event), Status::empty);
}

TEST_F(MidiInput, events_that_nobody_receives_are_dropped_and_counted) {
    const std::vector<Message> notes(100, at(0, NoteOn{60, 1}));
    for (int block = 0; block < 11; ++block) play(notes);
    EXPECT_EQ(engine_.stats().events.dropped, 1'100U - MessageRing::capacity);
}

TEST_F(MidiInput, a_message_that_the_processor_does_not_know_is_no_loss_and_a_refused_one_is) {
    play({at(0, PitchBend{1}), at(0, MidiBytes{0xF8})});
    EXPECT_EQ(engine_.stats().unhandled, 0U);
    play({at(0, NoteOn{60, 1, 16})});
    EXPECT_EQ(engine_.stats().refused, 1U);
    EXPECT_EQ(engine_.stats().refused_unconfirmed, 1U);
}

TEST_F(MidiInput, a_note_schedules_its_end) {
    const std::vector<float>& heard = play({at(5, NoteOn{60, 100, 2})});
    EXPECT_EQ(heard[5], 100.0F);
    EXPECT_EQ(heard[14], 100.0F);
    EXPECT_EQ(heard[15], 0.0F);
}

TEST_F(MidiInput, what_a_note_has_scheduled_is_cancelled_by_nobody) {
    engine_.control().send(set_level, 1.0F);
    play({at(60, NoteOn{60, 100, 2})});
    engine_.control().cancel_all();
    const std::vector<float>& heard = device_.run();
    EXPECT_EQ(heard[5], 100.0F);
    EXPECT_EQ(heard[6], 0.0F);
    EXPECT_EQ(engine_.stats().cues.cancelled, 0U);
}

TEST_F(MidiInput, a_frame_beyond_the_block_counts_as_its_last_one) {
    EXPECT_EQ(play({at(1'000, NoteOn{60, 100})})[63], 100.0F);
    EXPECT_EQ(play({at(0, NoteOn{60, 1}), at(40, NoteOn{60, 2}), at(9, NoteOn{60, 3})})[40], 3.0F) << "out of order";
}

TEST_F(MidiInput, a_block_takes_256_messages_and_counts_the_others) {
    const std::vector<Message> messages(max_midi_messages + 3, at(5, ControlChange{1, 1}));
    EXPECT_EQ(play(messages)[5], 256.0F);
    EXPECT_EQ(engine_.stats().midi.dropped, 3U);
}

TEST_F(MidiInput, messages_of_a_block_that_is_left_out_are_counted) {
    const std::vector<Message> two{at(0, NoteOn{60, 1}), at(1, NoteOn{60, 2})};
    device_.callback().take_midi(two);
    device_.callback().process({.outputs = {}, .frames = 64},
                               1);  // it has no outputs, and the engine is prepared for one
    EXPECT_EQ(engine_.stats().midi.dropped, 2U);
    EXPECT_EQ(device_.run()[63], 0.0F);
    device_.callback().take_midi(std::span{two}.last(1));  // for a frame that the block lacks
    device_.run(0);
    EXPECT_EQ(engine_.stats().midi.dropped, 3U);
}

TEST(MidiBound, a_block_with_messages_between_its_cues_keeps_it) {
    constexpr std::uint32_t frames = 8'192;
    const WorstCase most = worst_case(default_budget, default_lines, frames, max_midi_messages);
    EXPECT_EQ(most.segments, worst_case(default_budget, default_lines, frames).segments + max_midi_messages);
    auto own_device = std::make_unique<StepDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = frames});
    auto own_processor = std::make_unique<Levels>();
    StepDevice& device = *own_device;
    const Levels& processor = *own_processor;
    Engine engine{std::move(own_device), std::move(own_processor)};
    engine.start();
    for (std::uint64_t cue = 0; cue < Schedule::line_capacity; ++cue) {
        engine.control().send(set_level, 0.5F, {.frame = 6 * std::uint64_t{frames} + 2 * cue});
        if (cue % default_budget == default_budget - 1) device.run();
    }
    while (engine.now() < 6 * std::uint64_t{frames}) device.run();
    ASSERT_EQ(engine.stats().cues.pending, Schedule::line_capacity);
    std::vector<Message> messages;
    for (std::uint64_t number = 0; number < max_midi_messages; ++number) {
        messages.push_back(at(8 * number + 1, NoteOn{60, 1, 2}));
    }
    const std::size_t before = processor.segments;
    device.callback().take_midi(messages);
    device.run();
    const std::size_t segments = processor.segments - before;
    EXPECT_GT(segments, Schedule::line_capacity + max_midi_messages) << "some notes have scheduled their end";
    EXPECT_LE(segments, most.segments);
}

}  // namespace
}  // namespace cueline::test
