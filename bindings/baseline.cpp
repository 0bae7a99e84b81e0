// baseline.cpp: _core._Baseline: empty calls, for `cueline bench` to compare cueline's calls with.
#include <nanobind/nanobind.h>

#include <cueline/monotonic.hpp>

#include "bindings.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

struct Baseline {};

const char* compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

void bind_baseline_types(nb::module_& module) {
    nb::class_<Baseline>(
        module, "_Baseline",
        "The least that a call into a compiled module can cost. `cueline bench` compares cueline's calls with it.")
        .def(nb::init<>())
        .def(
            "nothing", [](const Baseline&) {}, "Do nothing.")
        .def(
            "clock", [](const Baseline&) { static_cast<void>(monotonic_ns()); },
            "Read the clock that ping() reads, and discard the time.")
        .def_static("compiler", &compiler, "Return the name and version of the compiler of this module.");
}

}  // namespace

void bind_baseline(nb::module_& module) {
    bind_once<Baseline>(module, &bind_baseline_types);
}

}  // namespace cueline::python
