// open_device.cpp: the list of devices. Add a new kind of device here.
#include <cueline/engine/open_device.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices/jack/jack.hpp"
#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "devices/portaudio/portaudio.hpp"
#include "system/utf8.hpp"

namespace cueline {

namespace {

enum class DeviceKind : std::uint8_t { null, offline, jack, portaudio };

DeviceKind kind_of(const std::variant<std::string, std::int64_t>& device) {
    const auto* const name = std::get_if<std::string>(&device);
    if (name == nullptr) return DeviceKind::portaudio;
    if (*name == "null") return DeviceKind::null;
    if (*name == "offline") return DeviceKind::offline;
    if (*name == "jack") return DeviceKind::jack;
    return DeviceKind::portaudio;
}

/// Refuses options of another kind of device.
void require_fitting(DeviceKind kind, const DeviceRequest& request) {
    const auto refuse = [](bool asked, std::string_view option, std::string_view where) {
        if (!asked) return;
        throw ArgumentError{std::string{option} + " is for " + std::string{where} +
                            ": leave it out, or request such a device"};
    };
    if (kind != DeviceKind::jack) {
        refuse(request.client_name.has_value(), "client_name", "device 'jack'");
        refuse(request.server.has_value(), "server", "device 'jack'");
        refuse(request.connect.has_value(), "connect", "device 'jack'");
    }
    if (kind != DeviceKind::portaudio) refuse(request.latency.has_value(), "latency", "PortAudio's devices");
}

std::unique_ptr<Device> open(DeviceKind kind, const DeviceRequest& request) {
    switch (kind) {
        case DeviceKind::jack:
            return open_jack(request);
        case DeviceKind::portaudio:
            return open_portaudio(request);
        case DeviceKind::offline:
            return std::make_unique<OfflineDevice>(request.format());
        case DeviceKind::null:
            break;
    }
    return std::make_unique<NullDevice>(request.format());
}

std::string reason_against(DeviceKind kind, const DeviceError& error) {
    return (kind == DeviceKind::jack ? "jack: " : "portaudio: ") + valid_utf8(error.what());
}

}  // namespace

std::unique_ptr<Device> open_device(const DeviceRequest& request, std::vector<std::string>* absent) {
    if (request.device) {
        const DeviceKind kind = kind_of(*request.device);
        require_fitting(kind, request);
        return open(kind, request);
    }
    std::vector<std::string> reasons;
    for (const DeviceKind kind : {DeviceKind::jack, DeviceKind::portaudio}) {
        try {
            return open(kind, request);
        } catch (const NoDeviceError& error) {  // try the next best
            reasons.push_back(reason_against(kind, error));
        }
    }
    if (absent != nullptr) *absent = std::move(reasons);
    return open(DeviceKind::null, request);
}

DeviceList list_devices() {
    DeviceList list;
    std::vector<DeviceInfo>& devices = list.devices;
    try {
        devices = list_jack();
        for (DeviceInfo& device : devices) device.is_default = true;
    } catch (const DeviceError& error) {
        list.absent.push_back(reason_against(DeviceKind::jack, error));
    }
    try {
        const bool jack_runs = !devices.empty();
        for (DeviceInfo& device : list_portaudio()) {
            device.is_default = device.is_default && !jack_runs;
            devices.push_back(std::move(device));
        }
    } catch (const DeviceError& error) {
        list.absent.push_back(reason_against(DeviceKind::portaudio, error));
    }
    const bool sounds = std::ranges::any_of(devices, &DeviceInfo::is_default);
    const Format format;
    devices.push_back({.device = "null",
                       .host_api = "cueline",
                       .name = "a clocked thread without a sound card",
                       .channels = max_channels,
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize,
                       .is_default = !sounds});
    devices.push_back({.device = "offline",
                       .host_api = "cueline",
                       .name = "renders on demand",
                       .channels = max_channels,
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize});
    return list;
}

}  // namespace cueline
