// sealed_midi_test.cpp: MIDI of all kinds, malformed bytes among it, comes and goes, moves what it is mapped to, and is
// heard by a control side that learns, on a thread that dies at any system call.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>
#include <cueline/processor.hpp>

#include "devices/midi/midi_device.hpp"
#include "fake_jack.hpp"
#include "fake_rtmidi.hpp"
#include "processors/player_processor.hpp"
#include "sealed_music.hpp"

namespace cueline::test {
namespace {

constexpr Kind keep = kind::first_user;     // the processor counts it
constexpr Kind say = kind::first_user + 1;  // payload: std::uint32_t, how many notes to send

/// Counts what it gets, and answers each note with MIDI. Refuses channel 16.
class Keys final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return specs; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        switch (command.kind) {
            case kind::note_on: {
                const auto note = command.as<NoteOn>();
                if (note.channel == 16) return Outcome::refused(first_own_reason);
                context.events().send(NoteOn::kind, note, command);
                context.events().send(PitchBend::kind, PitchBend{.value = note.velocity}, command);
                context.events().send(MidiBytes::kind, MidiBytes{.status = 0xF4}, command);  // no MIDI
                notes.add(1);
                return true;
            }
            case kind::note_off:
            case kind::control_change:
            case kind::pitch_bend:
            case kind::midi_bytes:
                others.add(1);
                return true;
            case keep:
                kept.add(1);
                return true;
            case say:
                for (auto left = command.as<std::uint32_t>(); left > 0; --left) {
                    context.events().send(ControlChange::kind, ControlChange{.control = 1}, command);
                }
                return true;
            default:
                return false;
        }
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t output = 0; output < block.outputs.size(); ++output) {
            for (float& sample : block.output(output)) sample = 0;
        }
        context.parameter(0).fill(block.output(0));
    }

    static constexpr std::array<ParameterSpec, 2> specs{
        {{.name = "gain", .lowest = 0, .highest = 10, .ramp_s = 0.001},
         {.name = "each", .lowest = -1, .highest = 1, .default_value = 0, .ramp_s = 0.001, .count = 3}}};

    Counter notes;
    Counter others;
    Counter kept;
};

/// The bytes of an event, and when it comes.
struct WireEvent {
    std::uint64_t frame = 0;  // in the block
    std::uint8_t port = 1;
    std::vector<std::uint8_t> bytes;
};

/// Turns bytes into messages and back, as a device with two MIDI inputs and two MIDI outputs does.
class MidiHandDevice final : public HeardDevice {
  public:
    [[nodiscard]] MidiPorts midi_ports() const noexcept override { return {.inputs = 2, .outputs = 2}; }

    /// These come in the next block. [while no block runs]
    void play(std::vector<WireEvent> events) { events_ = std::move(events); }

    Counter came;
    Counter malformed;
    Counter sent;
    Counter unsent;

  protected:
    void before_block(BlockCallback& callback) noexcept CUELINE_NONBLOCKING override {
        std::size_t messages = 0;
        for (const WireEvent& event : events_) {
            const std::optional<Message> message = midi_message(event.bytes, event.port);
            if (!message) continue;
            messages_[messages] = *message;
            messages_[messages++].frame = event.frame;
        }
        came.add(messages);
        malformed.add(events_.size() - messages);
        if (messages > 0) callback.take_midi(std::span{messages_}.first(messages));
    }

    void after_block(BlockCallback& callback, const AudioBlock& block) noexcept CUELINE_NONBLOCKING override {
        HeardDevice::after_block(callback, block);
        for (const Message& message : callback.midi_output()) {
            const bool is_sent = midi_bytes(message).size > 0 && midi_port(message) <= 2;
            (is_sent ? sent : unsent).add(1);
        }
    }

  private:
    std::vector<WireEvent> events_;
    std::array<Message, 512> messages_;
};

