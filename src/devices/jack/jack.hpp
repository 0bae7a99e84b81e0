// jack.hpp: JACK's entry in the list of devices. A build without JACK refuses to open it, and lists nothing.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Opens a client of the running JACK server. Throws NoDeviceError if no server runs or libjack is missing, DeviceError
/// if the server cannot do what was requested, ArgumentError for a bad client_name or connect. [control threads]
std::unique_ptr<Device> open_jack(const DeviceRequest& request);

/// The server named in JACK_DEFAULT_SERVER, or "default", if it runs; otherwise nothing. [control threads]
std::vector<DeviceInfo> list_jack();

}  // namespace cueline
