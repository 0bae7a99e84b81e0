// jack_servers_test.cpp: which server and which names a client may have, and what it is connected to, on a fake JACK.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>

#include "devices/portaudio/portaudio_device.hpp"
#include "fake_jack.hpp"
#include "fake_portaudio.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "processors/passthrough_processor.hpp"
#include "refusal.hpp"

namespace cueline::test {
namespace {

using Connections = std::vector<std::pair<std::string, std::string>>;
using Names = std::vector<std::string>;

std::unique_ptr<Engine> started(const FakeJack& jack, const DeviceRequest& request = {}) {
    auto engine = std::make_unique<Engine>(jack.device(request), std::make_unique<WaveProcessor>());
    engine->start();
    return engine;
}

/// Sets JACK_DEFAULT_SERVER while it lives.
class DefaultServer {
  public:
    explicit DefaultServer(const std::string& name) { setenv("JACK_DEFAULT_SERVER", name.c_str(), 1); }
    ~DefaultServer() { unsetenv("JACK_DEFAULT_SERVER"); }
    DefaultServer(const DefaultServer&) = delete;
    DefaultServer& operator=(const DefaultServer&) = delete;
};

TEST(JackServers, a_process_uses_one_at_a_time) {
    FakeJack jack;
    const std::unique_ptr<Engine> engine = started(jack, {.server = "a"});
    const std::unique_ptr<Engine> beside = started(jack, {.server = "a"});
    jack.servers.clear();
    EXPECT_EQ(refusal<NoDeviceError>([&] { static_cast<void>(jack.device({.server = "b"})); }),
              "the device 'jack' uses the JACK server 'b', and this process is a client of the server 'a'; libjack "
              "crashes if a process uses two: stop the engines on 'a' first, or use one process for each server");
    EXPECT_EQ(jack.servers, Names{}) << "libjack was not called";
    engine->stop();
    EXPECT_THROW(static_cast<void>(jack.device({.server = "b"})), NoDeviceError);
    beside->stop();
    started(jack, {.server = "b"});
    EXPECT_EQ(jack.servers.back(), "b");
}

TEST(JackServers, an_engine_that_stands_starts_only_on_the_server_that_the_process_uses) {
    const FakeJack jack;
    Engine standing{jack.device({.server = "b"}), std::make_unique<WaveProcessor>()};
    const std::unique_ptr<Engine> engine = started(jack, {.server = "a"});
    EXPECT_THROW(standing.start(), DeviceError);
    engine->stop();
    EXPECT_NO_THROW(standing.start());
}

TEST(JackServers, the_variable_names_the_default_one) {
    const FakeJack jack;
    const DefaultServer variable{"a"};
    const std::unique_ptr<Engine> engine = started(jack);
    started(jack, {.server = "a"});
    EXPECT_THROW(static_cast<void>(jack.device({.server = "default"})), NoDeviceError);
}

TEST(JackServers, portaudio_stays_out_while_the_process_uses_one_that_is_not_the_default) {
    const FakeJack jack;
    FakePortAudio portaudio{{{.name = "card", .host_api = "ALSA"}}};
    const std::unique_ptr<Engine> engine = started(jack, {.server = "a"});
    EXPECT_EQ(refusal<NoDeviceError>([&] { const PortAudioSession session{portaudio.library()}; }),
              "PortAudio uses the JACK server 'default', and this process is a client of the server 'a'; libjack "
              "crashes if a process uses two: stop the engines on 'a' first, or use one process for each server, or "
              "set JACK_DEFAULT_SERVER=a");
    EXPECT_EQ(portaudio.initialized, 0) << "PortAudio was not called";
    const DefaultServer variable{"a"};
    EXPECT_NO_THROW(const PortAudioSession session{portaudio.library()});
}

TEST(JackServers, while_portaudio_is_a_client_its_server_is_the_only_one) {
    const FakeJack jack;
    FakePortAudio with_jack{{{.name = "system", .host_api = "JACK"}}};
    {
        const PortAudioSession session{with_jack.library()};
        EXPECT_THROW(static_cast<void>(jack.device({.server = "a"})), NoDeviceError);
        EXPECT_NO_THROW(static_cast<void>(jack.device()));
    }
    EXPECT_NO_THROW(static_cast<void>(jack.device({.server = "a"})));
}

TEST(JackServers, a_portaudio_without_jack_leaves_the_choice_of_the_server) {
    const FakeJack jack;
    FakePortAudio portaudio{{{.name = "card", .host_api = "ALSA"}}};
    const PortAudioSession session{portaudio.library()};
    EXPECT_NO_THROW(static_cast<void>(jack.device({.server = "a"})));
}

TEST(JackServers, a_name_that_libjack_cannot_hold_is_refused_by_its_bytes) {
    FakeJack jack;
    std::string name;
    for (int letter = 0; letter < 100; ++letter) name += "é";
    EXPECT_NO_THROW(static_cast<void>(jack.device({.server = name})));
    jack.servers.clear();
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(jack.device({.server = name + "é"})); }),
              "server must be at most 200 bytes, got 202 (a letter that is not ASCII has two to four)");
    EXPECT_EQ(jack.servers, Names{}) << "libjack was not called";
}

TEST(JackServers, a_variable_that_libjack_cannot_hold_leaves_jack_and_portaudio_out) {
    const DefaultServer variable{std::string(300, 'x')};
    const std::string why =
        "the name in the environment variable JACK_DEFAULT_SERVER must be at most 200 bytes, got 300: set it to a "
        "server's name, or unset it";
    EXPECT_EQ(refusal<NoDeviceError>([] { open_device({.device = "jack"}); }), why);
    EXPECT_EQ(refusal<NoDeviceError>([] { open_device({.device = "portaudio"}); }), why);
    EXPECT_EQ(open_device({})->name(), "null");
    const DeviceList list = list_devices();
    EXPECT_EQ(list.absent, (Names{"jack: " + why, "portaudio: " + why}));
    EXPECT_EQ(list.devices.front().device, "null");
}