/// One event of each kind of MIDI message, and bytes that are none.
std::vector<std::vector<std::uint8_t>> all_bytes() {
    std::vector<std::vector<std::uint8_t>> all{{0xF1, 1}, {0xF2, 1, 2}, {0xF3, 5}, {0xF6}, {0xF8},
                                               {0xFA},    {0xFB},       {0xFC},    {0xFE}, {0xFF}};
    for (const int channel : {0, 1, 9, 15}) {
        for (const int type : {0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0}) {
            const auto status = static_cast<std::uint8_t>(type | channel);
            all.push_back({status, 60, 100});
            if (type == 0xC0 || type == 0xD0) all.back().pop_back();
        }
    }
    const std::size_t sound = all.size();
    for (std::size_t number = 0; number < sound; number += 3) {
        std::vector<std::uint8_t> bytes = all[number];
        bytes.push_back(0);
        all.push_back(bytes);                              // too long
        all.push_back({bytes[0], 200, 100});               // a data byte that is none
        all.emplace_back(bytes.begin() + 1, bytes.end());  // running status
    }
    for (const int status : {0xF0, 0xF4, 0xF5, 0xF7, 0xF9, 0xFD}) {
        all.push_back({static_cast<std::uint8_t>(status), 1, 2, 3, 4, 5, 6, 0xF7});
        all.push_back({static_cast<std::uint8_t>(status)});
    }
    all.emplace_back();
    return all;
}

