// portaudio_system_test.cpp: the real PortAudio, without a sound card and through a JACK server.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>

#include "devices/portaudio/portaudio.hpp"
#include "jack_server.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "refusal.hpp"
#include "sanitizers.hpp"
#include "system/audio_libraries.hpp"
#include "system/quiet_stderr.hpp"
#include "system/shared_library.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

/// Set before PortAudio is loaded, which reads it: ALSA's configuration in all tests of this program.
[[maybe_unused]] const int alsa_is_ours = setenv("ALSA_CONFIG_PATH", CUELINE_TESTS "/alsa.conf", 1);

std::unique_ptr<Engine> engine_on(const DeviceRequest& request) {
    return std::make_unique<Engine>(open_device(request), std::make_unique<WaveProcessor>());
}

/// What `call` prints to the descriptors of stdout and stderr.
template <class Call>
std::string printed_by(Call call) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    call();
    std::fflush(nullptr);
    const std::string printed = testing::internal::GetCapturedStdout();
    return printed + testing::internal::GetCapturedStderr();
}

class NoServer : public testing::Test {
  protected:
    void SetUp() override {
        setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody", 1);
        if (refusal<DeviceError>(&list_portaudio) == "not refused") GTEST_SKIP() << "this machine has a sound card";
    }
    void TearDown() override { unsetenv("JACK_DEFAULT_SERVER"); }
};
using PortAudioWithoutACard = NoServer;

TEST_F(PortAudioWithoutACard, says_so_and_prints_nothing) {
    std::string said;
    EXPECT_EQ(printed_by([&] { said = refusal<DeviceError>([] { engine_on({.device = "portaudio"}); }); }), "");
    EXPECT_EQ(said,
              "PortAudio has no output device at the moment: plug in a sound card, start a JACK server, or use device "
              "'null'");
    EXPECT_EQ(printed_by([&] { EXPECT_EQ(refusal<DeviceError>(&list_portaudio), said); }), "");
}

TEST_F(PortAudioWithoutACard, the_check_catches_what_portaudio_prints_by_itself) {
    void* const library = dlopen("libportaudio.so.2", RTLD_NOW);
    ASSERT_NE(library, nullptr);
    const auto initialize = reinterpret_cast<int (*)()>(dlsym(library, "Pa_Initialize"));
    const auto terminate = reinterpret_cast<int (*)()>(dlsym(library, "Pa_Terminate"));
    EXPECT_NE(printed_by([&] {
                  initialize();
                  terminate();
              }),
              "");
}

TEST_F(PortAudioWithoutACard, refuses_unknown_names_and_lists_the_devices) {
    try {
        engine_on({.device = "loud"});
        FAIL() << "it was found";
    } catch (const ArgumentError& error) {
        EXPECT_STREQ(error.what(),
                     "device must be 'null', 'offline', 'jack', 'portaudio', or words of one of PortAudio's output "
                     "devices (none at the moment), got 'loud'");
    }
}

TEST(SharedLibrary, its_copies_are_apart_and_keep_no_descriptor) {
    const auto descriptors = [] {
        const std::filesystem::directory_iterator all{"/proc/self/fd"};
        return std::distance(begin(all), end(all));
    };
    const SharedLibrary original{portaudio_library_name()};
    int (*first)() = nullptr;
    original.find(first, "Pa_GetVersion");
    std::set<const void*> found{reinterpret_cast<const void*>(first)};
    const auto before = descriptors();
    for (int copy = 0; copy < 3; ++copy) {
        int (*function)() = nullptr;
        SharedLibrary::copy_of(first, portaudio_library_name()).find(function, "Pa_GetVersion");
        found.insert(reinterpret_cast<const void*>(function));
    }
    EXPECT_EQ(found.size(), 4U);
    EXPECT_EQ(descriptors(), before);
}

TEST(QuietStderr, drops_what_its_thread_prints_and_nothing_else) {
    EXPECT_EQ(printed_by([] {
                  std::fputs("before ", stderr);
                  {
                      const QuietStderr quiet;
                      const QuietStderr quiet_twice;
                      std::fputs("never ", stderr);
                      std::thread{[] { std::fputs("another thread's ", stderr); }}.join();
                  }
                  std::fputs("after", stderr);
              }),
              "before another thread's after");
}

