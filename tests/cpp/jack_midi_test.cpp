// jack_midi_test.cpp: MIDI by JACK: on a fake JACK, and to the exact frame on a real server.
#include <gtest/gtest.h>
#include <jack/jack.h>
#include <jack/midiport.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/midi.hpp>

#include "fake_jack.hpp"
#include "jack_recorder.hpp"
#include "jack_server.hpp"
#include "patience.hpp"
#include "refusal.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;
using Connections = std::vector<std::pair<std::string, std::string>>;

/// Renders the velocity of the last note.
class Velocity : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != kind::note_on) return false;
        level_ = static_cast<float>(command.as<NoteOn>().velocity) / 128;
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, level_);
    }

  private:
    float level_ = 0;
};

/// Sends the payload of a command as a MIDI message: at the command's frame, or within the block at `at_frame`.
class Sending final : public Processor {
  public:
    static constexpr Kind send = kind::first_user;
    struct Sent {
        Kind kind;
        std::uint16_t at_frame;  // 0: the command's
        std::uint32_t payload;   // four bytes
    };
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind != send) return false;
        const auto sent = command.as<Sent>();
        if (sent.at_frame == 0) {
            context.events().send(sent.kind, sent.payload, command);
        } else {
            context.events().send_at(context.events().frame() + sent.at_frame, sent.kind, sent.payload, command);
        }
        return true;
    }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 0.0F);
    }

    template <class Payload>
    static Sent of(const Payload& payload, std::uint16_t at_frame = 0) {
        return {Payload::kind, at_frame, Message::of(payload).template as<std::uint32_t>()};
    }
};

/// Prepares for another sample rate only when the test says so.
class SlowVelocity final : public Velocity {
  public:
    void prepare(const Format& format) override {
        if (format.samplerate != 48'000) may_prepare.wait(false);
    }
    std::atomic<bool> may_prepare = false;
};

/// An engine on a fake JACK, started.
struct OnFake {
    explicit OnFake(const DeviceRequest& request, const FakeJack& jack,
                    std::unique_ptr<Processor> processor = std::make_unique<Velocity>())
        : engine{std::make_unique<Engine>(jack.device(request), std::move(processor))} {
        engine->start();
    }
    [[nodiscard]] std::vector<Message> events() const {
        std::vector<Message> all;
        Message event;
        while (engine->control().receive(event) == Status::ok) all.push_back(event);
        return all;
    }
    [[nodiscard]] MidiStats midi() const { return engine->stats().midi; }

    std::unique_ptr<Engine> engine;
};

TEST(JackMidi, events_apply_at_their_frame_and_reach_the_control_side) {
    const FakeJack jack;
    const OnFake on{{.midi_inputs = 1}, jack};
    FakeJack::play(64);
    jack.events("cueline:midi_in_1") = {{3, {0x90, 60, 64}}, {40, {0x93, 61, 32}}, {40, {0xF8}}};
    FakeJack::play(64);
    EXPECT_EQ(jack.heard()[2], 0.0F);
    EXPECT_EQ(jack.heard()[3], 0.5F);
    EXPECT_EQ(jack.heard()[39], 0.5F);
    EXPECT_EQ(jack.heard()[40], 0.25F);
    const std::vector<Message> events = on.events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].frame, 67U);
    EXPECT_EQ(events[1].frame, 104U);
    EXPECT_EQ(events[1].as<NoteOn>().channel, 4);
    EXPECT_EQ(events[2].kind, kind::midi_bytes);
    EXPECT_EQ(on.midi().received, 3U);
    EXPECT_EQ(on.engine->worst_case().midi, max_midi_messages);
}

TEST(JackMidi, an_engine_has_no_midi_unless_it_requests_some) {
    const FakeJack jack;
    const OnFake on{{}, jack};
    FakeJack::play(64);
    EXPECT_EQ(on.engine->worst_case().midi, 0U);
    EXPECT_EQ(on.engine->device().midi_ports().inputs, 0U);
    EXPECT_EQ(jack.connections.size(), 2U) << "the audio's";
}

TEST(JackMidi, inputs_are_merged_by_frame_and_messages_have_their_port) {
    const FakeJack jack;
    const OnFake on{{.midi_inputs = 3}, jack};
    jack.events("cueline:midi_in_1") = {{5, {0x80, 1, 0}}, {30, {0x80, 2, 0}}};
    jack.events("cueline:midi_in_3") = {{0, {0x80, 3, 0}}, {5, {0x80, 4, 0}}, {6, {0x80, 5, 0}}, {63, {0x80, 6, 0}}};
    FakeJack::play(64);
    std::vector<std::pair<int, int>> came;  // notes and ports
    for (const Message& event : on.events()) came.emplace_back(event.as<NoteOff>().note, event.as<NoteOff>().port);
    EXPECT_EQ(came, (std::vector<std::pair<int, int>>{{3, 3}, {1, 1}, {4, 3}, {5, 3}, {2, 1}, {6, 3}}));
}

