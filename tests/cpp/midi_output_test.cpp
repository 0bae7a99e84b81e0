// midi_output_test.cpp: what a processor sends as MIDI reaches the device, at its frame.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/midi.hpp>

#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Kind say = kind::first_user;        // payload: std::uint32_t, how many notes to send at the command's frame
constexpr Kind say_later = say + 1;           // payload: std::uint64_t, a frame to send a note at
constexpr Kind say_something_else = say + 2;  // no MIDI

/// Sends notes, each with a number of its own.
class Singer final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        switch (command.kind) {
            case say:
                for (auto left = command.as<std::uint32_t>(); left > 0; --left) {
                    context.events().send(NoteOn::kind, next_note(), command);
                }
                return true;
            case say_later:
                context.events().send_at(command.as<std::uint64_t>(), NoteOn::kind, next_note(), command);
                return true;
            case say_something_else:
                context.events().send(say, 0, command);
                return true;
            default:
                return false;
        }
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        std::ranges::fill(block.output(0), 0.0F);
    }

  private:
    NoteOn next_note() noexcept CUELINE_NONBLOCKING { return {.note = note_++, .velocity = 1}; }
    std::uint8_t note_ = 0;
};

/// Notes and their places in the block.
using Notes = std::vector<std::pair<int, std::uint64_t>>;

class MidiSending : public testing::Test {
  protected:
    explicit MidiSending(MidiPorts ports = {.inputs = 1, .outputs = 1}) {
        own_device_->midi = ports;
        engine_ = std::make_unique<Engine>(std::move(own_device_), std::make_unique<Singer>());
        engine_->start();
    }

    [[nodiscard]] Notes sent() const {
        Notes notes;
        for (const Message& message : device_.callback().midi_output()) {
            EXPECT_EQ(message.kind, kind::note_on);
            notes.emplace_back(message.as<NoteOn>().note, message.frame);
        }
        return notes;
    }

    template <class Payload>
    void send(Kind kind, const Payload& payload, std::uint64_t frame = 0) {
        engine_->control().send(kind, payload, {.frame = frame});
    }

    [[nodiscard]] std::size_t events() {
        std::size_t count = 0;
        Message message;
        while (engine_->control().receive(message) == Status::ok) ++count;
        return count;
    }

    std::unique_ptr<StepDevice> own_device_ =
        std::make_unique<StepDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = 64});
    StepDevice& device_ = *own_device_;
    std::unique_ptr<Engine> engine_;
};

TEST_F(MidiSending, messages_come_in_the_order_of_their_frames) {
    send(say, 1U, 64 + 10);
    send(say_later, std::uint64_t{64 + 40}, 64 + 2);
    send(say, 2U, 64 + 40);
    send(say_something_else, 0, 64 + 41);
    send(say, 1U, 64 + 63);
    device_.run();
    EXPECT_EQ(sent(), Notes{});
    device_.run();
    EXPECT_EQ(sent(), (Notes{{1, 10}, {0, 40}, {2, 40}, {3, 40}, {4, 63}}));
    device_.run();
    EXPECT_EQ(sent(), Notes{}) << "each goes out once";
    EXPECT_EQ(events(), 6U) << "the control side has them, too";
}

TEST_F(MidiSending, a_frame_outside_the_block_counts_as_its_first_or_last_one) {
    device_.run();
    send(say_later, std::uint64_t{1'000});
    send(say_later, std::uint64_t{63});
    device_.run();
    EXPECT_EQ(sent(), (Notes{{1, 0}, {0, 63}}));
}

TEST_F(MidiSending, a_block_sends_256_messages_and_counts_the_others) {
    send(say, 300U);
    device_.run();
    EXPECT_EQ(sent().size(), max_midi_messages);
    EXPECT_EQ(engine_->stats().midi.unsent, 44U);
    send(say, 1U);
    device_.run();
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_EQ(engine_->stats().midi.unsent, 44U);
}

TEST_F(MidiSending, what_came_does_not_go_back) {
    Message note = Message::of(NoteOn{60, 100});
    device_.callback().take_midi({&note, 1});
    device_.run();
    EXPECT_EQ(sent(), Notes{});
    EXPECT_EQ(events(), 1U);
}

TEST_F(MidiSending, a_block_that_is_left_out_sends_nothing) {
    send(say, 1U);
    device_.run();
    ASSERT_EQ(sent().size(), 1U);
    device_.callback().process({.outputs = {}, .frames = 64}, 1);  // it has no outputs for the engine's audio
    EXPECT_EQ(sent(), Notes{});
}

class NoMidiOutput : public MidiSending {
  protected:
    NoMidiOutput() : MidiSending{MidiPorts{}} {}
};

TEST_F(NoMidiOutput, a_device_without_outputs_gets_nothing_and_nothing_is_lost) {
    send(say, 300U);
    device_.run();
    EXPECT_EQ(sent(), Notes{});
    EXPECT_EQ(engine_->stats().midi.unsent, 0U);
    EXPECT_EQ(events(), 300U);
}

}  // namespace
}  // namespace cueline::test
