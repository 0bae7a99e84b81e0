// no_jack.cpp: replaces JACK in a build without its header.
#include "devices/jack/jack.hpp"

namespace cueline {

namespace {

[[noreturn]] void refuse() {
    throw NoDeviceError{
        "this build of cueline has no JACK: on Debian type apt-get install libjack-jackd2-dev, and build it again"};
}

}  // namespace

std::unique_ptr<Device> open_jack(const DeviceRequest&) {
    refuse();
}

std::vector<DeviceInfo> list_jack() {
    refuse();
}

}  // namespace cueline
