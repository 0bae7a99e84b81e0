// panel.hpp: an engine's parameters and meters, as Python sees them.
#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include "engine.hpp"

/// An engine that Python's views of it hold too: they outlive its Python object, which closes it.
struct SharedEngine {
    std::shared_ptr<cueline::Engine> engine;
};

/// Binds SharedEngine, Parameters, Meters and the specs. Thread: control, with the GIL.
void bind_panel(nanobind::module_& module);
