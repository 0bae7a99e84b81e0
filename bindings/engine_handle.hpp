// engine_handle.hpp: an engine as Python sees it.
#pragma once

#include <nanobind/nanobind.h>

/// Adds Engine to `module`; the second time in a process, the one that is there.
void bind_engine(nanobind::module_& module);
