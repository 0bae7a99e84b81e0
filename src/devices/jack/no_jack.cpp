// no_jack.cpp: replaces JACK in a build without its header.
#include "devices/jack/jack.hpp"

namespace cueline {

namespace {

[[noreturn]] void refuse_jack() {
    throw NoDeviceError{
        "this build of cueline has no JACK: on Debian type apt-get install libjack-jackd2-dev, and build it again"};
}

}  // namespace

std::unique_ptr<Device> open_jack(const DeviceRequest&) {
    refuse_jack();
}

std::vector<DeviceInfo> list_jack() {
    refuse_jack();
}

}  // namespace cueline
