// no_portaudio.cpp: replaces PortAudio in a build without its header.
#include "devices/portaudio/portaudio.hpp"

namespace cueline {

namespace {

[[noreturn]] void refuse_portaudio() {
    throw NoDeviceError{
        "this build of cueline has no PortAudio: on Debian type apt-get install portaudio19-dev, and build it again"};
}

}  // namespace

std::unique_ptr<Device> open_portaudio(const DeviceRequest&) {
    refuse_portaudio();
}

std::vector<DeviceInfo> list_portaudio() {
    refuse_portaudio();
}

}  // namespace cueline
