// jack.hpp: JACK, as the list of devices sees it. In a build without it both functions say so.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// A client of the JACK server that runs. Thread: control. Throws NoDeviceError where none runs or libjack is missing,
/// DeviceError when the server cannot do what was asked.
std::unique_ptr<Device> open_jack(const DeviceRequest& request);

/// The server, when one runs (the one that JACK_DEFAULT_SERVER names, or "default"). Thread: control.
std::vector<DeviceInfo> list_jack();

}  // namespace cueline
