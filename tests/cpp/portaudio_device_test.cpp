// portaudio_device_test.cpp: PortAudio's devices on a fake PortAudio: status flags, streams that end by themselves,
// refusals.
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/error.hpp>
#include <cueline/processor.hpp>

#include "devices/block_watch.hpp"
#include "devices/gate.hpp"
#include "devices/portaudio/portaudio_device.hpp"
#include "fake_portaudio.hpp"
#include "patience.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

/// A microphone, two sound cards, and another system's view of one of them.
std::vector<FakePortAudio::Card> usual_devices() {
    return {{.name = "Webcam: USB Audio (hw:2,0)", .host_api = "ALSA", .inputs = 1, .outputs = 0},
            {.name = "HDA Intel PCH: ALC257 (hw:0,0)", .host_api = "ALSA", .samplerate = 44'100},
            {.name = "Scarlett 4i4 USB (hw:1,0)", .host_api = "ALSA", .inputs = 6, .outputs = 6},
            {.name = "Scarlett 4i4", .host_api = "OSS", .inputs = 4, .outputs = 4}};
}

/// Records its calls.
class Told final : public BlockCallback {
  public:
    void process(const AudioBlock& block, std::uint64_t) noexcept CUELINE_NONBLOCKING override {
        for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 1.0F);
        channels = block.outputs.size();
        blocks.add(1);
    }
    void prepare(const Format& format) override { prepared_for = format.samplerate; }
    void lost(std::string_view reason) noexcept override {
        why = reason;
        ++losses;
    }
    Counter blocks;
    std::size_t channels = 0;
    std::uint32_t prepared_for = 0;
    std::string why;
    std::atomic<int> losses = 0;
};

using Asked = std::variant<std::string, std::int64_t>;

TEST(PortAudioDevice, plays_blocks_as_they_are_asked_for) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {}};
    Told told;
    device.start(told);
    EXPECT_EQ(told.blocks.get(), 1U);
    EXPECT_EQ(fake.play(), std::vector<float>(128, 1.0F));
    EXPECT_EQ(told.channels, 2U);
    EXPECT_EQ(fake.device, 1) << "the default one";
    EXPECT_EQ(fake.samplerate, 44'100) << "the device's own rate";
    EXPECT_EQ(fake.blocksize, 128U);
    device.stop();
    EXPECT_EQ(told.blocks.get(), 2U);
    EXPECT_EQ(told.losses, 0);
}

