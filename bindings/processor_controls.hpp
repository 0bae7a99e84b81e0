// panel.hpp: an engine's parameters and meters, as Python sees them.
#pragma once

#include <nanobind/nanobind.h>

/// Binds Parameters, Meters and the specs. Thread: control, with the GIL.
void bind_processor_controls(nanobind::module_& module);
