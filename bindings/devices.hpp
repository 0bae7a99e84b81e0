// devices.hpp: what may be asked of a device, and the list of them.
#pragma once

#include <nanobind/nanobind.h>

/// Adds DeviceRequest, DeviceInfo and list_devices to the module.
void bind_devices(nanobind::module_& module);
