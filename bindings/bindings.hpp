// bindings.hpp: what puts cueline's types and functions into the module, one function a file.
//
// Each may be called once an import. Types are bound once a process, live as long, and are imported afresh as often as
// somebody empties sys.modules: the second time, the module gets those that are there.
#pragma once

#include <nanobind/nanobind.h>

namespace cueline::python {

/// Status, Message, and what makes types of it.
void bind_messages(nanobind::module_& module);

/// DeviceRequest, DeviceInfo and list_devices().
void bind_devices(nanobind::module_& module);

/// Sender and Line.
void bind_senders(nanobind::module_& module);

/// Parameters and Meters.
void bind_processor_controls(nanobind::module_& module);

/// RingStats, CueStats, BufferStats and EngineStats.
void bind_stats(nanobind::module_& module);

/// What makes processors of C functions.
void bind_processors(nanobind::module_& module);

/// Engine. After bind_senders(): it derives from Sender.
void bind_engine(nanobind::module_& module);

/// _Baseline: what a call into a compiled module costs at least, for benchmarks to compare with.
void bind_baseline(nanobind::module_& module);

}  // namespace cueline::python
