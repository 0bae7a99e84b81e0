// devices.cpp: DeviceRequest, DeviceInfo, DeviceList, list_devices.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <cueline/engine/device_request.hpp>
#include <cueline/engine/open_device.hpp>
#include "bindings.hpp"
#include "system/audio_libraries.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

void bind_device_types(nb::module_& module) {
    nb::class_<DeviceRequest>(module, "DeviceRequest",
                              "What an engine requests of its device. None leaves the choice to the device.")
        .def(nb::init<>())
        .def_rw("device", &DeviceRequest::device, nb::arg().none(), nb::lock_self())
        .def_rw("inputs", &DeviceRequest::inputs, nb::lock_self())
        .def_rw("outputs", &DeviceRequest::outputs, nb::lock_self())
        .def_rw("loopback", &DeviceRequest::loopback, nb::lock_self())
        .def_rw("client_name", &DeviceRequest::client_name, nb::arg().none(), nb::lock_self())
        .def_rw("server", &DeviceRequest::server, nb::arg().none(), nb::lock_self())
        .def_rw("connect", &DeviceRequest::connect, nb::arg().none(), nb::lock_self())
        .def_rw("connect_inputs", &DeviceRequest::connect_inputs, nb::arg().none(), nb::lock_self())
        .def_rw("midi_inputs", &DeviceRequest::midi_inputs, nb::lock_self())
        .def_rw("midi_outputs", &DeviceRequest::midi_outputs, nb::lock_self())
        .def_rw("midi_delay", &DeviceRequest::midi_delay_s, nb::arg().none(), nb::lock_self())
        .def_rw("midi_connect_inputs", &DeviceRequest::midi_connect_inputs, nb::arg().none(), nb::lock_self())
        .def_rw("midi_connect", &DeviceRequest::midi_connect, nb::arg().none(), nb::lock_self())
        .def_rw("input_device", &DeviceRequest::input_device, nb::arg().none(), nb::lock_self())
        .def_rw("latency", &DeviceRequest::latency, nb::arg().none(), nb::lock_self());
    nb::class_<DeviceInfo>(module, "DeviceInfo", "A device that can be opened now.")
        .def_ro("device", &DeviceInfo::device)
        .def_ro("host_api", &DeviceInfo::host_api)
        .def_ro("name", &DeviceInfo::name)
        .def_ro("inputs", &DeviceInfo::inputs)
        .def_ro("outputs", &DeviceInfo::outputs)
        .def_ro("samplerate", &DeviceInfo::samplerate)
        .def_ro("blocksize", &DeviceInfo::blocksize)
        .def_ro("low_latency", &DeviceInfo::low_latency_s)
        .def_ro("high_latency", &DeviceInfo::high_latency_s)
        .def_ro("is_default", &DeviceInfo::is_default)
        .def_ro("is_default_input", &DeviceInfo::is_default_input);
    nb::class_<DeviceList>(module, "DeviceList", "The devices that can be opened now, and why others are missing.")
        .def_ro("devices", &DeviceList::devices)
        .def_ro("absent", &DeviceList::absent);
}

}  // namespace

void bind_devices(nb::module_& module) {
    bind_once<DeviceRequest, DeviceInfo, DeviceList>(module, &bind_device_types);
    module.def(
        "list_devices",
        [] {
            const WithoutGil without_gil;  // a sound system may answer late
            return list_devices();
        },
        "Return all devices that can be opened now, and why others are missing. An engine that names no device gets "
        "the "
        "first one with is_default.");
    module.def("look_for_portaudio_at", &look_for_portaudio_at, "file"_a,
               "Open this file if PortAudio is found by none of its usual names.");
}

}  // namespace cueline::python
