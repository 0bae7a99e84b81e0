// midi_maps_test.cpp: controls of MIDI move parameters and send messages on the audio thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>
#include <cueline/outcome.hpp>

#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Kind keep = kind::first_user;         // the processor keeps it
constexpr Kind refused = kind::first_user + 1;  // it refuses this one

/// Renders its first parameter, which moves in 10 frames. Keeps messages of kind `keep`, and MIDI if `takes_midi`.
class Moved final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        if (command.kind == refused) return Outcome::refused(first_own_reason);
        if (command.kind != keep && !(takes_midi && is_midi(command.kind))) return false;
        if (count < kept.size()) kept[count++] = command;  // NOLINT(*-constant-array-index)
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (float& sample : block.output(0)) sample = static_cast<float>(context.parameter(0).next());
    }

    static constexpr std::array<ParameterSpec, 2> specs{
        {{.name = "gain", .lowest = 0, .highest = 10, .ramp_s = 0.01},
         {.name = "each", .lowest = -1, .highest = 1, .default_value = 0, .ramp_s = 0, .count = 3}}};

    bool takes_midi = false;
    std::array<Message, 600> kept{};
    std::size_t count = 0;
};

/// A message at this frame of its block.
template <class Payload>
Message at(std::uint64_t frame, const Payload& payload) {
    Message message = Message::of(payload);
    message.frame = frame;
    return message;
}

class MidiMapsTest : public testing::Test {
  protected:
    MidiMapsTest() { engine_.start(); }

    const std::vector<float>& play(const std::vector<Message>& messages, std::uint32_t frames = 64) {
        device_.callback().take_midi(messages);
        return device_.run(frames);
    }

    void map(const MapMidi& made) {
        ASSERT_EQ(engine_.control().send(MapMidi::kind, made), Status::ok);
        device_.run(1);
    }

    /// Maps control 7 to `field` of a message of kind `keep`, whose bytes are all 0xEE.
    void map_message(MapMidi made, Kind target = keep) {
        made.target = target;
        for (const std::uint8_t half : {std::uint8_t{0}, std::uint8_t{1}}) {
            MapMidiMessage part{.place = made.place, .half = half};
            part.bytes.fill(0xEE);
            ASSERT_EQ(engine_.control().send(MapMidiMessage::kind, part), Status::ok);
        }
        map(made);
    }

    /// Sends a map, and returns whether it is refused.
    bool refuses(const MapMidi& made) {
        const std::uint64_t before = engine_.stats().unhandled;
        engine_.control().send(MapMidi::kind, made);
        device_.run(1);
        return engine_.stats().unhandled == before + 1;
    }

    double gain() { return engine_.controls().get(0); }

