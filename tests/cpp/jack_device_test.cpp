// jack_device_test.cpp: a client of a real server, beyond any_device_test.cpp: audio through the server, and a server
// that changes or goes away.
#include <gtest/gtest.h>
#include <jack/jack.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine_messages.hpp>

#include "jack_recorder.hpp"
#include "jack_server.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "refusal.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;
using Ports = std::vector<std::string>;

std::unique_ptr<Engine> engine_on_jack(DeviceRequest request = {}, std::unique_ptr<Processor> processor = {}) {
    request.device = "jack";
    if (!processor) processor = std::make_unique<WaveProcessor>();
    return std::make_unique<Engine>(open_device(request), std::move(processor));
}

/// The first event within ten seconds.
Message event_of(Engine& engine) {
    Message event;
    EXPECT_TRUE(eventually([&] { return engine.control().receive(event) == Status::ok; })) << "no event came";
    return event;
}

/// The number of samples of WaveProcessor's wave that do not continue the last sample.
std::size_t breaks_in(const std::vector<float>& samples) {
    std::size_t breaks = 0;
    for (std::size_t index = 1; index < samples.size(); ++index) {
        const float before = samples[index - 1];
        breaks += samples[index] == (before < 1.0F ? before + 0.001F : -1.0F) ? 0 : 1;
    }
    return breaks;
}

/// Whether a tenth of a second of the engine's audio arrives without a break, in one of ten tries: on a busy machine a
/// client is late now and then.
bool plays_without_a_break() {
    constexpr std::size_t frames = 4800;
    for (int attempt = 0; attempt < 10; ++attempt) {
        JackRecorder recorder{frames};
        recorder.listen_to("cueline:out_1");
        if (breaks_in(recorder.heard(frames)) == 0) return true;
    }
    return false;
}

TEST(JackDevice, what_it_plays_arrives_at_another_client_without_a_break) {
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack();
    engine->start();
    EXPECT_TRUE(plays_without_a_break());
}

/// The first sample of a new engine that another client hears and that is not 0.
float first_heard_sample() {
    const JackRecorder recorder{1024};
    const std::unique_ptr<Engine> engine = engine_on_jack({.connect = "^recorder:in$"});
    engine->start();
    const std::vector<float> heard = recorder.heard(1024);
    return *std::ranges::find_if(heard, [](float sample) { return sample != 0.0F; });
}

TEST(JackDevice, the_first_frame_is_heard) {
    const JackServer server;
    // On a busy machine, a client is late now and then and loses a block: ten tries.
    float first = 0;
    for (int attempt = 0; attempt < 10 && first != 0.001F; ++attempt) first = first_heard_sample();
    EXPECT_EQ(first, 0.001F) << "frame 1 of the wave: frame 0 is 0";
}

/// Plays each frame's number, and counts the inputs that are not the number of the frame one block ago.
class Numbers final : public Processor {
  public:
    void prepare(const Format& format) override { delay_ = format.blocksize; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const std::uint64_t number = block.frame + frame + 1;
            block.output(0)[frame] = static_cast<float>(number);
            const float expected = number > delay_ ? static_cast<float>(number - delay_) : 0;
            wrong.add(block.input(0)[frame] == expected ? 0 : 1);
        }
    }
    Counter wrong;

  private:
    std::uint64_t delay_ = 0;
};

TEST(JackDevice, records_what_a_port_plays_sample_for_sample_from_the_first_frame_on) {
    for (const std::uint32_t blocksize : {16U, 128U, 4'096U}) {
        const JackServer server{blocksize};
        // JACK brings a client's own output back one block later. On a busy machine, a client is late now and then: ten
        // tries.
        std::uint64_t wrong = 1;
        for (int attempt = 0; attempt < 10 && wrong > 0; ++attempt) {
            auto processor = std::make_unique<Numbers>();
            const Numbers& numbers = *processor;
            const std::unique_ptr<Engine> engine =
                engine_on_jack({.inputs = 1, .outputs = 1, .connect = false, .connect_inputs = "^cueline:out_1$"},
                               std::move(processor));
            engine->start();
            EXPECT_TRUE(eventually([&] { return engine->stats().frames > std::uint64_t{10} * blocksize; }));
            engine->stop();
            wrong = numbers.wrong.get();
        }
        EXPECT_EQ(wrong, 0U) << "blocks of " << blocksize;
    }
}

TEST(JackDevice, the_check_catches_one_sample_too_many) {
    class Stutter final : public Processor {
      public:
        void prepare(const Format&) override {}
        Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
        void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
            wave_.render(block, context);
            block.output(0)[1] = block.output(0)[0];
        }

      private:
        WaveProcessor wave_;
    };
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack({}, std::make_unique<Stutter>());
    engine->start();
    EXPECT_FALSE(plays_without_a_break());
}

