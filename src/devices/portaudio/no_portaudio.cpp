// no_portaudio.cpp: replaces PortAudio in a build without its header.
#include "devices/portaudio/portaudio.hpp"

namespace cueline {

std::unique_ptr<Device> open_portaudio(const DeviceRequest&) {
    throw NoDeviceError{
        "this build of cueline has no PortAudio: on Debian type apt-get install portaudio19-dev, and build it again"};
}

std::vector<DeviceInfo> list_portaudio() {
    return {};
}

}  // namespace cueline
