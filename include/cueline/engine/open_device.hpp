// open_device.hpp: a device by its name, and the list of them.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>

#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Opens the device that `request` asks for. Without a name: JACK when a server runs, else PortAudio's default device,
/// else the null device. Thread: control. May block for as long as the sound system takes to answer.
/// Throws ArgumentError for a name that it does not know, or for what the device asked for has no use for;
/// NoDeviceError when there is none of that name now; DeviceError when it cannot do what was asked.
std::unique_ptr<Device> open_device(const DeviceRequest& request);

/// All that could be opened now, in the order in which open_device would choose; the one it chooses is marked.
/// Thread: control. Likewise.
std::vector<DeviceInfo> list_devices();

}  // namespace cueline
