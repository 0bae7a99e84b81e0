// jack.hpp: JACK's entry in the list of devices. A build without JACK refuses both.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Opens a client of the running JACK server. Throws NoDeviceError if libjack is missing, no server runs, the server is
/// full, or this process uses another server. Throws DeviceError if the server cannot do what was requested,
/// ArgumentError for a bad client_name, server or connect. [control threads]
std::unique_ptr<Device> open_jack(const DeviceRequest& request);

/// The default server: the one named in JACK_DEFAULT_SERVER, or "default". Throws NoDeviceError, as open_jack() does.
/// [control threads]
std::vector<DeviceInfo> list_jack();

}  // namespace cueline
