// no_audio_system_test.cpp: a build without the headers of JACK and PortAudio, linked with their stand-ins.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <cueline/engine/open_device.hpp>
#include <cueline/error.hpp>

#include "refusal.hpp"

namespace cueline::test {
namespace {

std::string refusal_of(const char* device) {
    return refusal<NoDeviceError>([device] { open_device({.device = device}); });
}

TEST(NoAudioSystem, says_in_one_line_what_is_missing_from_the_build) {
    EXPECT_EQ(
        refusal_of("jack"),
        "this build of cueline has no JACK: on Debian type apt-get install libjack-jackd2-dev, and build it again");
    EXPECT_EQ(
        refusal_of("portaudio"),
        "this build of cueline has no PortAudio: on Debian type apt-get install portaudio19-dev, and build it again");
}

TEST(NoAudioSystem, uses_the_null_device_by_default) {
    EXPECT_EQ(open_device({})->name(), "null");
    const std::vector<DeviceInfo> devices = list_devices().devices;
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices.front().device, "null");
    EXPECT_TRUE(devices.front().is_default);
}

TEST(NoAudioSystem, the_list_says_what_is_missing_too) {
    EXPECT_EQ(list_devices().absent,
              (std::vector{"jack: " + refusal_of("jack"), "portaudio: " + refusal_of("portaudio")}));
}

}  // namespace
}  // namespace cueline::test