TEST(JackServers, a_client_name_that_jackd_cannot_hold_is_refused_by_its_bytes) {
    const FakeJack jack;
    EXPECT_NO_THROW(static_cast<void>(jack.device({.client_name = std::string(63, 'x')})));
    EXPECT_EQ(refusal<ArgumentError>([&] { static_cast<void>(jack.device({.client_name = std::string(64, 'x')})); }),
              "client_name must be at most 63 bytes, got 64 (a letter that is not ASCII has two to four)");
}

TEST(JackServers, a_server_that_takes_no_more_client_is_no_device) {
    FakeJack jack;
    jack.refuses = true;
    EXPECT_EQ(refusal<NoDeviceError>([&] { static_cast<void>(jack.device()); }),
              "the JACK server refused the client 'cueline' (status 33): it may be full, so close another client");
    const std::string longest(63, 'x');
    EXPECT_EQ(refusal<NoDeviceError>([&] { static_cast<void>(jack.device({.client_name = longest})); }),
              "the JACK server refused the client '" + longest +
                  "' (status 33): it may be full, so close another client; or it has a client of this name, which is "
                  "too long to get a number, so shorten it");
}

TEST(JackServers, a_single_channel_is_heard_on_both_sides) {
    FakeJack jack;
    jack.inputs = {"system:playback_1", "system:playback_2", "system:playback_3"};
    const std::unique_ptr<Engine> mono = started(jack, {.outputs = 1});
    EXPECT_EQ(jack.connections,
              (Connections{{"cueline:out_1", "system:playback_1"}, {"cueline:out_1", "system:playback_2"}}));
    mono->stop();
    jack.inputs.resize(1);
    mono->start();
    EXPECT_EQ(jack.connections, (Connections{{"cueline:out_1", "system:playback_1"}})) << "a server with one input";
}

TEST(JackServers, two_channels_are_connected_one_to_one) {
    const FakeJack jack;
    const std::unique_ptr<Engine> stereo = started(jack);
    EXPECT_EQ(jack.connections,
              (Connections{{"cueline:out_1", "system:playback_1"}, {"cueline:out_2", "system:playback_2"}}));
}

TEST(JackServers, inputs_are_connected_to_the_physical_ports_of_their_numbers) {
    using List = std::vector<std::int64_t>;
    FakeJack jack;
    jack.outputs = {"system:capture_1", "system:capture_2", "system:capture_3"};
    const auto connections = [&jack](const DeviceRequest& request) {
        const std::unique_ptr<Engine> engine = started(jack, request);
        return std::exchange(jack.connections, {});
    };
    EXPECT_EQ(connections({.inputs = 1, .outputs = 0}), (Connections{{"system:capture_1", "cueline:in_1"}}));
    EXPECT_EQ(connections({.inputs = List{3, 9, 1}, .outputs = List{2}}),
              (Connections{{"system:capture_3", "cueline:in_1"},
                           {"system:capture_1", "cueline:in_3"},
                           {"cueline:out_1", "system:playback_2"}}));
    EXPECT_EQ(connections({.outputs = List{1}}), (Connections{{"cueline:out_1", "system:playback_1"}}))
        << "one that is named is heard on that side";
    EXPECT_EQ(connections({.inputs = 2, .connect = false}), Connections{});
    EXPECT_EQ(connections({.inputs = 1, .connect = false, .connect_inputs = true}),
              (Connections{{"system:capture_1", "cueline:in_1"}}));
    jack.outputs.clear();
    EXPECT_EQ(connections({.inputs = 2, .outputs = 1, .connect = true}).size(), 2U)
        << "inputs without a port are silent";
    EXPECT_EQ(refusal<DeviceError>([&] { connections({.inputs = 1, .connect_inputs = "mic"}); }),
              "connect='mic' matches no output port of the JACK server, for our inputs; it has none");
}

TEST(JackServers, a_block_has_the_samples_of_its_input_ports_and_leaves_them) {
    const FakeJack jack;
    Engine engine{jack.device({.inputs = 2, .outputs = 2}), std::make_unique<PassthroughProcessor>()};
    engine.start();
    for (std::size_t frame = 0; frame < 64; ++frame) {
        jack.samples("cueline:in_1")[frame] = static_cast<float>(frame) / 64;
        jack.samples("cueline:in_2")[frame] = std::numeric_limits<float>::infinity();
    }
    FakeJack::play(64);
    for (std::size_t frame = 0; frame < 64; ++frame) {
        EXPECT_EQ(jack.samples("cueline:out_1")[frame], static_cast<float>(frame) / 64);
        EXPECT_EQ(jack.samples("cueline:out_2")[frame], 0.0F);
        EXPECT_EQ(jack.samples("cueline:in_2")[frame], std::numeric_limits<float>::infinity())
            << "other clients read it";
    }
}

TEST(JackServers, latencies_are_those_of_our_ports_and_follow_the_server) {
    FakeJack jack;
    jack.capture_latency = 100;
    jack.playback_latency = 300;
    const std::unique_ptr<Engine> engine = started(jack, {.inputs = 1});
    EXPECT_EQ(engine->latency().input, 100U);
    EXPECT_EQ(engine->latency().output, 300U);
    jack.capture_latency = 400;
    EXPECT_TRUE(eventually([&] { return engine->latency().input == 400; }));
}

}  // namespace
}  // namespace cueline::test
