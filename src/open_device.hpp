// open_device.hpp: a device by its name.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <cueline/device.hpp>

namespace cueline {

/// Opens the device of this name, or without one the best there is: today that is the null device.
/// Thread: control. Throws ArgumentError, with the names there are, for one that it does not know.
std::unique_ptr<Device> open_device(std::optional<std::string_view> name, const Format& format);

}  // namespace cueline
