// no_jack.cpp: stands in for JACK where its header was missing as cueline was built.
#include "devices/jack/jack.hpp"

namespace cueline {

std::unique_ptr<Device> open_jack(const DeviceRequest&) {
    throw NoDeviceError{
        "this build of cueline has no JACK: on Debian type apt-get install libjack-jackd2-dev, and build it again"};
}

std::vector<DeviceInfo> list_jack() {
    return {};
}

}  // namespace cueline