class MidiStory {
  public:
    MidiStory() {
        engine_.start();
        const std::vector<float> samples(4'000, 0.5F);
        static_cast<void>(engine_.publish(1, samples, 1));
    }

    void run_block() noexcept {
        pace_.run_if_let([this] { device_.run_block(); });
    }

    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            map_all();
            move_all();
            flood();
            play_all_bytes();
            play_any_bytes();
            unmap_all();
        }
    }

    [[nodiscard]] bool is_complete() {
        const auto rounds = static_cast<std::uint64_t>(rounds_);
        const EngineStats stats = engine_.stats();
        std::fprintf(
            stderr,
            "%llu came, %llu malformed, %llu dropped, %llu learned, %llu notes, %llu others, %llu kept, %llu "
            "refused, %llu sent, %llu not sent, %llu of %llu values wrong\n",
            static_cast<unsigned long long>(device_.came.get()),
            static_cast<unsigned long long>(device_.malformed.get()),
            static_cast<unsigned long long>(stats.midi.dropped), static_cast<unsigned long long>(learned_),
            static_cast<unsigned long long>(keys_->notes.get()), static_cast<unsigned long long>(keys_->others.get()),
            static_cast<unsigned long long>(keys_->kept.get()), static_cast<unsigned long long>(stats.refused),
            static_cast<unsigned long long>(device_.sent.get()), static_cast<unsigned long long>(stats.midi.unsent),
            static_cast<unsigned long long>(wrong_), static_cast<unsigned long long>(compared_));
        // The control side also hears three answers to each note. The flood has more messages than a block takes, and
        // more moves than it carries out.
        const std::uint64_t in_time = device_.came.get() - rounds * too_many;
        return stats.midi.dropped == rounds * (too_many + flood_moves - max_midi_moves) &&
               learned_ == in_time + 3 * keys_->notes.get() &&
               keys_->notes.get() + keys_->others.get() + stats.refused == in_time &&
               device_.sent.get() == 2 * keys_->notes.get() + rounds * max_midi_messages &&
               device_.unsent.get() == keys_->notes.get() && stats.midi.unsent == rounds * too_many &&
               keys_->notes.get() > rounds && keys_->kept.get() > rounds * max_midi_moves &&
               stats.unhandled == rounds * refused_a_round && stats.refused > rounds &&
               device_.malformed.get() > rounds * 200 && wrong_ == 0 && compared_ == rounds * compared_a_round;
    }

  private:
    static constexpr std::uint64_t compared_a_round = 9;
    static constexpr std::uint64_t refused_a_round = 3;
    static constexpr std::size_t too_many = 44;     // messages beyond those that a block takes or sends
    static constexpr std::size_t flood_maps = 100;  // of one control
    static constexpr std::size_t flood_moves = max_midi_messages * flood_maps;
    static constexpr std::uint8_t first_flood_place = 20;
    static constexpr std::uint8_t drums = to_part(1);
    static constexpr std::uint8_t keys = to_part(2);

    template <class Payload>
    void send(const Payload& payload, const Delivery& at = {}) {
        while (engine_.control().send(Payload::kind, payload, at) == Status::full) pace_.run(1);
    }

    void map(MapMidi made, const Delivery& at = {}) {
        made.address = static_cast<std::uint16_t>(made.address + (made.target == kind::none ? first_of_keys() : 0));
        send(made, at);
    }

    /// A map that sends `payload`.
    template <class Payload>
    void map_message(MapMidi made, const Payload& payload) {
        const Message message = Message::of(payload);
        std::array<Message, 3> whole;
        for (std::uint8_t half = 0; half < 2; ++half) {
            MapMidiMessage part{.place = made.place, .half = half};
            for (std::size_t byte = 0; byte < part.bytes.size(); ++byte) {
                part.bytes.at(byte) =
                    std::to_integer<std::uint8_t>(message.payload.at(half * MapMidiMessage::half_bytes + byte));
            }
            whole.at(half) = Message::of(part);
        }
        made.target = Payload::kind;
        whole.back() = Message::of(made);
        while (engine_.control().try_send_whole(whole, {}) == 0) pace_.run(1);
    }

    struct Kept {
        static constexpr Kind kind = keep;
        double number;
    };

    void map_all() {
        map({.place = 0, .status = 0xB0, .number = 7, .high = 10});
        map({.place = 1, .status = 0xB0, .number = 8, .curve = MidiCurve::exponential, .address = 3, .low = 0.01},
            {.frame = engine_.now() + 10});
        map({.place = 2, .status = 0xB0, .number = 9, .omni = 1, .curve = MidiCurve::relative, .address = 1});
        map_message({.place = 3,
                     .status = 0x90,
                     .number = 36,
                     .field = MidiField::f32,
                     .message_flags = drums,
                     .address = offsetof(PlayBuffer, gain)},
                    PlayBuffer{.slot = 1, .loop = 1});
        map_message({.place = 4, .status = 0x80, .number = 36, .message_flags = drums}, StopBuffer{1});
        map_message({.place = 5, .status = 0xB0, .number = 20, .field = MidiField::f64, .low = 60, .high = 240},
                    SetTempo{});
        map_message({.place = 6, .status = 0xE0, .field = MidiField::i16, .message_flags = keys, .low = -9, .high = 9},
                    Kept{});
        map_message({.place = 7, .status = 0xD0, .omni = 1, .field = MidiField::u8, .high = 255}, Kept{});
        map_message({.place = 8, .status = 0xC0, .number = 60, .omni = 1}, Kept{});
        map_message({.place = 9, .status = 0xA0, .number = 60, .field = MidiField::u32, .high = 4e9}, Kept{});
        for (std::size_t number = 0; number < flood_maps; ++number) {
            map_message({.place = static_cast<std::uint8_t>(first_flood_place + number),
                         .status = 0xB5,
                         .number = 99,
                         .message_flags = keys},
                        Kept{});
        }
        send(MapMidi{.place = 200});                              // refused
        send(UnmapMidi{200});                                     // refused
        send(MapMidi{.place = 11, .status = 0xB0, .high = NAN});  // refused
        pace_.run(4);
    }

    /// Plays these in one block, and lets what they began go on.
    void play(std::vector<WireEvent> events, std::uint64_t blocks = 4) {
        device_.play(std::move(events));
        pace_.run(1);
        device_.play({});
        learn();
        pace_.run(blocks);
    }

    void move_all() {
        play({{.bytes = {0xB0, 7, 127}},
              {.frame = 20, .bytes = {0xB0, 8, 127}},
              {.frame = 63, .bytes = {0xB3, 9, 63}},
              {.frame = 63, .port = 2, .bytes = {0xB3, 9, 63}}});
        expect(device_.heard(0), 10);
        expect(value(0), 10);
        expect(value(3), 1);
        expect(value(1), std::min(1.0, 126.0 / 127));
        play({{.bytes = {0xB0, 7, 0}}, {.bytes = {0xB0, 8, 0}}, {.bytes = {0xB3, 9, 65}}, {.bytes = {0xB0, 20, 127}}});
        expect(value(3), 0.01);
        expect(value(1), 63.0 / 127);
        expect(engine_.timeline().tempo_at(static_cast<double>(engine_.now())), 240);
        play({{.frame = 5, .bytes = {0x90, 36, 127}}});
        expect(device_.heard(1), 0.5);  // of the buffer in the slot
        play({{.bytes = {0x80, 36, 0}}, {.bytes = {0xB3, 9, 64}}}, 10);
        expect(device_.heard(1), 0);
    }

    /// More messages, moves and answers than a block has room for.
    void flood() {
        std::vector<WireEvent> events;
        for (std::size_t number = 0; number < max_midi_messages + too_many; ++number) {
            events.push_back({.frame = number * 64 / 300, .bytes = {0xB5, 99, 100}});
        }
        play(std::move(events));
        while (engine_.control().send(say, static_cast<std::uint32_t>(max_midi_messages + too_many), {.flags = keys}) ==
               Status::full) {
            pace_.run(1);
        }
        pace_.run(1);
        learn();
    }

    void play_all_bytes() {
        std::vector<WireEvent> events;
        for (const std::vector<std::uint8_t>& bytes : all_bytes()) {
            const std::uint64_t number = events.size();
            events.push_back({.frame = number / 2, .port = static_cast<std::uint8_t>(1 + number % 2), .bytes = bytes});
        }
        play(std::move(events));
    }

    /// The same in each round, so that the first rounds run all code.
    void play_any_bytes() {
        std::mt19937 random{7};  // NOLINT(bugprone-random-generator-seed)
        for (int block = 0; block < 8; ++block) {
            std::vector<WireEvent> events(200);
            for (WireEvent& event : events) {
                event.frame = random() % 64;
                event.port = static_cast<std::uint8_t>(1 + random() % 2);
                event.bytes.resize(random() % 5);
                for (std::uint8_t& byte : event.bytes) byte = static_cast<std::uint8_t>(random() & 0x7FU);
                if (!event.bytes.empty()) event.bytes[0] = static_cast<std::uint8_t>(event.bytes[0] | 0x80U);
            }
            std::ranges::sort(events, {}, &WireEvent::frame);
            play(std::move(events));
        }
    }

    void unmap_all() {
        for (std::uint8_t place = 0; place < max_midi_maps; ++place) send(UnmapMidi{place});
        pace_.run(4);
        play({{.bytes = {0xB0, 7, 100}}});
    }

    /// Takes what somebody plays, as the control side does to learn a control.
    void learn() {
        for (Message event; learning_.receive(event) == Status::ok;) {
            if (is_midi(event.kind)) ++learned_;
        }
        Message event;
        while (engine_.control().receive(event) == Status::ok) {
        }
    }

    [[nodiscard]] std::size_t first_of_keys() {
        std::size_t address = 0;
        for (const ParameterSpec& spec : engine_.controls().parameter_specs()) {
            if (spec.name == "keys.gain") break;
            address += spec.count;
        }
        return address;
    }
    [[nodiscard]] double value(std::size_t address) { return engine_.controls().get(first_of_keys() + address); }

    void expect(double got, double value) {
        ++compared_;
        if (std::abs(got - value) < 1e-6) return;
        ++wrong_;
        std::fprintf(stderr, "round %d, value %llu: expected %g, got %g\n", rounds_,
                     static_cast<unsigned long long>(compared_ % compared_a_round), value, got);
    }

    [[nodiscard]] std::vector<OwnedProcessor> parts() const {
        std::vector<OwnedProcessor> parts;
        parts.emplace_back(std::make_shared<PlayerProcessor>(4, 4), "drums");
        parts.emplace_back(keys_, "keys");
        return parts;
    }

    std::shared_ptr<Keys> keys_ = std::make_shared<Keys>();
    Pace pace_;
    std::unique_ptr<MidiHandDevice> own_device_ = std::make_unique<MidiHandDevice>();
    MidiHandDevice& device_ = *own_device_;
    Engine engine_{std::move(own_device_), open_parts(parts())};
    Line learning_ = engine_.open_line(Events::all);
    std::uint64_t learned_ = 0;
    std::uint64_t compared_ = 0;
    std::uint64_t wrong_ = 0;
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, midi_of_all_kinds_that_is_mapped_learned_and_answered_is_real_time_safe) {
    expect_real_time_safe<MidiStory>(5);
}

