// portaudio.hpp: PortAudio's entry in the list of devices. A build without PortAudio refuses both.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Opens one of PortAudio's devices for inputs and outputs, or two of one host API: by number, by words of name and
/// host API, or the default ones ("portaudio", or nothing). Throws NoDeviceError if the library is missing, has no such
/// device, or would be a client of a second JACK server; ArgumentError if no device matches the name or number;
/// DeviceError if the device cannot do what was requested. [control threads]
std::unique_ptr<Device> open_portaudio(const DeviceRequest& request);

/// PortAudio's devices at the moment. Throws DeviceError if there are none, as open_portaudio() does.
/// [control threads]
std::vector<DeviceInfo> list_portaudio();

}  // namespace cueline