TEST(PortAudioOnJack, lists_the_servers_devices_as_they_are_now) {
    setenv("JACK_DEFAULT_SERVER", "cueline-test-nobody", 1);
    const auto listed = [] {
        std::vector<DeviceInfo> devices = list_devices().devices;
        std::erase_if(devices, [](const DeviceInfo& device) { return device.host_api != "JACK Audio Connection Kit"; });
        return devices;
    };
    EXPECT_TRUE(listed().empty());
    const JackServer server;
    ASSERT_EQ(listed().size(), 1U);
    const DeviceInfo device = listed().front();
    EXPECT_EQ(device.name, "system");
    EXPECT_EQ(device.inputs, 2U);
    EXPECT_EQ(device.outputs, 2U);
    EXPECT_EQ(device.samplerate, 48'000U);
    EXPECT_EQ(device.blocksize, 128U);
    EXPECT_GT(device.low_latency_s, 0.0);
    const std::unique_ptr<Engine> engine = engine_on({.device = std::stoll(device.device)});
    engine->start();
    EXPECT_TRUE(eventually([&] { return engine->stats().blocks > 10; }));
    EXPECT_EQ(listed().size(), 1U) << "also while an engine runs";
}

TEST(PortAudioOnJack, adapts_the_servers_blocks_to_ours_and_refuses_another_rate) {
    const JackServer server{512};
    const std::unique_ptr<Engine> engine = engine_on({.device = "system jack", .blocksize = 96});
    engine->start();
    EXPECT_TRUE(eventually([&] { return engine->stats().blocks > 50; }));
    engine->stop();
    EXPECT_EQ(engine->stats().frames, engine->stats().blocks * 96);
    EXPECT_NE(refusal<DeviceError>([] {
                  engine_on({.device = "system jack", .samplerate = 44'100});
              }).find("does not support 44100 frames a second; its own rate is 48000: leave samplerate out"),
              std::string::npos);
}

TEST(PortAudioOnJack, tells_that_the_server_died_and_runs_again_when_it_is_back) {
    JackServer server;
    const std::unique_ptr<Engine> engine = engine_on({.device = "system jack"});
    const std::unique_ptr<Engine> other = engine_on({.device = "system jack"});
    for (int round = 0; round < 3; ++round) {
        engine->start();
        other->start();
        const std::uint64_t blocks = engine->stats().blocks;
        ASSERT_TRUE(eventually([&] { return engine->stats().blocks > blocks + 10; }));

        server.kill();
        for (Engine* const lost : {engine.get(), other.get()}) {
            ASSERT_TRUE(
                eventually([&] { return refusal<DeviceError>([&] { lost->require_usable(); }) != "not refused"; }));
            EXPECT_EQ(refusal<DeviceError>([&] { lost->require_usable(); }),
                      "PortAudio's device 'system, JACK Audio Connection Kit' ended by itself: its card was unplugged "
                      "or its server is gone; call start() to try again");
            EXPECT_EQ(refusal<DeviceError>([&] { lost->start(); }),
                      "PortAudio's device 'system, JACK Audio Connection Kit' is gone: plug it in, start its "
                      "server, or make an engine on another device");
            const std::uint64_t then = lost->stats().blocks;
            std::this_thread::sleep_for(20ms);
            EXPECT_EQ(lost->stats().blocks, then);
        }
        server.start();
    }
    engine->start();
    engine->control().ping();
    const std::uint64_t blocks = engine->stats().blocks;
    EXPECT_TRUE(eventually([&] { return engine->stats().blocks > blocks + 10; }));
}

TEST(PortAudioOnJack, reports_its_priority_when_start_returns) {
    if (geteuid() != 0) GTEST_SKIP() << "an ordinary user may be granted nothing";
    const JackServer server;
    const std::unique_ptr<Engine> engine = engine_on({.device = "portaudio"});
    engine->start();
    EXPECT_TRUE(engine->stats().device_stats.realtime_priority);
}

TEST(PortAudioOnJack, prints_nothing_while_its_server_comes_and_goes) {
    if (thread_sanitizer)
        GTEST_SKIP() << "a copy that is given up keeps its thread, which the sanitizer reports at exit";
    EXPECT_EQ(printed_by([] {
                  JackServer server;
                  const std::unique_ptr<Engine> engine = engine_on({.device = "portaudio"});
                  engine->start();
                  server.kill();
                  EXPECT_TRUE(eventually(
                      [&] { return refusal<DeviceError>([&] { engine->require_usable(); }) != "not refused"; }));
              }),
              "");
}

}  // namespace
}  // namespace cueline::test
