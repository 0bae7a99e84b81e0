// baseline.hpp: what a call into a compiled module costs at least, for benchmarks to compare with.
#pragma once

#include <nanobind/nanobind.h>

/// Adds the private class `_Baseline` to `module`; the second time in a process, the class that is there already.
void bind_baseline(nanobind::module_& module);