TEST(JackMidi, a_block_reads_256_events_and_counts_what_it_drops) {
    FakeJack jack;
    const OnFake on{{.midi_inputs = 2}, jack};
    jack.events("cueline:midi_in_1").assign(200, {7, {0x90, 60, 1}});
    jack.events("cueline:midi_in_2").assign(100, {7, {0x90, 60, 1}});
    jack.lost_events = 2;
    FakeJack::play(64);
    EXPECT_EQ(on.midi().received, 256U);
    EXPECT_EQ(on.midi().dropped, 44U + 2 * 2) << "and what JACK lost at each port";
    EXPECT_EQ(on.events().size(), 256U);
}

TEST(JackMidi, sysex_has_no_message_and_is_counted) {
    const FakeJack jack;
    const OnFake on{{.midi_inputs = 1}, jack};
    jack.events("cueline:midi_in_1") = {{0, {0xF0, 1, 2, 3, 0xF7}}, {0, {}}, {0, {60, 100}}, {1, {0x90, 60, 64}}};
    FakeJack::play(64);
    EXPECT_EQ(on.midi().sysex, 3U);
    EXPECT_EQ(on.midi().received, 1U);
    EXPECT_EQ(jack.heard()[1], 0.5F);
}

TEST(JackMidi, events_of_a_block_that_is_left_out_are_dropped_and_counted) {
    FakeJack jack;
    auto processor = std::make_unique<SlowVelocity>();
    std::atomic<bool>& may_prepare = processor->may_prepare;
    const OnFake on{{.midi_inputs = 1}, jack, std::move(processor)};
    jack.events("cueline:midi_in_1").assign(3, {0, {0x90, 60, 64}});
    jack.change_samplerate(96'000);
    FakeJack::play(64);  // the helper cannot have prepared for that rate
    EXPECT_EQ(on.midi().received, 0U);
    EXPECT_EQ(on.midi().dropped, 3U);
    may_prepare = true;
    may_prepare.notify_all();
}

TEST(JackMidi, one_input_takes_all_physical_ports_and_several_take_one_each) {
    FakeJack jack;
    jack.inputs.clear();  // no audio
    {
        const OnFake on{{.midi_inputs = 1}, jack};
        EXPECT_EQ(jack.connections, (Connections{{"system:midi_capture_1", "cueline:midi_in_1"},
                                                 {"system:midi_capture_2", "cueline:midi_in_1"}}));
    }
    {
        const OnFake on{{.midi_inputs = 3}, jack};
        EXPECT_EQ(jack.connections, (Connections{{"system:midi_capture_1", "cueline:midi_in_1"},
                                                 {"system:midi_capture_2", "cueline:midi_in_2"}}));
    }
    const OnFake on{{.midi_inputs = 1, .midi_connect = false}, jack};
    EXPECT_TRUE(jack.connections.empty());
}

TEST(JackMidi, what_the_processor_sends_goes_out_at_its_frame_and_only_in_its_block) {
    const FakeJack jack;
    const OnFake on{{.midi_outputs = 2}, jack, std::make_unique<Sending>()};
    const auto send = [&](const Sending::Sent& sent, std::uint64_t frame) {
        on.engine->control().send(Sending::send, sent, {.frame = frame});
    };
    send(Sending::of(NoteOn{60, 100, 2}), 70);
    send(Sending::of(NoteOff{60, 3, 2, 2}), 71);
    send(Sending::of(MidiBytes{0xF8}, 5), 64);
    FakeJack::play(64);
    EXPECT_TRUE(jack.events("cueline:midi_out_1").empty());
    FakeJack::play(64);
    EXPECT_EQ(jack.events("cueline:midi_out_1"), (std::vector<FakeJack::Event>{{5, {0xF8}}, {6, {0x91, 60, 100}}}));
    EXPECT_EQ(jack.events("cueline:midi_out_2"), (std::vector<FakeJack::Event>{{7, {0x81, 60, 3}}}));
    EXPECT_EQ(on.midi().sent, 3U);
    EXPECT_EQ(on.midi().unsent, 0U);
    EXPECT_EQ(on.events().size(), 3U) << "the control side has them, too";
    FakeJack::play(64);
    EXPECT_TRUE(jack.events("cueline:midi_out_1").empty());
    EXPECT_TRUE(jack.events("cueline:midi_out_2").empty());
}

TEST(JackMidi, what_cannot_go_out_is_counted) {
    FakeJack jack;
    const OnFake on{{.midi_outputs = 1}, jack, std::make_unique<Sending>()};
    const auto send = [&](const Sending::Sent& sent) { on.engine->control().send(Sending::send, sent); };
    send(Sending::of(NoteOn{60, 100, 1, 2}));  // there is one port
    send(Sending::of(NoteOn{60, 100, 1, 0}));
    send(Sending::of(NoteOn{60, 0}));
    send(Sending::of(MidiBytes{0xF0}));
    FakeJack::play(64);
    EXPECT_EQ(on.midi().unsent, 4U);
    jack.room_for_events = 2;
    for (int note = 0; note < 3; ++note) send(Sending::of(NoteOn{60, 100}));
    FakeJack::play(64);
    EXPECT_EQ(on.midi().sent, 2U);
    EXPECT_EQ(on.midi().unsent, 5U);
    jack.room_for_events = 1'000;
    for (int block = 0; block < 2; ++block) {
        for (int note = 0; note < 150; ++note) send(Sending::of(NoteOn{60, 100}));
    }
    FakeJack::play(64);
    FakeJack::play(64);
    EXPECT_EQ(on.midi().sent, 302U) << "a block reads 256 commands";
}

TEST(JackMidi, outputs_are_connected_only_if_the_request_says_so) {
    FakeJack jack;
    jack.inputs.clear();
    {
        const OnFake on{{.midi_outputs = 1}, jack};
        EXPECT_TRUE(jack.connections.empty()) << "a physical port may bring back what it gets";
    }
    {
        const OnFake on{{.midi_outputs = 1, .midi_connect = true}, jack};
        EXPECT_EQ(jack.connections, (Connections{{"cueline:midi_out_1", "system:midi_playback_1"},
                                                 {"cueline:midi_out_1", "system:midi_playback_2"}}));
    }
    const OnFake on{{.midi_inputs = 1, .midi_outputs = 2, .midi_connect = true, .midi_connect_inputs = false}, jack};
    EXPECT_EQ(jack.connections, (Connections{{"cueline:midi_out_1", "system:midi_playback_1"},
                                             {"cueline:midi_out_2", "system:midi_playback_2"}}));
}

TEST(JackMidi, a_port_that_comes_later_is_connected_once_and_the_others_stay_as_the_user_left_them) {
    FakeJack jack;
    jack.inputs.clear();
    const OnFake on{{.midi_inputs = 1}, jack};
    const Connections first{{"system:midi_capture_1", "cueline:midi_in_1"},
                            {"system:midi_capture_2", "cueline:midi_in_1"}};
    EXPECT_EQ(jack.connections_now(), first);
    jack.plug_midi("system:midi_capture_3");
    ASSERT_TRUE(eventually([&] { return jack.connections_now().size() > 2; }));
    EXPECT_EQ(jack.connections_now().back(),
              (std::pair<std::string, std::string>{"system:midi_capture_3", "cueline:midi_in_1"}));
    jack.plug_midi("system:midi_capture_4");
    ASSERT_TRUE(eventually([&] { return jack.connections_now().size() > 3; }));
    EXPECT_EQ(jack.connections_now().size(), 4U) << "what is there is connected once";
}

TEST(JackMidi, several_inputs_take_a_port_that_comes_later_if_one_is_free) {
    FakeJack jack;
    jack.inputs.clear();
    const OnFake on{{.midi_inputs = 3}, jack};
    jack.plug_midi("later");
    ASSERT_TRUE(eventually([&] { return jack.connections_now().size() > 2; }));
    EXPECT_EQ(jack.connections_now().back(), (std::pair<std::string, std::string>{"later", "cueline:midi_in_3"}));
}

TEST(JackMidi, names_are_listed_and_connected_also_before_the_start) {
    FakeJack jack;
    jack.inputs.clear();
    const std::unique_ptr<Device> device = jack.device({.midi_inputs = 1, .midi_connect = false});
    EXPECT_EQ(device->midi_names(MidiWay::in), jack.midi_outputs);
    EXPECT_EQ(refusal<DeviceError>([&] { static_cast<void>(device->midi_names(MidiWay::out)); }),
              "this engine's device, jack, has no midi_outputs: request midi_outputs=1");
    EXPECT_THROW(device->connect_midi(MidiWay::out, "x"), DeviceError);
    device->connect_midi(MidiWay::in, "system");
    EXPECT_TRUE(jack.connections.empty());
    Engine engine{jack.device({.midi_inputs = 1, .midi_connect = false}), std::make_unique<Velocity>()};
    engine.connect_midi(MidiWay::in, "system");
    engine.start();
    EXPECT_EQ(jack.connections_now().size(), 2U);
    EXPECT_EQ(engine.midi_names(MidiWay::in), jack.midi_outputs);
    engine.connect_midi(MidiWay::in, "system");
    EXPECT_EQ(jack.connections_now().size(), 4U) << "JACK says that they exist";
    EXPECT_EQ(refusal<ArgumentError>([&] { engine.connect_midi(MidiWay::in, "("); }),
              "pattern must be a regular expression, got '('");
    engine.close();
    EXPECT_THROW(static_cast<void>(engine.midi_names(MidiWay::in)), ClosedError);
}

TEST(JackMidi, frames_count_from_the_first_block_that_its_connections_are_in) {
    FakeJack jack;
    jack.inputs.clear();
    jack.looks_until_connected = 3;
    int looks = 0;
    jack.before_looking = [&] {
        ++looks;
        FakeJack::play(64);
    };
    const OnFake on{{.midi_inputs = 1}, jack};
    EXPECT_GT(looks, 3);
    EXPECT_EQ(on.engine->now(), 0U);
}

TEST(JackMidi, what_cannot_be_is_refused) {
    const FakeJack jack;
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(jack.device({.midi_connect = "("})); }),
              "midi_connect must be True, False or a regular expression, got '('");
    for (const std::int64_t ports : {-1, 17}) {
        EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "null", .midi_inputs = ports}); }),
                  "midi_inputs must be from 0 to 16, got " + std::to_string(ports));
        EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "null", .midi_outputs = ports}); }),
                  "midi_outputs must be from 0 to 16, got " + std::to_string(ports));
    }
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "offline", .midi_inputs = 1}); }),
              "midi_inputs is for device 'jack', the device 'null' and PortAudio's: leave it out, or request such a "
              "device");
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "jack", .midi_inputs = 1, .midi_delay_s = 1}); }),
              "midi_delay is for the device 'null' and PortAudio's: leave it out, or request such a device");
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "null", .midi_outputs = 1}); }),
              "midi_outputs is for device 'jack': leave it out, or request such a device");
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "offline", .midi_connect = true}); }),
              "midi_connect is for device 'jack', the device 'null' and PortAudio's: leave it out, or request such a "
              "device");
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.device = "jack", .midi_connect = true}); }),
              "midi_connect needs ports for MIDI, and there are none: request midi_inputs=1 or midi_outputs=1");
    EXPECT_EQ(refusal<ArgumentError>([&] { open_device({.midi_connect_inputs = false}); }),
              "midi_connect needs ports for MIDI, and there are none: request midi_inputs=1 or midi_outputs=1");
}

