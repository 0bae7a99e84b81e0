// midi_test.cpp: MIDI's bytes as messages, and back.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <cueline/midi.hpp>
#include <cueline/visit.hpp>

namespace cueline::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const Message& message) {
    const MidiWire wire = midi_bytes(message);
    return {wire.used().begin(), wire.used().end()};
}

template <class Payload>
Payload payload_of(const Bytes& bytes, std::uint8_t port = 1) {
    const std::optional<Message> message = midi_message(bytes, port);
    EXPECT_TRUE(message && message->kind == Payload::kind);
    return message.value_or(Message{}).as<Payload>();
}

TEST(Midi, bytes_behind_the_end_of_a_message_are_0) {
    EXPECT_EQ(midi_bytes(Message::of(MidiBytes{0xF8, 5, 6})).bytes, (std::array<std::uint8_t, 3>{0xF8, 0, 0}));
    EXPECT_EQ(midi_bytes(Message::of(MidiBytes{0xC0, 5, 6})).bytes, (std::array<std::uint8_t, 3>{0xC0, 5, 0}));
    EXPECT_EQ(midi_bytes(Message::of(MidiBytes{0xA0, 5, 6})).bytes, (std::array<std::uint8_t, 3>{0xA0, 5, 6}));
}

TEST(Midi, channels_count_from_1) {
    EXPECT_EQ(payload_of<NoteOn>({0x90, 60, 100}).channel, 1);
    EXPECT_EQ(payload_of<NoteOn>({0x9F, 60, 100}).channel, 16);
    EXPECT_EQ(bytes_of(Message::of(NoteOff{60, 0, 1})), (Bytes{0x80, 60, 0}));
    EXPECT_EQ(bytes_of(Message::of(ControlChange{7, 127, 16})), (Bytes{0xBF, 7, 127}));
}

TEST(Midi, a_message_has_the_port_on_which_it_came) {
    const Bytes bytes{0xE3, 0, 64};
    EXPECT_EQ(payload_of<PitchBend>(bytes, 9).port, 9);
    for (const Bytes& each : {Bytes{0x90, 1, 2}, Bytes{0x80, 1, 2}, Bytes{0xB0, 1, 2}, bytes, Bytes{0xF8}}) {
        const Message message = midi_message(each, 5).value_or(Message{});
        EXPECT_TRUE(is_midi(message.kind));
        EXPECT_EQ(midi_port(message), 5);
    }
}

TEST(Midi, a_pitch_bend_is_0_in_the_middle) {
    EXPECT_EQ(payload_of<PitchBend>({0xE0, 0, 0}).value, -8192);
    EXPECT_EQ(payload_of<PitchBend>({0xE0, 0, 64}).value, 0);
    EXPECT_EQ(payload_of<PitchBend>({0xE0, 1, 64}).value, 1);
    EXPECT_EQ(payload_of<PitchBend>({0xE0, 127, 127}).value, 8191);
}

TEST(Midi, a_note_on_with_velocity_0_is_a_note_off) {
    const auto off = payload_of<NoteOff>({0x92, 60, 0});
    EXPECT_EQ(off.note, 60);
    EXPECT_EQ(off.velocity, 64);
    EXPECT_EQ(off.channel, 3);
}

/// Calls `check` with each sequence of one to three bytes, and with longer ones that begin with them.
template <class Check>
void for_all_bytes(const Check& check) {
    for (int first = 0; first < 256; ++first) {
        const auto status = static_cast<std::uint8_t>(first);
        check(Bytes{status});
        for (int second = 0; second < 256; ++second) {
            const auto data1 = static_cast<std::uint8_t>(second);
            check(Bytes{status, data1});
            for (const auto data2 : std::to_array<std::uint8_t>({0, 1, 64, 127, 128, 255})) {
                check(Bytes{status, data1, data2});
                check(Bytes{status, data1, data2, 0});
            }
        }
    }
}

TEST(Midi, what_becomes_a_message_comes_back_as_the_same_bytes) {
    std::size_t messages = 0;
    for_all_bytes([&](const Bytes& bytes) {
        const std::optional<Message> message = midi_message(bytes);
        if (!message) return;
        ++messages;
        const bool silent_note = (bytes[0] & 0xF0U) == 0x90 && bytes[2] == 0;
        const Bytes expected = silent_note ? Bytes{static_cast<std::uint8_t>(bytes[0] - 0x10), bytes[1], 64} : bytes;
        EXPECT_EQ(bytes_of(*message), expected);
    });
    // 5 kinds on 16 channels with two data bytes of 128 and 4 values, 2 with one, and those of the system.
    EXPECT_EQ(messages, 5U * 16 * 128 * 4 + 2 * 16 * 128 + 128 * 4 + 2 * 128 + 7);
}

TEST(Midi, what_is_not_one_whole_message_becomes_none) {
    for (const Bytes& bytes :
         {Bytes{}, Bytes{60, 100}, Bytes{0x90, 60}, Bytes{0x90, 60, 100, 60}, Bytes{0x90, 60, 128}, Bytes{0xC0, 200},
          Bytes{0xF0, 1, 0xF7}, Bytes{0xF0}, Bytes{0xF7}, Bytes{0xF4}, Bytes{0xF5}, Bytes{0xF9}, Bytes{0xFD}}) {
        EXPECT_FALSE(midi_message(bytes)) << testing::PrintToString(bytes);
    }
}

TEST(Midi, a_message_with_a_value_out_of_range_has_no_bytes) {
    for (const Message& message :
         {Message::of(NoteOn{128, 1}), Message::of(NoteOn{60, 0}), Message::of(NoteOn{60, 128}),
          Message::of(NoteOff{60, 0, 0}), Message::of(NoteOff{60, 0, 17}), Message::of(ControlChange{128, 0}),
          Message::of(ControlChange{0, 128}), Message::of(PitchBend{-8193}), Message::of(PitchBend{8192}),
          Message::of(MidiBytes{0xF0}), Message::of(MidiBytes{0x7F}), Message::of(MidiBytes{0xC0, 128}),
          Message::of(MidiBytes{0xA0, 0, 128}), Message::of(kind::first_user, NoteOn{60, 1})}) {
        EXPECT_TRUE(bytes_of(message).empty()) << message.kind;
    }
}

TEST(Midi, its_messages_can_be_visited) {
    int note = 0;
    const Message message = Message::of(NoteOn{60, 100});
    using All = Messages<NoteOn, NoteOff, ControlChange, PitchBend, MidiBytes>;
    EXPECT_TRUE(All::visit(message, [&](const auto& midi) {
        if constexpr (requires { midi.note; }) note = midi.note;
    }));
    EXPECT_EQ(note, 60);
}

}  // namespace
}  // namespace cueline::test
