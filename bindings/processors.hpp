// processors.hpp: finds the processor for an engine: one of cueline's by name, or an extension's.
#pragma once

#include <string>

#include <nanobind/nanobind.h>

#include <cueline/engine/owned_processor.hpp>

namespace cueline::python {

/// `given` is a name, or a capsule of cueline::processor_capsule(). Raises ArgumentError, ProcessorError.
OwnedProcessor processor_of(nanobind::handle given);

}  // namespace cueline::python