/// JACK's callback reads events, and writes what the engine sends. (The fake server has no room for what is written.)
class JackMidiStory {
  public:
    JackMidiStory() {
        jack_.room_for_events = 0;
        engine_.start();
    }

    void run_block() noexcept {
        pace_.run_if_let([this] { FakeJack::play(jack_.blocksize); });
    }

    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            for (const char* const port : {"cueline:midi_in_1", "cueline:midi_in_2"}) {
                for (const std::vector<std::uint8_t>& bytes : all_bytes()) {
                    auto& events = jack_.events(port);
                    events.push_back({static_cast<jack_nframes_t>(events.size() / 2), bytes});
                }
            }
            pace_.run(1);
            for (const char* const port : {"cueline:midi_in_1", "cueline:midi_in_2"}) jack_.events(port).clear();
            pace_.run(4);
        }
    }

    [[nodiscard]] bool is_complete() {
        const auto rounds = static_cast<std::uint64_t>(rounds_);
        const MidiStats midi = engine_.stats().midi;
        std::fprintf(stderr, "%llu received, %llu malformed, %llu not sent\n",
                     static_cast<unsigned long long>(midi.received), static_cast<unsigned long long>(midi.sysex),
                     static_cast<unsigned long long>(midi.unsent));
        const std::uint64_t all = rounds * 2 * all_bytes().size();
        return midi.received + midi.sysex == all && midi.sysex > rounds * 50 && midi.unsent > rounds * 6 &&
               midi.dropped == 0;
    }

  private:
    FakeJack jack_;
    Pace pace_;
    Engine engine_{jack_.device({.midi_inputs = 2, .midi_outputs = 2}), std::make_unique<Keys>()};
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, midi_in_jacks_callback_is_real_time_safe) {
    expect_real_time_safe<JackMidiStory>(40);
}