TEST(JackDevice, connects_each_channel_to_a_physical_port_or_as_it_is_told) {
    const JackServer server;
    const JackRecorder recorder{0};
    const auto connections = [&recorder](const DeviceRequest& request) {
        const std::unique_ptr<Engine> engine = engine_on_jack(request);
        engine->start();
        return std::vector{recorder.inputs_of("cueline:out_1"), recorder.inputs_of("cueline:out_2")};
    };
    EXPECT_EQ(connections({}), (std::vector<Ports>{{"system:playback_1"}, {"system:playback_2"}}));
    EXPECT_EQ(connections({.connect = true}), (std::vector<Ports>{{"system:playback_1"}, {"system:playback_2"}}));
    EXPECT_EQ(connections({.connect = false}), (std::vector<Ports>{{}, {}}));
    EXPECT_EQ(connections({.inputs = 2, .connect_inputs = "capture"}),
              (std::vector<Ports>{{"system:playback_1"}, {"system:playback_2"}}));
    EXPECT_EQ(connections({.connect = "^rec.*:in$"}), (std::vector<Ports>{{"recorder:in"}, {}}));
    EXPECT_EQ(
        refusal<DeviceError>([&] { connections({.connect = "nowhere"}); }),
        "connect='nowhere' matches no input port of the JACK server; it has system:playback_1, system:playback_2, "
        "recorder:in");
    EXPECT_THROW(engine_on_jack({.connect = "("}), ArgumentError);
    EXPECT_THROW(engine_on_jack({.connect_inputs = "("}), ArgumentError);
}

TEST(JackDevice, connects_its_inputs_to_the_physical_ports) {
    const JackServer server;
    const JackRecorder recorder{0};
    const std::unique_ptr<Engine> engine = engine_on_jack({.inputs = std::vector<std::int64_t>{2}});
    engine->start();
    EXPECT_EQ(recorder.inputs_of("system:capture_1"), Ports{});
    EXPECT_EQ(recorder.inputs_of("system:capture_2"), Ports{"cueline:in_1"});
    EXPECT_TRUE(eventually([&] { return engine->latency().input > 0 && engine->latency().output > 0; }))
        << "jackd reports at least a block, some time after the connection";
}

TEST(JackDevice, has_a_port_for_each_channel_and_the_name_it_was_given) {
    const JackServer server;
    const JackRecorder recorder{0};
    const std::unique_ptr<Engine> engine = engine_on_jack({.outputs = 5, .client_name = "my synth"});
    engine->start();
    EXPECT_NE(jack_port_by_name(recorder.client(), "my synth:out_5"), nullptr);
    EXPECT_EQ(jack_port_by_name(recorder.client(), "my synth:out_6"), nullptr);
    engine->stop();
    EXPECT_EQ(jack_port_by_name(recorder.client(), "my synth:out_1"), nullptr) << "a stopped engine is no client";
}

