// baseline.cpp: _core._Baseline: the calls that cueline's own are measured against.
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

}  // namespace

void bind_baseline(nb::module_& module) {
    if (const nb::handle bound = nb::type<Baseline>(); bound.is_valid()) {
        module.attr("_Baseline") = bound;
        return;
    }
    nb::class_<Baseline>(
        module, "_Baseline",
        "What a call costs at least: the limits that `cueline bench` measures cueline's calls against.")
        .def(nb::init<>())
        .def(
            "nothing", [](const Baseline&) {}, "Do nothing.")
        .def(
            "clock", [](const Baseline&) { static_cast<void>(monotonic_ns()); },
            "Read the clock that ping() reads, and do nothing with it.")
        .def_static("compiler", &compiler, "Return the name and version of what compiled this module.");
}

}  // namespace cueline::python