TEST(PortAudioDevice, is_opened_as_asked) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(),
                           {.device = 2, .samplerate = 96'000, .blocksize = 256, .outputs = 6, .latency = 0.025}};
    EXPECT_EQ(device.format().samplerate, 96'000U);
    EXPECT_EQ(device.format().blocksize, 256U);
    EXPECT_EQ(device.format().outputs, 6U);
    Told told;
    device.start(told);
    EXPECT_EQ(fake.device, 2);
    EXPECT_EQ(fake.samplerate, 96'000);
    EXPECT_EQ(fake.blocksize, 256U);
    EXPECT_EQ(fake.channels, 6);
    EXPECT_EQ(fake.latency, 0.025);
}

/// Each output is the input of the same place, plus 1/16. It keeps the inputs' first samples.
class Mirror final : public BlockCallback {
  public:
    void process(const AudioBlock& block, std::uint64_t) noexcept CUELINE_NONBLOCKING override {
        count = block.inputs.size();
        for (std::size_t index = 0; index < count; ++index) inputs[index] = block.input(index).front();
        for (std::size_t index = 0; index < block.outputs.size(); ++index) {
            std::fill_n(block.outputs[index], block.frames, (index < count ? inputs[index] : 0) + 0.0625F);
        }
    }
    [[nodiscard]] std::vector<float> heard() const { return {inputs.begin(), inputs.begin() + count}; }
    std::array<float, max_channels> inputs{};
    std::size_t count = 0;
};

TEST(PortAudioDevice, records_and_plays_on_one_device_or_on_two) {
    FakePortAudio fake{usual_devices()};
    const auto opened = [&](const DeviceRequest& request) {
        PortAudioDevice device{fake.library(), request};
        Mirror mirror;
        device.start(mirror);
        EXPECT_EQ(device.latency().input, fake.samplerate / 100);
        EXPECT_EQ(device.latency().output, fake.samplerate / 50);
        EXPECT_EQ(mirror.count, device.format().inputs);
        return std::vector<int>{fake.input_device, fake.input_channels, fake.device, fake.channels};
    };
    const int none = paNoDevice;
    EXPECT_EQ(opened({.inputs = 1}), (std::vector{0, 1, 1, 2})) << "the default ones";
    EXPECT_EQ(opened({.device = 2, .inputs = 6}), (std::vector{2, 6, 2, 2}));
    EXPECT_EQ(opened({.device = "scarlett alsa", .inputs = 2}), (std::vector{2, 2, 2, 2}));
    EXPECT_EQ(opened({.device = 1, .inputs = 1, .input_device = 2}), (std::vector{2, 1, 1, 2}));
    EXPECT_EQ(opened({.device = "hda", .inputs = 1, .input_device = "webcam"}), (std::vector{0, 1, 1, 2}));
    EXPECT_EQ(opened({.device = 0, .inputs = 1, .outputs = 0}), (std::vector{0, 1, none, 0})) << "it only records";
    EXPECT_EQ(opened({.device = 2, .inputs = 0, .outputs = 6}), (std::vector{none, 0, 2, 6}));
}

TEST(PortAudioDevice, uses_the_channels_that_are_asked_for_and_silences_the_others) {
    using List = std::vector<std::int64_t>;
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {.device = 2, .inputs = List{5, 2}, .outputs = List{1, 4}}};
    Mirror mirror;
    device.start(mirror);
    EXPECT_EQ(fake.input_channels, 5);
    EXPECT_EQ(fake.channels, 4);
    const std::vector<std::vector<float>> played = fake.play_all();
    EXPECT_EQ(mirror.heard(), (std::vector<float>{5.0F / 8, 2.0F / 8}));
    ASSERT_EQ(played.size(), 4U);
    EXPECT_EQ(played[0], std::vector<float>(128, 5.0F / 8 + 0.0625F));
    EXPECT_EQ(played[1], std::vector<float>(128));
    EXPECT_EQ(played[2], std::vector<float>(128));
    EXPECT_EQ(played[3], std::vector<float>(128, 2.0F / 8 + 0.0625F));
}

TEST(PortAudioDevice, inputs_without_samples_are_silent) {
    FakePortAudio fake{usual_devices()};
    fake.has_input = false;
    PortAudioDevice device{fake.library(), {.device = 2, .inputs = 2}};
    Mirror mirror;
    mirror.inputs.fill(1);
    device.start(mirror);
    EXPECT_EQ(mirror.heard(), (std::vector<float>{0, 0}));
}

TEST(PortAudioDevice, refuses_inputs_that_are_not_there) {
    FakePortAudio fake{usual_devices()};
    const auto said = [&](const DeviceRequest& request) {
        return refusal<std::exception>([&] { PortAudioDevice{fake.library(), request}; });
    };
    EXPECT_EQ(said({.device = 2, .inputs = std::vector<std::int64_t>{7}}),
              "PortAudio's device 2 'Scarlett 4i4 USB (hw:1,0), ALSA' records up to 6 channels, got 7");
    EXPECT_EQ(
        said({.device = 1, .inputs = 1}),
        "device 1 'HDA Intel PCH: ALC257 (hw:0,0), ALSA' only plays: PortAudio's input devices are 0 'Webcam: USB "
        "Audio (hw:2,0), ALSA', 2 'Scarlett 4i4 USB (hw:1,0), ALSA', 3 'Scarlett 4i4, OSS'");
    EXPECT_EQ(said({.device = 1, .inputs = 1, .input_device = 3}),
              "PortAudio opens two devices together only if they have one host API, got 'Scarlett 4i4, OSS' and 'HDA "
              "Intel PCH: ALC257 (hw:0,0), ALSA'");
    EXPECT_EQ(said({.inputs = 0, .outputs = 0}), "a stream of PortAudio needs inputs or outputs: request outputs=2");
    fake.devices.erase(fake.devices.begin());
    fake.devices.resize(1);
    EXPECT_EQ(said({.inputs = 1}),
              "PortAudio has no input device at the moment: plug in a sound card, start a JACK server, or use device "
              "'null'");
    EXPECT_EQ(refusal<ArgumentError>([] { open_device({.device = "null", .input_device = 1}); }),
              "a pair of devices is for PortAudio's devices: leave it out, or request such a device");
}

TEST(PortAudioDevice, counts_what_the_input_lost_as_an_xrun_if_there_are_inputs) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {.inputs = 1}};
    Told told;
    device.start(told);
    fake.play(paInputOverflow);
    fake.play(paInputUnderflow);
    fake.play(paPrimingOutput);
    EXPECT_EQ(device.stats().xruns, 2U);
}

