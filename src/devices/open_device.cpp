// open_device.cpp: the list of devices. Add a new kind of device here.
#include <cueline/engine/open_device.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/engine/range.hpp>

#include "devices/jack/jack.hpp"
#include "devices/midi/midi.hpp"
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
        refuse(request.midi_outputs != 0, "midi_outputs", "device 'jack'");
        refuse(request.connect.has_value() || request.connect_inputs.has_value(), "connect", "device 'jack'");
    }
    if (kind == DeviceKind::offline) {
        const std::string_view where = "device 'jack', the device 'null' and PortAudio's";
        refuse(request.midi_inputs != 0, "midi_inputs", where);
        refuse(request.midi_connect.has_value() || request.midi_connect_inputs.has_value(), "midi_connect", where);
    }
    if (kind == DeviceKind::offline || kind == DeviceKind::jack) {
        refuse(request.midi_delay_s.has_value(), "midi_delay", "the device 'null' and PortAudio's");
    }
    if (kind != DeviceKind::portaudio) {
        refuse(request.latency.has_value(), "latency", "PortAudio's devices");
        refuse(request.input_device.has_value(), "a pair of devices", "PortAudio's devices");
    }
    if (kind != DeviceKind::null && kind != DeviceKind::offline) {
        refuse(request.loopback, "loopback", "the devices 'null' and 'offline'");
    }
}

/// Refuses options of ports that are not there.
void require_midi_ports(const DeviceRequest& request) {
    if (request.midi_delay_s && request.midi_inputs == 0) {
        throw ArgumentError{"midi_delay needs a port for MIDI, and there is none: request midi_inputs=1"};
    }
    const bool connects = request.midi_connect.has_value() || request.midi_connect_inputs.has_value();
    if (!connects || request.midi_inputs != 0 || request.midi_outputs != 0) return;
    throw ArgumentError{
        "midi_connect needs ports for MIDI, and there are none: request midi_inputs=1 or midi_outputs=1"};
}

void check(std::string_view name, const Channels& channels) {
    if (const auto* const count = std::get_if<std::int64_t>(&channels)) {
        checked_range(name, *count, channels_range);
        return;
    }
    std::vector<std::int64_t> list = std::get<1>(channels);
    checked_range("the number of " + std::string{name}, static_cast<std::int64_t>(list.size()), channels_range);
    for (const std::int64_t channel : list) checked_range("a channel of " + std::string{name}, channel, channel_range);
    std::ranges::sort(list);
    if (const auto twice = std::ranges::adjacent_find(list); twice != list.end()) {
        throw ArgumentError{std::string{name} + " must be different channels, got " + std::to_string(*twice) +
                            " twice"};
    }
}

/// Returns, for each input, the index of the output on the same channel of the device. Nothing without a loopback.
std::vector<std::uint32_t> loopback_of(const DeviceRequest& request) {
    if (!request.loopback) return {};
    std::vector<std::uint32_t> sources = indices_of(request.inputs);
    if (sources.empty()) throw ArgumentError{"loopback needs inputs, and there are none: request inputs=2"};
    const std::vector<std::uint32_t> outputs = indices_of(request.outputs);
    for (std::uint32_t& source : sources) {
        source = static_cast<std::uint32_t>(std::ranges::find(outputs, source) - outputs.begin());
    }
    return sources;
}

std::unique_ptr<Device> open_without_midi(DeviceKind kind, const DeviceRequest& request) {
    switch (kind) {
        case DeviceKind::jack:
            return open_jack(request);
        case DeviceKind::portaudio:
            return open_portaudio(request);
        case DeviceKind::offline:
            return std::make_unique<OfflineDevice>(request.format(), loopback_of(request));
        case DeviceKind::null:
            break;
    }
    return std::make_unique<NullDevice>(request.format(), loopback_of(request));
}

std::unique_ptr<Device> open(DeviceKind kind, const DeviceRequest& request) {
    std::unique_ptr<Device> device = open_without_midi(kind, request);
    const bool has_own_midi = kind == DeviceKind::jack;
    if (has_own_midi || request.midi_inputs == 0) return device;
    return open_midi(std::move(device), request);
}

std::string reason_against(DeviceKind kind, const DeviceError& error) {
    return (kind == DeviceKind::jack ? "jack: " : "portaudio: ") + valid_utf8(error.what());
}

}  // namespace

std::unique_ptr<Device> open_device(const DeviceRequest& request, std::vector<std::string>* absent) {
    check("inputs", request.inputs);
    check("outputs", request.outputs);
    checked_range("midi_inputs", request.midi_inputs, midi_ports_range);
    checked_range("midi_outputs", request.midi_outputs, midi_ports_range);
    if (request.device) require_fitting(kind_of(*request.device), request);
    require_midi_ports(request);
    if (request.device) return open(kind_of(*request.device), request);
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
        for (DeviceInfo& device : devices) device.is_default = device.is_default_input = true;
    } catch (const DeviceError& error) {
        list.absent.push_back(reason_against(DeviceKind::jack, error));
    }
    try {
        const bool jack_runs = !devices.empty();
        for (DeviceInfo& device : list_portaudio()) {
            device.is_default = device.is_default && !jack_runs;
            device.is_default_input = device.is_default_input && !jack_runs;
            devices.push_back(std::move(device));
        }
    } catch (const DeviceError& error) {
        list.absent.push_back(reason_against(DeviceKind::portaudio, error));
    }
    const bool sounds = std::ranges::any_of(devices, &DeviceInfo::is_default);
    const bool records = std::ranges::any_of(devices, &DeviceInfo::is_default_input);
    const Format format;
    devices.push_back({.device = "null",
                       .host_api = "cueline",
                       .name = "a clocked thread without a sound card",
                       .inputs = max_channels,
                       .outputs = max_channels,
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize,
                       .is_default = !sounds,
                       .is_default_input = !records});
    devices.push_back({.device = "offline",
                       .host_api = "cueline",
                       .name = "renders on demand",
                       .inputs = max_channels,
                       .outputs = max_channels,
                       .samplerate = format.samplerate,
                       .blocksize = format.blocksize});
    return list;
}

}  // namespace cueline
