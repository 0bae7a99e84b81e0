// portaudio.hpp: PortAudio, as the list of devices sees it. In a build without it both functions say so.
#pragma once

#include <memory>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// An output device of PortAudio's: by number, by words of its name and host API, or its default one ("portaudio", or
/// nothing). Thread: control. Throws NoDeviceError where the library is missing or has no output device, ArgumentError
/// for a name or number that is none, DeviceError when the device cannot do what was asked.
std::unique_ptr<Device> open_portaudio(const DeviceRequest& request);

/// Its output devices at the moment; none where the library is missing. Thread: control.
std::vector<DeviceInfo> list_portaudio();

}  // namespace cueline
