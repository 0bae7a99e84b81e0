// open_device.cpp: the list of devices.
#include "open_device.hpp"

#include <string>

#include <cueline/error.hpp>

#include "null_device.hpp"
#include "offline_device.hpp"

namespace cueline {

std::unique_ptr<Device> open_device(std::optional<std::string_view> name, const Format& format) {
    const std::string_view wanted = name.value_or("null");
    if (wanted == "null") return std::make_unique<NullDevice>(format);
    if (wanted == "offline") return std::make_unique<OfflineDevice>(format);
    throw ArgumentError{"device must be 'null' or 'offline', or left out for the default, got '" + std::string{wanted} +
                        "'"};
}

}  // namespace cueline