TEST(JackDevice, says_which_numbers_do_not_fit_the_server) {
    const JackServer server{256};
    EXPECT_EQ(engine_on_jack({.samplerate = 48'000, .blocksize = 256})->format().blocksize, 256U);
    EXPECT_EQ(refusal<DeviceError>([] { engine_on_jack({.samplerate = 44'100}); }),
              "the JACK server runs at 48000 frames a second, and samplerate is 44100: leave it out, or start the "
              "server at that rate (jackd -r)");
    EXPECT_EQ(refusal<DeviceError>([] { engine_on_jack({.blocksize = 128}); }),
              "the JACK server has blocks of 256 frames, and blocksize is 128: leave it out, or change the server's "
              "(jack_bufsize)");
}

TEST(JackDevice, says_so_when_no_server_runs) {
    setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody", 1);
    EXPECT_EQ(refusal<DeviceError>([] { engine_on_jack(); }),
              "no JACK server runs here: start one (jackd -d alsa, or PipeWire with pw-jack), or use another device");
    EXPECT_EQ(refusal<DeviceError>([] { engine_on_jack({.server = "loud"}); }),
              "no JACK server called 'loud' runs here: start one (jackd -d alsa, or PipeWire with pw-jack), or use "
              "another device");
}

TEST(JackDevice, finds_a_server_by_its_name) {
    const JackServer server;
    unsetenv("JACK_DEFAULT_SERVER");
    const std::unique_ptr<Engine> engine = engine_on_jack({.server = JackServer::name});
    engine->start();
    EXPECT_TRUE(eventually([&] { return engine->stats().blocks > 10; }));
}

TEST(JackDevice, is_the_default_while_a_server_runs) {
    const JackServer server;
    EXPECT_EQ(open_device({})->name(), "jack");
    const std::vector<DeviceInfo> devices = list_devices().devices;
    EXPECT_EQ(devices.front().device, "jack");
    EXPECT_TRUE(devices.front().is_default);
    EXPECT_EQ(devices.front().inputs, 2U);
    EXPECT_EQ(devices.front().outputs, 2U);
    EXPECT_EQ(devices.front().samplerate, 48'000U);
    EXPECT_EQ(std::ranges::count_if(devices, &DeviceInfo::is_default), 1);
}

TEST(JackDevice, leaves_the_default_to_the_next_device_if_its_server_refuses_the_client) {
    const JackServer server;
    const DeviceRequest request{.client_name = std::string(63, 'x')};  // too long to get a number
    const std::unique_ptr<Engine> first = engine_on_jack(request);
    first->start();
    EXPECT_THROW(engine_on_jack(request), NoDeviceError);
    EXPECT_NE(open_device(request)->name(), "jack");
    first->stop();
    EXPECT_EQ(open_device(request)->name(), "jack");
}

TEST(JackDevice, is_granted_what_the_server_has) {
    if (geteuid() != 0) GTEST_SKIP() << "an ordinary user may be granted nothing";
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack();
    engine->start();
    EXPECT_TRUE(eventually([&] { return engine->stats().device_stats.realtime_priority; }));
    engine->stop();
    EXPECT_FALSE(engine->stats().device_stats.realtime_priority) << "the thread has ended";
}

TEST(JackDevice, counts_the_servers_xruns) {
    class Laggard final : public Processor {
      public:
        void prepare(const Format&) override {}
        Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return true; }
        void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
            quiet_.render(block, context);
            // No sleep: JACK cancels its threads at the first system call that waits, which ends this process.
            break_the_rule([] {
                const auto until = std::chrono::steady_clock::now() + 10ms;
                while (std::chrono::steady_clock::now() < until) {
                }
            });
        }

      private:
        SilenceProcessor quiet_;
    };
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack({}, std::make_unique<Laggard>());
    engine->start();
    EXPECT_TRUE(eventually([&] { return engine->stats().device_stats.xruns > 0; }));
    EXPECT_TRUE(eventually([&] { return engine->stats().device_stats.load_peak > 3.0; }));
}

/// Counts the pieces that are larger than what it is prepared for.
class Prepared final : public Processor {
  public:
    void prepare(const Format& format) override { prepared_for.store(format.blocksize); }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (block.frames > prepared_for.load(std::memory_order_relaxed)) too_large.add(1);
        wave_.render(block, context);
    }

    std::atomic<std::uint32_t> prepared_for = 0;
    Counter too_large;

  private:
    WaveProcessor wave_;
};

TEST(JackDevice, plays_on_in_blocks_of_any_size_that_the_server_has) {
    const JackServer server;
    const JackRecorder recorder{0};
    auto processor = std::make_unique<Prepared>();
    const Prepared& seen = *processor;
    const std::unique_ptr<Engine> engine = engine_on_jack({}, std::move(processor));
    engine->start();
    for (const std::uint32_t blocksize : {256U, 64U, 512U}) {
        ASSERT_EQ(jack_set_buffer_size(recorder.client(), blocksize), 0);
        const Message event = event_of(*engine);
        EXPECT_EQ(event.kind, cueline::kind::format_changed);
        EXPECT_EQ(event.as<FormatChanged>().blocksize, blocksize);
        EXPECT_EQ(event.as<FormatChanged>().samplerate, 48'000U);
        EXPECT_EQ(engine->format().blocksize, blocksize);
        const std::uint64_t blocks = engine->stats().blocks;
        ASSERT_TRUE(eventually([&] { return engine->stats().blocks > blocks + 10; })) << "the audio runs on";
    }
    EXPECT_EQ(seen.prepared_for.load(), 128U);
    EXPECT_EQ(seen.too_large.get(), 0U);
    EXPECT_TRUE(plays_without_a_break());
    engine->stop();
    engine->start();
    EXPECT_EQ(seen.prepared_for.load(), 512U) << "at the next start";
}

TEST(JackDevice, prepares_again_when_the_server_changed_while_the_engine_was_stopped) {
    JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack();
    server.kill();
    server.start(512);
    EXPECT_EQ(engine->format().blocksize, 128U);
    engine->start();
    EXPECT_EQ(engine->format().blocksize, 512U);
    EXPECT_EQ(event_of(*engine).as<FormatChanged>().blocksize, 512U);
    EXPECT_TRUE(eventually([&] { return engine->stats().frames >= std::uint64_t{10} * 512; }));
}

TEST(JackDevice, tells_that_the_server_died_and_runs_again_when_it_is_back) {
    JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack();
    const std::unique_ptr<Engine> other = engine_on_jack();
    for (int round = 0; round < 2; ++round) {
        engine->start();
        other->start();
        const std::uint64_t blocks = engine->stats().blocks;
        ASSERT_TRUE(eventually([&] { return engine->stats().blocks > blocks + 10; }));

        server.kill();
        for (Engine* const lost : {engine.get(), other.get()}) {
            EXPECT_EQ(event_of(*lost).kind, cueline::kind::device_lost);
            EXPECT_TRUE(
                eventually([&] { return refusal<DeviceError>([&] { lost->require_usable(); }) != "not refused"; }));
            EXPECT_EQ(refusal<DeviceError>([&] { lost->require_usable(); }),
                      "the JACK server is gone: start it again, and then the engine");
            EXPECT_EQ(refusal<DeviceError>([&] { lost->start(); }),
                      "no JACK server runs here: start one (jackd -d alsa, or PipeWire with pw-jack), or use another "
                      "device");
            EXPECT_NE(refusal<DeviceError>([&] { lost->require_usable(); }), "not refused") << "it is still lost";
        }
        server.start();
    }
    engine->start();
    engine->control().ping();
    EXPECT_EQ(event_of(*engine).kind, cueline::kind::pong);
    EXPECT_TRUE(plays_without_a_break());
    engine->stop();
    EXPECT_NO_THROW(engine->require_usable());
    other->stop();
    EXPECT_NO_THROW(other->require_usable()) << "it was stopped, and not lost";
}

TEST(JackDevice, is_lost_if_its_server_hangs_and_runs_again_when_the_server_goes_on) {
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on_jack();
    engine->start();
    const std::uint64_t blocks = engine->stats().blocks;
    ASSERT_TRUE(eventually([&] { return engine->stats().blocks > blocks + 10; }));
    server.pause();
    EXPECT_EQ(event_of(*engine).kind, cueline::kind::device_lost);
    EXPECT_EQ(refusal<DeviceError>([&] { engine->require_usable(); }),
              "the JACK server calls for no more blocks: restart it, and then the engine");
    server.resume();
    engine->start();
    EXPECT_TRUE(plays_without_a_break());
}

TEST(JackDevice, can_be_destroyed_while_its_server_dies) {
    for (int round = 0; round < 5; ++round) {
        JackServer server;
        std::unique_ptr<Engine> engine = engine_on_jack();
        engine->start();
        const std::jthread killer{[&server] { server.kill(); }};
        std::this_thread::sleep_for(std::chrono::milliseconds{round});
        engine.reset();
    }
}

TEST(JackDevice, renders_faster_than_the_clock_while_the_server_freewheels) {
    const JackServer server;
    JackRecorder recorder{48'000};
    const std::unique_ptr<Engine> engine = engine_on_jack();
    engine->start();
    ASSERT_TRUE(eventually([&] { return engine->stats().blocks > 10; }));
    recorder.pause();
    recorder.listen_to("cueline:out_1");  // now: a connection made later sometimes stops jackd for ten seconds
    ASSERT_EQ(jack_set_freewheel(recorder.client(), 1), 0);
    // Any one window proves it: on a busy machine, others may be slow.
    bool faster = false;
    for (int window = 0; window < 100 && !faster; ++window) {
        const auto began = std::chrono::steady_clock::now();
        const std::uint64_t before = engine->stats().frames;
        std::this_thread::sleep_for(100ms);
        const std::uint64_t frames = engine->stats().frames - before;
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
        faster = static_cast<double>(frames) > 2 * 48'000 * elapsed.count();
    }
    recorder.go_on();
    const std::vector<float> heard = recorder.heard(48'000);
    ASSERT_EQ(jack_set_freewheel(recorder.client(), 0), 0);
    EXPECT_TRUE(faster) << "twice as many frames as by the clock";
    EXPECT_EQ(breaks_in(heard), 0U) << "no block is late while nobody waits";
    engine->control().ping();
    EXPECT_EQ(event_of(*engine).kind, cueline::kind::pong) << "it runs on by the clock";
}

}  // namespace
}  // namespace cueline::test