TEST(PortAudioDevice, has_a_low_and_a_high_latency) {
    FakePortAudio fake{usual_devices()};
    const auto latency = [&](const DeviceRequest& request) {
        Told told;
        PortAudioDevice device{fake.library(), request};
        device.start(told);
        return fake.latency;
    };
    EXPECT_EQ(latency({}), 0.01);
    EXPECT_EQ(latency({.latency = "low"}), 0.01);
    EXPECT_EQ(latency({.latency = "high"}), 0.04);
    EXPECT_EQ(refusal<ArgumentError>([&] { latency({.latency = "none"}); }),
              "latency must be 'low', 'high', or in seconds, got 'none'");
}

TEST(PortAudioDevice, counts_an_underflow_as_an_xrun_and_no_other_flag) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {}};
    Told told;
    device.start(told);
    for (const PaStreamCallbackFlags flag : {paInputUnderflow, paInputOverflow, paOutputOverflow, paPrimingOutput}) {
        fake.play(flag);
    }
    EXPECT_EQ(device.stats().xruns, 0U);
    fake.play(paOutputUnderflow);
    fake.play(paOutputUnderflow | paPrimingOutput);
    EXPECT_EQ(device.stats().xruns, 2U);
    EXPECT_EQ(told.blocks.get(), 7U);
    EXPECT_GT(device.stats().load_peak, 0.0);
}

TEST(PortAudioDevice, holds_nothing_while_it_is_stopped) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {}};
    Told told;
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(fake.initialized, 0);
        EXPECT_EQ(fake.open_streams, 0);
        device.start(told);
        EXPECT_EQ(fake.initialized, 1);
        EXPECT_EQ(fake.open_streams, 1);
        device.stop();
    }
    EXPECT_EQ(fake.initialized, 0);
    EXPECT_EQ(fake.copies, 1U);
}

TEST(PortAudioDevice, tells_once_that_its_stream_ended_and_starts_again) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {}};
    Told told;
    for (int losses = 1; losses < 3; ++losses) {
        device.start(told);
        fake.end_stream();
        ASSERT_TRUE(eventually([&] { return told.losses == losses; }));
        EXPECT_EQ(
            told.why,
            "PortAudio's device 'HDA Intel PCH: ALC257 (hw:0,0), ALSA' ended by itself: its card was unplugged or "
            "its server is gone; call start() to try again");
        device.stop();
        EXPECT_EQ(fake.open_streams, 0) << "closed, so that no block can run";
        EXPECT_EQ(fake.initialized, 0) << "so that the next start finds new devices";
        EXPECT_EQ(told.losses, losses);
    }
}