/// Blocks that play what RtMidi's thread brings. The delay is over when a message comes, so each plays at once.
class RtMidiStory {
  public:
    RtMidiStory() {
        rtmidi_.plug({"keys"});
        engine_ = std::make_unique<Engine>(
            std::make_unique<MidiDevice>(std::move(own_device_), FakeRtMidi::library(), 1, true, in_the_past),
            std::make_unique<Keys>());
        engine_->start();
    }

    void run_block() noexcept {
        pace_.run_if_let([this] { device_.run_block(); });
    }

    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            pace_.let_run(4);
            for (const std::vector<std::uint8_t>& bytes : all_bytes()) rtmidi_.play("keys", bytes);
            pace_.wait();
            pace_.run(1);
        }
    }

    [[nodiscard]] bool is_complete() {
        const MidiStats midi = engine_->stats().midi;
        std::fprintf(stderr, "%llu received, %llu malformed, %llu late\n",
                     static_cast<unsigned long long>(midi.received), static_cast<unsigned long long>(midi.sysex),
                     static_cast<unsigned long long>(midi.late));
        const std::uint64_t all = static_cast<std::uint64_t>(rounds_) * all_bytes().size();
        return midi.received + midi.sysex == all && midi.late == midi.received && midi.received > all / 4 &&
               midi.dropped == 0;
    }

  private:
    static constexpr std::uint64_t in_the_past = std::uint64_t{1} << 63U;

    FakeRtMidi rtmidi_;
    Pace pace_;
    std::unique_ptr<HandDevice> own_device_ = std::make_unique<HandDevice>();
    HandDevice& device_ = *own_device_;
    std::unique_ptr<Engine> engine_;
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, midi_by_rtmidi_is_real_time_safe) {
    expect_real_time_safe<RtMidiStory>(40);
}

}  // namespace
}  // namespace cueline::test
