// counts.hpp: what an engine counted, as Python sees it.
#pragma once

#include <nanobind/nanobind.h>

/// Adds RingCounts, CueCounts, BufferCounts and EngineStats to `module`; the second time in a process, those that are
/// there.
void bind_counts(nanobind::module_& module);
