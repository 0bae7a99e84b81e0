// jack.cpp: opens and lists JACK devices.
#include "devices/jack/jack.hpp"

#include "devices/jack/jack_client.hpp"
#include "devices/jack/jack_device.hpp"
#include "devices/jack/jack_library.hpp"
#include "system/signals_blocked.hpp"
#include "system/utf8.hpp"

namespace cueline {

std::unique_ptr<Device> open_jack(const DeviceRequest& request) {
    return std::make_unique<JackDevice>(JackLibrary::get(), request);
}

std::vector<DeviceInfo> list_jack() {
    const SignalsBlocked signals_blocked;
    const JackClient client{JackLibrary::get(), "cueline-devices", std::nullopt};
    const std::vector<std::string> inputs = client.ports(JackPortIsOutput | JackPortIsPhysical);
    const std::vector<std::string> outputs = client.ports(JackPortIsInput | JackPortIsPhysical);
    const std::uint32_t frames =
        outputs.empty() ? 0 : client.latency(client.port(outputs.front()), JackPlaybackLatency);
    const double latency_s = static_cast<double>(frames) / client.samplerate();
    const std::vector<std::string>& ports = outputs.empty() ? inputs : outputs;
    const std::string where = ports.empty() ? "no physical ports" : ports.front().substr(0, ports.front().find(':'));
    return {{.device = "jack",
             .host_api = "JACK",
             .name = valid_utf8(where),
             .inputs = static_cast<std::uint32_t>(inputs.size()),
             .outputs = static_cast<std::uint32_t>(outputs.size()),
             .samplerate = client.samplerate(),
             .blocksize = client.blocksize(),
             .low_latency_s = latency_s,
             .high_latency_s = latency_s}};
}

}  // namespace cueline
