// midi.hpp: gives MIDI to a device that has none.
#pragma once

#include <memory>

#include <cueline/device.hpp>
#include <cueline/engine/device_request.hpp>

namespace cueline {

/// Returns `device` with the MIDI inputs of `request`, which RtMidi reads. Throws NoDeviceError if RtMidi's library or
/// a MIDI system is missing, ArgumentError for a bad regular expression.
std::unique_ptr<Device> open_midi(std::unique_ptr<Device> device, const DeviceRequest& request);

}  // namespace cueline
