// open_device.cpp: the list of devices. A new kind of device gets its lines here.
#include "open_device.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "jack.hpp"
#include "null_device.hpp"
#include "offline_device.hpp"
#include "portaudio.hpp"
#include "range.hpp"

namespace cueline {

namespace {

enum class Kind : std::uint8_t { null, offline, jack, portaudio };

Kind kind_of(const std::variant<std::string, std::int64_t>& device) {
    const auto* const name = std::get_if<std::string>(&device);
    if (name == nullptr) return Kind::portaudio;
    if (*name == "null") return Kind::null;
    if (*name == "offline") return Kind::offline;
    if (*name == "jack") return Kind::jack;
    return Kind::portaudio;
}

/// Refuses what only another kind of device has a use for.
void require_fitting(Kind kind, const DeviceRequest& request) {
    const auto refuse = [](bool asked, std::string_view option, std::string_view where) {
        if (!asked) return;
        throw ArgumentError{std::string{option} + " is for " + std::string{where} +
                            ": leave it out, or ask for such a device"};
    };
    if (kind != Kind::jack) {
        refuse(request.client_name.has_value(), "client_name", "device 'jack'");
        refuse(request.server.has_value(), "server", "device 'jack'");
        refuse(request.connect.has_value(), "connect", "device 'jack'");
    }
    if (kind != Kind::portaudio) refuse(request.latency.has_value(), "latency", "PortAudio's devices");
}

std::unique_ptr<Device> open(Kind kind, const DeviceRequest& request) {
    switch (kind) {
        case Kind::jack:
            return open_jack(request);
        case Kind::portaudio:
            return open_portaudio(request);
        case Kind::offline:
            return std::make_unique<OfflineDevice>(request.format());
        case Kind::null:
            break;
    }
    return std::make_unique<NullDevice>(request.format());
}

}  // namespace

std::unique_ptr<Device> open_device(const DeviceRequest& request) {
    if (request.device) {
        const Kind kind = kind_of(*request.device);
        require_fitting(kind, request);
        return open(kind, request);
    }
    for (const Kind kind : {Kind::jack, Kind::portaudio}) {
        try {
            return open(kind, request);
        } catch (const NoDeviceError&) {
            continue;  // the next best
        }
    }
    return open(Kind::null, request);
}

std::vector<DeviceInfo> list_devices() {
    std::vector<DeviceInfo> devices = list_jack();
    const bool jack_runs = !devices.empty();
    for (DeviceInfo& device : devices) device.is_default = true;
    for (DeviceInfo& device : list_portaudio()) {
        device.is_default = device.is_default && !jack_runs;
        devices.push_back(std::move(device));
    }
    const bool sounds = std::ranges::any_of(devices, &DeviceInfo::is_default);
    const Format format;
    devices.push_back({.device = "null",
                       .host_api = "cueline",
                       .name = "a clocked thread without a sound card",
                       .channels = static_cast<std::uint32_t>(channels_range.most),
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize,
                       .is_default = !sounds});
    devices.push_back({.device = "offline",
                       .host_api = "cueline",
                       .name = "renders when told to",
                       .channels = static_cast<std::uint32_t>(channels_range.most),
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize});
    return devices;
}

}  // namespace cueline
