// open_device.hpp: opens a device by its name, and lists the devices that could be opened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Opens the device that `request` names. Without a name: JACK if a server runs and takes another client, else
/// PortAudio's default device, else the null device. If it takes the null device, and `absent` is not null, sets
/// `absent` to the reasons against the others, as in DeviceList. Throws ArgumentError for an unknown name and, if
/// `request` names a device, for options of another kind of device. Throws NoDeviceError if there is no such device
/// now, and DeviceError if the device cannot do what was requested.
/// [control threads; may block while the sound system answers]
std::unique_ptr<Device> open_device(const DeviceRequest& request, std::vector<std::string>* absent = nullptr);

/// Lists all devices that could be opened now, in the order in which open_device() tries them, and why others are
/// missing. DeviceInfo::is_default marks its choice.
/// [control threads; may block while the sound system answers]
DeviceList list_devices();

}  // namespace cueline