/// A second client of a real server, which sends MIDI at the frames of a block that the test says.
class JackSender {
  public:
    JackSender() : client_{jack_client_open("sender", JackNoStartServer, nullptr)} {
        if (client_ == nullptr) throw std::runtime_error{"the sender found no JACK server"};
        jack_set_process_callback(
            client_, [](jack_nframes_t frames, void* self) { return static_cast<JackSender*>(self)->run(frames); },
            this);
        output_ = jack_port_register(client_, "out", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
        if (jack_activate(client_) != 0) throw std::runtime_error{"the sender is not called"};
    }
    ~JackSender() { jack_client_close(client_); }
    JackSender(const JackSender&) = delete;
    JackSender& operator=(const JackSender&) = delete;

    /// Sends a note with each of these velocities at these frames of one block. Returns the server's number of the
    /// block's first frame.
    jack_nframes_t send(const std::vector<std::pair<jack_nframes_t, std::uint8_t>>& notes) {
        notes_ = notes;
        due_ = true;
        EXPECT_TRUE(eventually([&] { return !due_; }));
        return sent_at_;
    }

  private:
    int run(jack_nframes_t frames) {
        void* const buffer = jack_port_get_buffer(output_, frames);
        jack_midi_clear_buffer(buffer);
        if (!due_) return 0;
        for (const auto& [frame, velocity] : notes_) {
            const std::array<jack_midi_data_t, 3> bytes{0x90, 60, velocity};
            jack_midi_event_write(buffer, frame, bytes.data(), bytes.size());
        }
        sent_at_ = jack_last_frame_time(client_);
        due_ = false;
        return 0;
    }

    jack_client_t* client_;
    jack_port_t* output_ = nullptr;
    std::vector<std::pair<jack_nframes_t, std::uint8_t>> notes_;
    std::atomic<bool> due_ = false;
    std::atomic<jack_nframes_t> sent_at_ = 0;
};

using Onsets = std::vector<std::pair<int, int>>;

/// Sends notes at these frames of a block to an engine, and returns where a third client hears their velocities begin,
/// counted from the frame at which the block was sent. Nothing if a client missed a block meanwhile.
Onsets heard_onsets(const std::vector<std::pair<jack_nframes_t, std::uint8_t>>& notes) {
    JackSender sender;
    const JackRecorder recorder{20'000};
    Engine engine{open_device({.device = "jack",
                               .outputs = 1,
                               .connect = "^recorder:in$",
                               .midi_inputs = 1,
                               .midi_connect = "^sender:out$"}),
                  std::make_unique<Velocity>()};
    engine.start();
    std::this_thread::sleep_for(20ms);  // some blocks of silence
    const jack_nframes_t sent_at = sender.send(notes);
    const std::vector<float> heard = recorder.heard(20'000);
    Onsets onsets;
    for (std::size_t frame = 1; frame < heard.size(); ++frame) {
        if (heard[frame] == heard[frame - 1]) continue;
        onsets.emplace_back(static_cast<int>(recorder.first_frame() + frame - sent_at),
                            static_cast<int>(128 * heard[frame]));
    }
    return recorder.first_frame() == 0 ? Onsets{} : onsets;
}

TEST(JackDevice, a_note_of_another_client_sounds_at_the_frame_at_which_it_was_sent) {
    if (thread_sanitizer) GTEST_SKIP() << "the server puts its clients in order, and the sanitizer does not see that";
    for (const std::uint32_t blocksize : {64U, 1'024U}) {
        const JackServer server{blocksize};
        const auto last = blocksize - 1;
        const std::vector<std::pair<jack_nframes_t, std::uint8_t>> notes{{0, 3}, {1, 5}, {17, 8}, {40, 13}, {last, 21}};
        const Onsets expected{{0, 3}, {1, 5}, {17, 8}, {40, 13}, {static_cast<int>(last), 21}};
        Onsets onsets;
        const auto deadline =
            std::chrono::steady_clock::now() + 50s;  // on a busy machine, a client is late now and then
        while (onsets != expected && std::chrono::steady_clock::now() < deadline) onsets = heard_onsets(notes);
        EXPECT_EQ(onsets, expected) << "blocks of " << blocksize;
    }
}

/// Lets an engine hear its own output, which JACK brings back one block later. Returns the frames, in the block, of the
/// notes that it sends, and how much later each came back. Nothing if a block was lost meanwhile.
Onsets sent_and_came_back(std::uint32_t blocksize, const std::vector<std::uint64_t>& frames) {
    Engine engine{open_device({.device = "jack",
                               .connect = false,
                               .midi_inputs = 1,
                               .midi_outputs = 1,
                               .midi_connect = false,
                               .midi_connect_inputs = "^cueline:midi_out_1$"}),
                  std::make_unique<Sending>()};
    engine.start();
    const std::uint64_t block = (engine.now() / blocksize + 200) * blocksize;
    std::vector<Message> sent;
    std::vector<Message> came;
    for (const std::uint64_t frame : frames) {
        engine.control().send(Sending::send, Sending::of(NoteOn{60, 100}), {.frame = block + frame});
    }
    eventually([&] {
        Message event;
        while (engine.control().receive(event) == Status::ok) (event.sequence != 0 ? sent : came).push_back(event);
        return came.size() >= frames.size();
    });
    Onsets found;
    for (std::size_t number = 0; number < std::min(sent.size(), came.size()); ++number) {
        found.emplace_back(static_cast<int>(sent[number].frame - block),
                           static_cast<int>(came[number].frame - sent[number].frame));
    }
    return found;
}

TEST(JackDevice, a_note_that_the_processor_sends_leaves_at_its_frame) {
    constexpr std::uint32_t blocksize = 128;
    const JackServer server{blocksize};
    const Onsets expected{{0, blocksize}, {1, blocksize}, {64, blocksize}, {127, blocksize}};
    Onsets found;
    const auto deadline = std::chrono::steady_clock::now() + 100s;  // on a busy machine, a client is late now and then
    while (found != expected && std::chrono::steady_clock::now() < deadline) {
        found = sent_and_came_back(blocksize, {0, 1, 64, 127});
    }
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace cueline::test
