// counts.hpp: what an engine counted, as Python sees it.
#pragma once

#include <nanobind/nanobind.h>

/// Adds RingStats, CueStats, BufferStats and EngineStats to `module`; the second time in a process, those that are
/// there.
void bind_stats(nanobind::module_& module);