TEST(PortAudioDevice, is_lost_if_its_blocks_stop_coming_whatever_portaudio_reports) {
    for (const std::string system : {"ALSA", "JACK"}) {
        FakePortAudio fake{{{.name = "default", .host_api = system}}};
        PortAudioDevice device{fake.library(), {}};
        Told told;
        device.start(told);
        ASSERT_TRUE(eventually([&] { return told.losses == 1; }));
        EXPECT_EQ(told.why, "PortAudio's device 'default, " + system +
                                "' calls for no more blocks: its server hangs or is gone, or its card fails; call "
                                "start() to try again");
        device.stop();
        EXPECT_EQ(told.losses, 1);
        EXPECT_EQ(fake.open_streams, system == "JACK" ? 1 : 0) << "PortAudio does not survive a JACK server that hangs";
    }
}

/// Fails to prepare once. Notes the last format that it was prepared for.
class Reluctant final : public Processor {
  public:
    void prepare(const Format& format) override {
        if (std::exchange(fails, false)) throw std::bad_alloc{};
        prepared_for = format.samplerate;
    }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        rendered_for = prepared_for;
    }
    bool fails = false;
    std::uint32_t prepared_for = 0;
    std::uint32_t rendered_for = 0;
};

TEST(PortAudioDevice, renders_in_a_new_format_only_when_the_processor_is_prepared_for_it) {
    FakePortAudio fake{usual_devices()};
    const auto processor = std::make_shared<Reluctant>();
    Engine engine{std::make_unique<PortAudioDevice>(fake.library(), DeviceRequest{}), processor};
    fake.devices.at(1).samplerate = 96'000;
    processor->fails = true;
    EXPECT_THROW(engine.start(), std::bad_alloc);
    EXPECT_EQ(fake.open_streams, 0);
    engine.start();
    EXPECT_EQ(processor->rendered_for, 96'000U);
    EXPECT_EQ(engine.format().samplerate, 96'000U);
}

TEST(PortAudioDevice, its_audio_thread_gets_real_time_priority_and_jack_decides_for_its_own) {
    if (geteuid() != 0) GTEST_SKIP() << "an ordinary user may be granted nothing";
    for (const std::string system : {"ALSA", "JACK"}) {
        FakePortAudio fake{{{.name = "default", .host_api = system}}};
        PortAudioDevice device{fake.library(), {}};
        Told told;
        device.start(told);
        EXPECT_EQ(device.stats().realtime_priority, system == "ALSA") << system;
    }
}

TEST(PortAudioDevice, gives_its_audio_thread_real_time_priority_also_if_the_first_block_comes_late) {
    if (geteuid() != 0) GTEST_SKIP() << "an ordinary user may be granted nothing";
    FakePortAudio fake{usual_devices()};
    fake.calls_at_once = false;
    PortAudioDevice device{fake.library(), {}};
    Told told;
    device.start(told);
    EXPECT_FALSE(device.stats().realtime_priority);
    const std::jthread audio{[&](const std::stop_token& over) {
        fake.play();
        while (!over.stop_requested()) std::this_thread::sleep_for(1ms);
    }};
    EXPECT_TRUE(eventually([&] { return device.stats().realtime_priority; }));
    device.stop();
}

TEST(PortAudioDevice, finds_its_device_again_under_another_number_and_rate) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {.device = "scarlett alsa"}};
    fake.devices.erase(fake.devices.begin());
    fake.devices.at(1).samplerate = 96'000;
    Told told;
    device.start(told);
    EXPECT_EQ(fake.device, 1);
    EXPECT_EQ(fake.samplerate, 96'000);
    EXPECT_EQ(told.prepared_for, 96'000U);
    EXPECT_EQ(device.format().samplerate, 96'000U);
    device.stop();
    fake.devices.erase(fake.devices.begin() + 1);
    EXPECT_EQ(refusal<DeviceError>([&] { device.start(told); }),
              "PortAudio's device 'Scarlett 4i4 USB (hw:1,0), ALSA' is gone: plug it in, start its server, "
              "or make an engine on another device");
    EXPECT_EQ(fake.initialized, 0);
}

TEST(PortAudioDevice, touches_nothing_of_a_jack_that_is_gone_and_takes_a_fresh_copy) {
    FakePortAudio fake{{{.name = "system", .host_api = "JACK"}}};
    PortAudioDevice device{fake.library(), {}};
    Told told;
    device.start(told);
    fake.end_stream();
    ASSERT_TRUE(eventually([&] { return told.losses == 1; }));
    device.stop();
    EXPECT_EQ(fake.open_streams, 1) << "closing it would wait for ten minutes";
    EXPECT_EQ(fake.initialized, 1) << "terminating would abort the process";
    EXPECT_EQ(fake.play(), std::vector<float>(128, 0.0F)) << "a late block is silent";
    EXPECT_EQ(told.blocks.get(), 1U) << "a late block does not reach the engine";
    EXPECT_EQ(fake.copies, 1U);
    device.start(told);
    EXPECT_EQ(fake.copies, 2U);
    EXPECT_EQ(told.blocks.get(), 2U);
}

TEST(PortAudioDevice, on_another_system_does_not_end_portaudio_once_jack_is_gone) {
    for (const bool jack_lives : {true, false}) {
        std::vector<FakePortAudio::Card> devices = usual_devices();
        devices.push_back({.name = "system", .host_api = "JACK"});
        FakePortAudio fake{devices};
        PortAudioDevice device{fake.library(), {}};
        Told told;
        device.start(told);
        if (!jack_lives) fake.open_error = paInsufficientMemory;  // what PortAudio returns for a stream on such a JACK
        device.stop();
        EXPECT_EQ(fake.open_streams, 0) << "its own stream is no danger";
        EXPECT_EQ(fake.initialized, jack_lives ? 0 : 1);
    }
}

TEST(PortAudioDevice, says_why_it_cannot_be_opened) {
    FakePortAudio fake{usual_devices()};
    const auto refused = [&] { return refusal<DeviceError>([&] { PortAudioDevice{fake.library(), {}}; }); };
    const std::string named = "PortAudio's device 1 'HDA Intel PCH: ALC257 (hw:0,0), ALSA' ";
    fake.format_error = paInvalidSampleRate;
    EXPECT_EQ(refused(), named + "does not support 44100 frames a second; its own rate is 44100: leave samplerate out");
    fake.format_error = paDeviceUnavailable;
    EXPECT_EQ(refused(), named + "is gone, or another program holds it: end that program, or use another device");
    fake.format_error = paFormatIsSupported;
    EXPECT_EQ(refusal<DeviceError>([&] { PortAudioDevice{fake.library(), {.outputs = 3}}; }),
              named + "plays up to 2 channels, got 3");

    PortAudioDevice device{fake.library(), {}};
    Told told;
    const auto start = [&] { return refusal<DeviceError>([&] { device.start(told); }); };
    fake.open_error = paUnanticipatedHostError;
    EXPECT_EQ(start(), named +
                           "cannot be opened (a word of PortAudio's: the plug is loose, -9999): it may be gone, or "
                           "unable to run blocks of 128 frames");
    fake.open_error = paNoError;
    fake.start_error = paTimedOut;
    EXPECT_EQ(start(),
              named +
                  "cannot be opened (a word of PortAudio's, -9987): it may be gone, or unable to run blocks of "
                  "128 frames");
    EXPECT_EQ(fake.open_streams, 0);
    EXPECT_EQ(fake.initialized, 0);
    fake.start_error = paNoError;
    EXPECT_EQ(start(), "not refused");
}

TEST(PortAudioDevice, is_chosen_by_number_by_words_or_by_default) {
    FakePortAudio fake{usual_devices()};
    const auto number = [&](const std::optional<Asked>& asked) {
        PortAudioDevice device{fake.library(), {.device = asked}};
        Told told;
        device.start(told);
        return fake.device;
    };
    EXPECT_EQ(number(std::nullopt), 1);
    EXPECT_EQ(number("portaudio"), 1);
    EXPECT_EQ(number(3), 3);
    EXPECT_EQ(number("INTEL"), 1);
    EXPECT_EQ(number("usb alsa"), 2) << "only devices that play";
    EXPECT_EQ(number("scarlett 4i4"), 3) << "a whole name comes before a part of one";
    EXPECT_EQ(number("scarlett 4i4, OSS"), 3);
    EXPECT_EQ(
        refusal<ArgumentError>([&] { number("scarlett"); }),
        "device 'scarlett' matches 2 of PortAudio's output devices: 2 'Scarlett 4i4 USB (hw:1,0), ALSA', 3 'Scarlett "
        "4i4, OSS'; add words, or pass the number");
    const std::string all =
        "(1 'HDA Intel PCH: ALC257 (hw:0,0), ALSA', 2 'Scarlett 4i4 USB (hw:1,0), ALSA', 3 'Scarlett 4i4, OSS')";
    const std::string words_must_be =
        "device must be 'null', 'offline', 'jack', 'portaudio', or words of one of PortAudio's output devices " + all +
        ", got ";
    EXPECT_EQ(refusal<ArgumentError>([&] { number("loud"); }), words_must_be + "'loud'");
    EXPECT_EQ(refusal<ArgumentError>([&] { number("alsa usb"); }), words_must_be + "'alsa usb'");
    EXPECT_EQ(refusal<ArgumentError>([&] { number("webcam"); }), words_must_be + "'webcam'");
    const std::string number_must_be =
        "device must be the number of one of PortAudio's output devices " + all + ", got ";
    EXPECT_EQ(refusal<ArgumentError>([&] { number(-1); }), number_must_be + "-1");
    EXPECT_EQ(refusal<ArgumentError>([&] { number(4); }), number_must_be + "4");
    EXPECT_EQ(refusal<ArgumentError>([&] { number(0); }),
              "device 0 'Webcam: USB Audio (hw:2,0), ALSA' only records: PortAudio's output devices are " +
                  all.substr(1, all.size() - 2));
}

TEST(PortAudioDevice, names_in_any_encoding_and_script_are_listed_and_found) {
    FakePortAudio fake{{{.name = "Ger\xE4t", .host_api = "ALSA"}, {.name = "Écouteurs", .host_api = "ALSA"}}};
    const auto found = [&](const Asked& asked) { return PortAudioDevice{fake.library(), {.device = asked}}.format(); };
    EXPECT_EQ(refusal<ArgumentError>([&] { found("loud"); }),
              "device must be 'null', 'offline', 'jack', 'portaudio', or words of one of PortAudio's output devices (0 "
              "'Ger\xEF\xBF\xBDt, ALSA', 1 'Écouteurs, ALSA'), got 'loud'");
    for (const std::string words : {"ger alsa", "Ger\xEF\xBF\xBDt", "écouteurs", "ÉCOUTEURS", "ÉcoU"}) {
        EXPECT_EQ(refusal<ArgumentError>([&] { found(words); }), "not refused") << words;
    }
}

TEST(PortAudioDevice, says_so_where_nothing_plays) {
    FakePortAudio fake{{{.name = "Webcam", .host_api = "ALSA", .outputs = 0}}};
    for (const std::optional<Asked>& asked : {std::optional<Asked>{}, std::optional<Asked>{"portaudio"}, {7}}) {
        EXPECT_EQ(
            refusal<NoDeviceError>([&] { PortAudioDevice{fake.library(), {.device = asked}}; }),
            "PortAudio has no output device at the moment: plug in a sound card, start a JACK server, or use device "
            "'null'");
    }
}

TEST(PortAudioDevice, only_one_thread_at_a_time_calls_portaudio) {
    FakePortAudio fake{usual_devices()};
    std::vector<std::jthread> threads;
    for (int count = 0; count < 4; ++count) {
        threads.emplace_back([&fake] {
            Told told;
            for (int round = 0; round < 5; ++round) {
                PortAudioDevice device{fake.library(), {}};
                device.start(told);
            }
        });
    }
    threads.clear();
    EXPECT_EQ(fake.overlaps, 0);
    EXPECT_EQ(fake.initialized, 0);
}

TEST(PortAudioDevice, the_check_catches_two_threads_that_take_no_turns) {
    FakePortAudio fake{usual_devices()};
    const PortAudioSession session{fake.library()};
    const auto call_often = [&] {
        for (int round = 0; round < 2000 && fake.overlaps == 0; ++round) {
            session.functions().initialize();
            session.functions().terminate();
        }
    };
    std::jthread other{call_often};
    call_often();
    other.join();
    EXPECT_GT(fake.overlaps, 0);
}

/// Forks a child that makes a device. Returns its exit status: 0 made, 1 refused.
int status_of_a_child(FakePortAudio& fake) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // instead of a hang
        const std::string said = refusal<DeviceError>([&] { PortAudioDevice{fake.library(), {}}; });
        _exit(said == "not refused" ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PortAudioDevice, a_forked_child_is_refused_what_its_parent_uses) {
    FakePortAudio fake{usual_devices()};
    PortAudioDevice device{fake.library(), {}};
    EXPECT_EQ(status_of_a_child(fake), 0) << "PortAudio was not in use";
    Told told;
    device.start(told);
    EXPECT_EQ(status_of_a_child(fake), 1);
    device.stop();
    EXPECT_EQ(status_of_a_child(fake), 0);
}

/// How many wake-ups the watch takes to see that the blocks stopped.
int wake_ups_until_stopped(BlockWatch& watch) {
    int wake_ups = 1;
    while (!watch.blocks_stopped()) ++wake_ups;
    return wake_ups;
}

TEST(BlockWatch, counts_a_second_of_its_own_wake_ups_without_a_block) {
    BlockWatch watch;
    watch.begin(0);
    watch.count_block();
    EXPECT_FALSE(watch.blocks_stopped());
    EXPECT_EQ(wake_ups_until_stopped(watch), 1s / BlockWatch::interval + 1);
}

TEST(BlockWatch, begins_again_at_every_block) {
    BlockWatch watch;
    watch.begin(0);
    for (int block = 0; block < 10; ++block) {
        watch.count_block();
        for (int wake_up = 0; wake_up < 1s / BlockWatch::interval; ++wake_up) ASSERT_FALSE(watch.blocks_stopped());
    }
}

TEST(BlockWatch, waits_five_seconds_for_the_first_block) {
    BlockWatch watch;
    for (int start = 0; start < 2; ++start) {
        watch.begin(0);
        EXPECT_EQ(wake_ups_until_stopped(watch), 5s / BlockWatch::interval + 1);
        watch.count_block();
    }
}

TEST(BlockWatch, waits_longer_for_blocks_that_are_long) {
    BlockWatch watch;
    watch.begin(std::chrono::nanoseconds{8s}.count());
    EXPECT_EQ(wake_ups_until_stopped(watch), 9s / BlockWatch::interval + 1);
    watch.count_block();
    EXPECT_FALSE(watch.blocks_stopped());
    EXPECT_EQ(wake_ups_until_stopped(watch), 9s / BlockWatch::interval + 1);
}

TEST(Gate, lets_nobody_through_until_it_is_open_and_after_it_is_shut) {
    Gate gate;
    EXPECT_FALSE(gate.try_enter());
    gate.open();
    EXPECT_TRUE(gate.try_enter());
    gate.leave();
    gate.shut();
    EXPECT_FALSE(gate.try_enter());
}

TEST(Gate, is_shut_when_the_one_inside_is_out) {
    Gate gate;
    gate.open();
    ASSERT_TRUE(gate.try_enter());
    int written_inside =
        0;  // one thread writes, the other reads: the thread sanitizer reports it if nothing orders them
    const std::jthread inside{[&] {
        std::this_thread::sleep_for(20ms);
        written_inside = 1;
        gate.leave();
    }};
    gate.shut();
    EXPECT_EQ(written_inside, 1);
}

}  // namespace
}  // namespace cueline::test
