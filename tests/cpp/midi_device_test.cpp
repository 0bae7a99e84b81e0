// midi_device_test.cpp: MIDI by RtMidi plays at a fixed delay, to the frame, whenever blocks are called.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/midi.hpp>
#include <cueline/monotonic.hpp>

#include "devices/midi/block_clock.hpp"
#include "devices/midi/midi_device.hpp"
#include "devices/midi/midi_reader.hpp"
#include "fake_rtmidi.hpp"
#include "patience.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t period = 2'666'667;  // 128 frames at 48 kHz

std::uint64_t apart(std::uint64_t one, std::uint64_t other) {
    return one > other ? one - other : other - one;
}

TEST(BlockClock, blocks_that_are_called_late_begin_on_time) {
    std::mt19937_64 random{seed()};
    BlockClock clock;
    const std::uint64_t first = clock.start_of(5 * second, period);
    for (std::uint64_t block = 1; block < 5'000; ++block) {
        // Most wake within 50 us, and one in fifty a whole block late.
        const std::uint64_t late = random() % 50 == 0 ? random() % period : random() % 50'000;
        const std::uint64_t start = clock.start_of(first + block * period + late, period);
        ASSERT_LT(apart(start, first + block * period), 20'833U) << block << ": a sample";
    }
}

TEST(BlockClock, it_follows_a_card_that_is_slower_or_faster) {
    for (const std::int64_t drift : {200, -200}) {  // ns a block
        BlockClock clock;
        std::uint64_t called = 5 * second;
        for (int block = 0; block < 20'000; ++block) {
            const std::uint64_t start = clock.start_of(called, period);
            ASSERT_LT(apart(start, called), 1'000U);
            called = static_cast<std::uint64_t>(static_cast<std::int64_t>(called + period) + drift);
        }
    }
}

TEST(BlockClock, after_blocks_were_left_out_it_begins_anew_and_a_late_block_alone_changes_nothing) {
    BlockClock clock;
    std::uint64_t called = clock.start_of(5 * second, period) + period;
    static_cast<void>(clock.start_of(called + period, period));  // one late block
    called += period;
    EXPECT_LT(apart(clock.start_of(called, period), called), 1'000U);
    called += 11 * period;  // ten are left out
    for (int block = 0; block < 8; ++block, called += period) static_cast<void>(clock.start_of(called, period));
    EXPECT_LT(apart(clock.start_of(called, period), called), 1'000U);
}

class MidiReaderTest : public testing::Test {
  protected:
    /// Reads blocks until one has messages.
    static std::vector<Message> read_all(MidiReader& reader) {
        const std::span<const Message> all = reader.read(monotonic_ns() + second, 64, 48'000, 0);
        return {all.begin(), all.end()};
    }

    FakeRtMidi rtmidi_;
};

TEST_F(MidiReaderTest, each_message_plays_at_its_delay_to_the_frame_in_whatever_block_that_is) {
    std::mt19937_64 random{seed()};
    rtmidi_.plug({"keys"});
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    constexpr std::uint32_t rate = 48'000;
    constexpr std::uint64_t delay = second;
    struct Played {
        std::uint64_t after;  // it came between these two
        std::uint64_t before;
    };
    std::vector<Played> played;
    for (int number = 0; number < 200; ++number) {
        const std::uint64_t after = monotonic_ns();
        ASSERT_TRUE(rtmidi_.play("keys", {0x90, static_cast<std::uint8_t>(number % 128), 100}));
        played.push_back({after, monotonic_ns()});
        if (number % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds{random() % 500});
    }
    const std::uint64_t origin = played.front().after + delay - 1'000'000;  // of frame 0
    std::uint64_t frame = 0;
    std::size_t number = 0;
    while (number < played.size()) {
        const auto frames = static_cast<std::uint32_t>(1 + random() % 100);
        const std::uint64_t start = origin + frame * second / rate;
        for (const Message& message : reader.read(start, frames, rate, delay)) {
            const std::uint64_t at = frame + message.frame;
            ASSERT_EQ(message.as<NoteOn>().note, number % 128);
            ASSERT_LT(message.frame, frames);
            const auto frame_of = [&](std::uint64_t came) {
                return static_cast<double>(came + delay - origin) * rate / static_cast<double>(second);
            };
            ASSERT_GE(static_cast<double>(at), frame_of(played[number].after) - 0.51);
            ASSERT_LE(static_cast<double>(at), frame_of(played[number].before) + 0.51);
            ++number;
        }
        frame += frames;
        ASSERT_LT(frame, 100 * rate);
    }
    EXPECT_EQ(reader.stats().late, 0U);
    EXPECT_EQ(reader.stats().received, played.size());
}

TEST_F(MidiReaderTest, what_comes_too_late_plays_at_once_and_is_counted) {
    rtmidi_.plug({"keys"});
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    rtmidi_.play("keys", {0xB0, 7, 5});
    const std::span<const Message> now = reader.read(monotonic_ns() + 1'000'000, 64, 48'000, 0);
    ASSERT_EQ(now.size(), 1U);
    EXPECT_EQ(now[0].frame, 0U);
    EXPECT_EQ(now[0].as<ControlChange>().value, 5);
    EXPECT_EQ(reader.stats().late, 1U);
}

TEST_F(MidiReaderTest, a_block_takes_256_and_the_next_one_the_others) {
    rtmidi_.plug({"keys"});
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    for (int number = 0; number < 1'100; ++number) rtmidi_.play("keys", {0xB0, 7, 5});
    EXPECT_EQ(reader.stats().dropped, 1'100U - MessageRing::capacity);
    EXPECT_EQ(read_all(reader).size(), max_midi_messages);
    EXPECT_EQ(read_all(reader).size(), max_midi_messages);
    EXPECT_EQ(reader.stats().received, 2 * max_midi_messages);
}

TEST_F(MidiReaderTest, sysex_is_counted_and_a_start_forgets_what_came_before) {
    rtmidi_.plug({"keys"});
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    rtmidi_.play("keys", {0xF0, 1, 2, 0xF7});
    rtmidi_.play("keys", {0xB0, 7, 5});
    EXPECT_EQ(reader.stats().sysex, 1U);
    reader.stop();
    EXPECT_EQ(rtmidi_.ports(), 0U);
    EXPECT_FALSE(rtmidi_.play("keys", {0xB0, 7, 6}));
    reader.start();
    EXPECT_TRUE(read_all(reader).empty());
    EXPECT_TRUE(rtmidi_.play("keys", {0xB0, 7, 7}));
    EXPECT_EQ(read_all(reader).size(), 1U);
}

TEST_F(MidiReaderTest, devices_come_and_go) {
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    EXPECT_FALSE(rtmidi_.play("keys", {0xB0, 7, 1}));
    rtmidi_.plug({"keys", "pads"});
    ASSERT_TRUE(eventually([&] { return rtmidi_.play("pads", {0xB0, 7, 2}) && rtmidi_.open("keys") == 1; }));
    rtmidi_.plug({"pads"});
    ASSERT_TRUE(eventually([&] { return rtmidi_.open("keys") == 0; }));
    EXPECT_EQ(rtmidi_.open("pads"), 1U);
    rtmidi_.plug({"keys", "pads"});
    ASSERT_TRUE(eventually([&] { return rtmidi_.open("keys") == 1; }));
}

TEST_F(MidiReaderTest, only_what_is_wanted_is_open_and_more_can_be_wanted) {
    rtmidi_.plug({"keys", "pads", "knobs"});
    MidiReader none{FakeRtMidi::library(), 1, false};
    none.start();
    EXPECT_EQ(rtmidi_.ports(), 0U);
    none.connect("^k");
    EXPECT_EQ(rtmidi_.ports(), 2U);
    EXPECT_EQ(rtmidi_.open("pads"), 0U);
    none.stop();
    none.start();
    EXPECT_EQ(rtmidi_.open("keys"), 1U) << "it stays wanted";
    none.stop();
    MidiReader one{FakeRtMidi::library(), 1, std::string{"ad"}};
    one.start();
    EXPECT_EQ(rtmidi_.open("pads"), 1U);
    EXPECT_EQ(rtmidi_.ports(), 1U);
    EXPECT_EQ(one.names(), (std::vector<std::string>{"keys", "pads", "knobs"}));
}

TEST_F(MidiReaderTest, several_inputs_have_a_device_each) {
    rtmidi_.plug({"a", "b", "c"});
    MidiReader reader{FakeRtMidi::library(), 2, true};
    reader.start();
    rtmidi_.play("a", {0xB0, 7, 1});
    rtmidi_.play("b", {0xB0, 7, 1});
    EXPECT_FALSE(rtmidi_.play("c", {0xB0, 7, 1}));
    const std::vector<Message> all = read_all(reader);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(midi_port(all[0]), 1);
    EXPECT_EQ(midi_port(all[1]), 2);
    rtmidi_.plug({"b", "c"});
    ASSERT_TRUE(eventually([&] { return rtmidi_.open("c") == 1; }));
    rtmidi_.play("c", {0xB0, 7, 1});
    const std::vector<Message> next = read_all(reader);
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(midi_port(next[0]), 1) << "it has the number that is free";
}

TEST_F(MidiReaderTest, two_devices_of_one_name_and_one_that_another_program_has) {
    rtmidi_.plug({"keys", "taken", "keys"});
    rtmidi_.refuse("taken");
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    EXPECT_EQ(rtmidi_.open("keys"), 2U);
    EXPECT_EQ(rtmidi_.open("taken"), 0U);
    EXPECT_EQ(reader.names(), (std::vector<std::string>{"keys", "taken", "keys (2)"}));
}

TEST_F(MidiReaderTest, without_a_midi_system_it_says_so) {
    rtmidi_.plug({"keys"});
    rtmidi_.have_no_system();
    EXPECT_EQ(refusal<NoDeviceError>([] { MidiReader{FakeRtMidi::library(), 1, true}; }),
              "RtMidi finds no MIDI system here, or no device: leave midi_inputs out, or use the device 'jack'");
    EXPECT_EQ(rtmidi_.ports(), 0U);
}

TEST_F(MidiReaderTest, without_alsa_it_takes_jack_if_that_has_devices) {
    rtmidi_.have_no_alsa();
    EXPECT_THROW((MidiReader{FakeRtMidi::library(), 1, true}), NoDeviceError);
    rtmidi_.plug({"keys"});
    MidiReader reader{FakeRtMidi::library(), 1, true};
    reader.start();
    EXPECT_EQ(rtmidi_.open("keys"), 1U);
}

/// A device whose blocks the test calls, at the times that it says.
class TimedDevice final : public Device {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "timed"; }
    [[nodiscard]] Format format() const noexcept override { return {.samplerate = 48'000, .outputs = 1}; }
    void start(BlockCallback& callback) override {
        if (fails) throw DeviceError{"it fails"};
        callback_ = &callback;
    }
    void stop() noexcept override { callback_ = nullptr; }
    [[nodiscard]] DeviceStats stats() const noexcept override { return {.xruns = 3, .memory_locked = true}; }

    void run(std::uint64_t called_ns) {
        std::array<float, 128> samples{};
        std::array<float*, 1> channel{samples.data()};
        callback_->process({.outputs = channel, .frames = 128}, called_ns);
    }

    bool fails = false;

  private:
    BlockCallback* callback_ = nullptr;
};

/// Keeps what comes, with its frame since the first block.
class Heard final : public BlockCallback {
  public:
    void process(const AudioBlock& block, std::uint64_t) noexcept CUELINE_NONBLOCKING override {
        frame_ += block.frames;
    }
    void take_midi(std::span<const Message> messages) noexcept CUELINE_NONBLOCKING override {
        for (const Message& message : messages) {
            if (count < frames.size()) frames[count++] = frame_ + message.frame;  // NOLINT(*-constant-array-index)
        }
    }

    std::array<std::uint64_t, 64> frames{};
    std::size_t count = 0;

  private:
    std::uint64_t frame_ = 0;
};

TEST_F(MidiReaderTest, the_device_plays_after_its_delay_however_late_its_blocks_are_called) {
    std::mt19937_64 random{seed()};
    rtmidi_.plug({"keys"});
    for (const std::uint64_t wanted : {std::uint64_t{0}, std::uint64_t{20'000'000}}) {
        const std::uint64_t delay = wanted == 0 ? 2 * duration_ns(128, 48'000) : wanted;
        auto inner = std::make_unique<TimedDevice>();
        TimedDevice& timed = *inner;
        MidiDevice device{std::move(inner), FakeRtMidi::library(), 1, true, wanted};
        Heard heard;
        device.start(heard);
        const std::uint64_t origin = monotonic_ns();
        timed.run(origin);
        const std::uint64_t after = monotonic_ns();
        rtmidi_.play("keys", {0x90, 60, 100});
        const std::uint64_t before = monotonic_ns();
        for (std::uint64_t block = 1; heard.count == 0 && block < 100'000; ++block) {
            timed.run(origin + duration_ns(block * 128, 48'000) + random() % 1'000'000);
        }
        ASSERT_EQ(heard.count, 1U);
        const auto frame_of = [&](std::uint64_t came) {
            return static_cast<double>(came + delay - origin) * 48'000 / static_cast<double>(second);
        };
        EXPECT_GE(static_cast<double>(heard.frames[0]), frame_of(after) - 1);
        EXPECT_LE(static_cast<double>(heard.frames[0]), frame_of(before) + 1);
        EXPECT_EQ(device.stats().midi.received, 1U);
        EXPECT_EQ(device.stats().xruns, 3U) << "and the other's numbers";
        EXPECT_EQ(device.midi_ports().inputs, 1U);
        EXPECT_EQ(device.name(), "timed");
        device.stop();
        EXPECT_EQ(rtmidi_.ports(), 0U);
    }
}

TEST_F(MidiReaderTest, a_device_that_cannot_start_leaves_no_port_open) {
    rtmidi_.plug({"keys"});
    auto inner = std::make_unique<TimedDevice>();
    inner->fails = true;
    MidiDevice device{std::move(inner), FakeRtMidi::library(), 1, true, 0};
    Heard heard;
    EXPECT_THROW(device.start(heard), DeviceError);
    EXPECT_EQ(rtmidi_.ports(), 0U);
}

TEST_F(MidiReaderTest, the_device_lists_and_connects_inputs_and_refuses_outputs) {
    rtmidi_.plug({"keys"});
    MidiDevice device{std::make_unique<TimedDevice>(), FakeRtMidi::library(), 1, false, 0};
    EXPECT_EQ(device.midi_names(MidiWay::in), std::vector<std::string>{"keys"});
    EXPECT_EQ(refusal<DeviceError>([&] { static_cast<void>(device.midi_names(MidiWay::out)); }),
              "this engine's device, timed, has no midi_outputs: request midi_outputs=1");
    EXPECT_THROW(device.connect_midi(MidiWay::out, "k"), DeviceError);
    Heard heard;
    device.start(heard);
    EXPECT_EQ(rtmidi_.ports(), 0U);
    device.connect_midi(MidiWay::in, "^keys$");
    EXPECT_EQ(rtmidi_.open("keys"), 1U);
}

}  // namespace
}  // namespace cueline::test