    std::unique_ptr<StepDevice> own_device_ =
        std::make_unique<StepDevice>(Format{.samplerate = 1'000, .outputs = 1, .blocksize = 64});
    StepDevice& device_ = *own_device_;
    std::unique_ptr<Moved> own_processor_ = std::make_unique<Moved>();
    Moved& processor_ = *own_processor_;
    Engine engine_{std::move(own_device_), std::move(own_processor_)};
};

constexpr MapMidi control_7{.status = 0xB0, .number = 7, .high = 10};

TEST_F(MidiMapsTest, a_control_moves_its_parameter_from_its_frame_in_the_ramp_time) {
    map(control_7);
    const std::vector<float> heard = play({at(60, ControlChange{7, 127})});
    EXPECT_EQ(heard[59], 0.0F);
    EXPECT_EQ(heard[60], 1.0F) << "a tenth of the way";
    EXPECT_EQ(heard[63], 4.0F);
    EXPECT_EQ(gain(), 10.0) << "reading shows where it goes";
    const std::vector<float> next = device_.run();
    EXPECT_EQ(next[0], 5.0F) << "the next block does not begin another ramp";
    EXPECT_EQ(next[5], 10.0F);
}

TEST_F(MidiMapsTest, the_ends_are_exact_and_the_middle_is_as_the_curve_says) {
    MapMidi made{.status = 0xB0, .number = 7, .low = 9.3, .high = 0.1};
    map(made);
    play({at(0, ControlChange{7, 0})});
    EXPECT_EQ(gain(), 9.3);
    play({at(0, ControlChange{7, 127})});
    EXPECT_EQ(gain(), 0.1);
    play({at(0, ControlChange{7, 32})});
    EXPECT_DOUBLE_EQ(gain(), 9.3 + (0.1 - 9.3) * 32 / 127);
    made.curve = MidiCurve::exponential;
    map(made);
    play({at(0, ControlChange{7, 0})});
    EXPECT_EQ(gain(), 9.3);
    play({at(0, ControlChange{7, 127})});
    EXPECT_EQ(gain(), 0.1);
    play({at(0, ControlChange{7, 32})});
    EXPECT_DOUBLE_EQ(gain(), 9.3 * std::pow(0.1 / 9.3, 32.0 / 127));
}

TEST_F(MidiMapsTest, an_encoder_moves_up_and_down_between_the_ends) {
    MapMidi made = control_7;
    made.curve = MidiCurve::relative;
    made.low = 2;
    made.high = 4;
    map(made);
    play({at(0, ControlChange{7, 1})});
    EXPECT_EQ(gain(), 2.0) << "it begins below, and does not stay there";
    play({at(0, ControlChange{7, 10}), at(1, ControlChange{7, 3})});
    EXPECT_DOUBLE_EQ(gain(), 2 + 13 * 2.0 / 127);
    play({at(0, ControlChange{7, 127})});
    EXPECT_DOUBLE_EQ(gain(), 2 + 12 * 2.0 / 127);
    play({at(0, ControlChange{7, 63}), at(0, ControlChange{7, 63}), at(0, ControlChange{7, 63})});
    EXPECT_EQ(gain(), 4.0);
    play({at(0, ControlChange{7, 64})});
    EXPECT_DOUBLE_EQ(gain(), 4 - 64 * 2.0 / 127);
}

TEST_F(MidiMapsTest, each_kind_of_control_has_its_position) {
    const auto moved = [&](std::uint8_t status, std::uint8_t number, const Message& midi) {
        map({.status = status, .number = number, .high = 10});
        play({at(0, ControlChange{100, 1})});
        play({midi});
        return gain();
    };
    EXPECT_DOUBLE_EQ(moved(0x90, 60, at(0, NoteOn{60, 100})), 10 * 100.0 / 127);
    EXPECT_DOUBLE_EQ(moved(0x80, 60, at(0, NoteOff{60, 3})), 10 * 3.0 / 127);
    EXPECT_DOUBLE_EQ(moved(0xE0, 0, at(0, PitchBend{1})), 10 * 8193.0 / 16383);
    EXPECT_DOUBLE_EQ(moved(0xE0, 0, at(0, PitchBend{8191})), 10);
    EXPECT_DOUBLE_EQ(moved(0xD0, 0, at(0, MidiBytes{0xD0, 64})), 10 * 64.0 / 127);
    EXPECT_DOUBLE_EQ(moved(0xA0, 60, at(0, MidiBytes{0xA0, 60, 5})), 10 * 5.0 / 127);
    EXPECT_DOUBLE_EQ(moved(0xC0, 5, at(0, MidiBytes{0xC0, 5})), 10);
}

TEST_F(MidiMapsTest, only_its_control_on_its_channel_and_port_moves_it_unless_it_is_omni) {
    MapMidi made{.status = 0xB2, .number = 7, .port = 2, .high = 10};
    map(made);
    play({at(0, ControlChange{7, 127, 3, 1}), at(0, ControlChange{7, 127, 4, 2}), at(0, ControlChange{8, 127, 3, 2}),
          at(0, NoteOn{7, 127, 3, 2}), at(0, MidiBytes{0xF8, 0, 0, 2})});
    EXPECT_EQ(gain(), 0.0);
    play({at(0, ControlChange{7, 127, 3, 2})});
    EXPECT_EQ(gain(), 10.0);
    made.omni = 1;
    map(made);
    play({at(0, ControlChange{8, 0, 3, 2})});
    EXPECT_EQ(gain(), 10.0);
    play({at(0, ControlChange{7, 0, 16, 9})});
    EXPECT_EQ(gain(), 0.0);
}

TEST_F(MidiMapsTest, an_element_moves_alone_and_two_maps_of_a_control_both_move) {
    map({.status = 0xB0, .number = 7, .address = 2, .low = -1, .high = 1});
    map({.place = 127, .status = 0xB0, .number = 7, .high = 10});
    play({at(0, ControlChange{7, 127})});
    EXPECT_EQ(engine_.controls().get(1), 0.0);
    EXPECT_EQ(engine_.controls().get(2), 1.0);
    EXPECT_EQ(engine_.controls().get(3), 0.0);
    EXPECT_EQ(gain(), 10.0);
}

TEST_F(MidiMapsTest, a_write_of_the_control_side_comes_after_it_and_a_control_after_the_write) {
    map(control_7);
    engine_.controls().set(0, 3);
    play({at(5, ControlChange{7, 127})});
    EXPECT_EQ(gain(), 10.0);
    engine_.controls().set(0, 3);
    EXPECT_EQ(device_.run()[63], 3.0F);
    EXPECT_EQ(gain(), 3.0);
}

template <class Number>
Number kept_number(const Message& message, std::size_t offset) {
    Number number;
    std::memcpy(&number, message.payload.data() + offset, sizeof number);
    return number;
}

TEST_F(MidiMapsTest, a_message_gets_the_number_in_its_field_and_keeps_its_other_bytes) {
    const auto sent = [&](MidiField field, double low, double high, std::uint8_t value) -> const Message& {
        processor_.count = 0;
        map_message({.status = 0xB0, .number = 7, .field = field, .address = 8, .low = low, .high = high});
        play({at(9, ControlChange{7, value})});
        EXPECT_EQ(processor_.count, 1U);
        return processor_.kept[0];
    };
    EXPECT_EQ(kept_number<std::uint8_t>(sent(MidiField::u8, 0, 255, 127), 8), 255);
    EXPECT_EQ(kept_number<std::uint16_t>(sent(MidiField::u16, 0, 127, 64), 8), 64);
    EXPECT_EQ(kept_number<std::uint32_t>(sent(MidiField::u32, 0, 4'294'967'295.0, 127), 8), 4'294'967'295U);
    EXPECT_EQ(kept_number<std::int8_t>(sent(MidiField::i8, -127, 0, 64), 8), -63);
    EXPECT_EQ(kept_number<std::int16_t>(sent(MidiField::i16, -32'768, 0, 0), 8), -32'768);
    EXPECT_EQ(kept_number<std::int32_t>(sent(MidiField::i32, 1.4, 1.6, 127), 8), 2) << "the nearest one";
    EXPECT_EQ(kept_number<float>(sent(MidiField::f32, 0, 0.5, 127), 8), 0.5F);
    const Message message = sent(MidiField::f64, 0, 0.1, 127);
    EXPECT_EQ(kept_number<double>(message, 8), 0.1);
    EXPECT_EQ(std::ranges::count(message.payload, std::byte{0xEE}), 32);
    EXPECT_EQ(message.kind, keep);
    EXPECT_EQ(message.flags, 0);
}

TEST_F(MidiMapsTest, without_a_field_a_message_is_sent_by_notes_and_by_a_control_from_its_middle_up) {
    map_message(control_7);
    play({at(0, ControlChange{7, 63}), at(0, ControlChange{7, 0})});
    EXPECT_EQ(processor_.count, 0U);
    play({at(0, ControlChange{7, 64}), at(0, ControlChange{7, 127})});
    EXPECT_EQ(processor_.count, 2U);
    map_message({.status = 0x90, .number = 60});
    map_message({.place = 1, .status = 0x80, .number = 60});
    play({at(0, NoteOn{60, 1}), at(0, NoteOff{60, 0})});
    EXPECT_EQ(processor_.count, 4U);
}

TEST_F(MidiMapsTest, a_command_counts_too_at_its_frame_and_its_message_has_its_origin) {
    map(control_7);
    map_message({.place = 1, .status = 0xB0, .number = 7});
    Line line = engine_.open_line();
    line.send(kind::control_change, ControlChange{1, 1});
    line.send(kind::control_change, ControlChange{7, 127}, {.frame = engine_.now() + 20});
    const std::vector<float>& heard = device_.run();
    EXPECT_EQ(heard[19], 0.0F);
    EXPECT_EQ(heard[20], 1.0F);
    ASSERT_EQ(processor_.count, 1U);
    EXPECT_EQ(processor_.kept[0].sequence, 2U);
    EXPECT_EQ(processor_.kept[0].line, line.number());
    EXPECT_EQ(engine_.stats().unhandled, 1U) << "the one without a map";
}

TEST_F(MidiMapsTest, a_message_goes_to_its_part_or_to_that_of_the_midi_message) {
    for (const std::uint8_t flags : {std::uint8_t{0}, to_part(3)}) {
        map_message({.status = 0x90, .number = 60, .message_flags = flags});
        for (const std::uint8_t of_midi : {std::uint8_t{0}, to_part(2)}) {
            engine_.control().send(kind::note_on, NoteOn{60, 1}, {.flags = of_midi});
        }
        device_.run();
    }
    ASSERT_EQ(processor_.count, 4U);
    EXPECT_EQ(part_of(processor_.kept[0].flags), 0U);
    EXPECT_EQ(part_of(processor_.kept[1].flags), 2U);
    EXPECT_EQ(part_of(processor_.kept[2].flags), 3U);
    EXPECT_EQ(part_of(processor_.kept[3].flags), 3U);
}

TEST_F(MidiMapsTest, the_processor_gets_the_message_too) {
    processor_.takes_midi = true;
    map(control_7);
    play({at(3, ControlChange{7, 5})});
    ASSERT_EQ(processor_.count, 1U);
    EXPECT_EQ(processor_.kept[0].kind, kind::control_change);
    EXPECT_DOUBLE_EQ(gain(), 10 * 5.0 / 127);
}

TEST_F(MidiMapsTest, a_message_that_the_processor_refuses_or_does_not_know_is_a_loss) {
    map_message(control_7, refused);
    play({at(0, ControlChange{7, 127})});
    EXPECT_EQ(engine_.stats().refused_unconfirmed, 1U);
    map_message(control_7, refused + 1);
    play({at(0, ControlChange{7, 127})});
    EXPECT_EQ(engine_.stats().unhandled, 1U);
}

TEST_F(MidiMapsTest, a_command_of_the_timeline_can_be_mapped_and_another_of_the_engine_cannot) {
    MapMidi tempo = control_7;
    tempo.field = MidiField::f64;
    tempo.low = 60;
    tempo.high = 180;
    map_message(tempo, kind::set_tempo);
    play({at(0, ControlChange{7, 127})});
    EXPECT_DOUBLE_EQ(engine_.timeline().tempo_at(static_cast<double>(engine_.now())), 180);
    for (const Kind own : {kind::ping, kind::cancel_all, kind::publish_buffer, kind::unload_buffer, kind::map_midi}) {
        MapMidi made = control_7;
        made.target = own;
        EXPECT_TRUE(refuses(made)) << own;
    }
}

TEST_F(MidiMapsTest, what_is_unmapped_moves_nothing) {
    map(control_7);
    map({.place = 3, .status = 0xB0, .number = 8, .address = 1, .low = -1});
    engine_.control().send(UnmapMidi::kind, UnmapMidi{.place = 0});
    device_.run(1);
    play({at(0, ControlChange{7, 127}), at(0, ControlChange{8, 127})});
    EXPECT_EQ(gain(), 0.0);
    EXPECT_EQ(engine_.controls().get(1), 1.0) << "the others stay";
    engine_.control().send(UnmapMidi::kind, UnmapMidi{.place = 3});
    engine_.control().send(UnmapMidi::kind, UnmapMidi{.place = 128});
    device_.run(1);
    EXPECT_EQ(engine_.stats().unhandled, 1U);
    engine_.control().send(kind::control_change, ControlChange{8, 0});
    device_.run(1);
    EXPECT_EQ(engine_.stats().unhandled, 2U) << "nothing is mapped";
}

TEST_F(MidiMapsTest, a_block_carries_out_512_moves_and_counts_the_others) {
    for (std::uint8_t place = 0; place < 3; ++place) {
        MapMidi made = control_7;
        made.place = place;
        map_message(made);
    }
    const std::vector<Message> messages(max_midi_messages, at(5, ControlChange{7, 100}));
    play(messages);
    EXPECT_EQ(processor_.count, max_midi_moves);
    EXPECT_EQ(engine_.stats().midi.dropped, 3 * max_midi_messages - max_midi_moves);
    processor_.count = 0;
    play({at(0, ControlChange{7, 100})});
    EXPECT_EQ(processor_.count, 3U) << "the next block begins anew";
}

TEST_F(MidiMapsTest, numbers_out_of_range_are_refused) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinite = std::numeric_limits<double>::infinity();
    std::vector<MapMidi> wrong(17, control_7);
    wrong[0].place = 128;
    wrong[1].status = 0x7F;
    wrong[2].status = 0xF8;
    wrong[3].number = 128;
    // NOLINTBEGIN(clang-analyzer-optin.core.EnumCastOutOfRange): bytes may be any
    wrong[4].curve = static_cast<MidiCurve>(3);
    wrong[5].field = static_cast<MidiField>(9);
    // NOLINTEND(clang-analyzer-optin.core.EnumCastOutOfRange)
    wrong[6].low = nan;
    wrong[7].high = infinite;
    wrong[8].curve = MidiCurve::exponential;  // from 0
    wrong[9].curve = MidiCurve::exponential;
    wrong[9].low = 1;
    wrong[9].high = -1;
    wrong[10].address = 4;             // there are 0 to 3
    wrong[11].field = MidiField::f32;  // of a parameter
    wrong[12].status = 0xE0;
    wrong[12].curve = MidiCurve::relative;
    wrong[13].target = keep;
    wrong[13].field = MidiField::f64;
    wrong[13].address = 33;
    wrong[14].target = keep;
    wrong[14].field = MidiField::u8;
    wrong[14].high = 256;
    wrong[15].target = keep;
    wrong[15].curve = MidiCurve::relative;
    wrong[16].curve = MidiCurve::exponential;
    wrong[16].low = 1e-308;
    wrong[16].high = 1e308;
    for (std::size_t number = 0; number < wrong.size(); ++number) EXPECT_TRUE(refuses(wrong[number])) << number;
    EXPECT_FALSE(refuses(control_7));
    engine_.control().send(MapMidiMessage::kind, MapMidiMessage{.half = 2});
    engine_.control().send(MapMidiMessage::kind, MapMidiMessage{.place = 128});
    device_.run(1);
    EXPECT_EQ(engine_.stats().unhandled, wrong.size() + 2);
}

}  // namespace
}  // namespace cueline::test
