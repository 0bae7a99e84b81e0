// processors.hpp: the processor that a user asks an engine for: one of cueline's by name, or an extension's.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/engine/owned_processor.hpp>

namespace cueline::python {

/// `given` is a name, or a capsule of cueline::processor_capsule(). Raises ArgumentError, ProcessorError.
OwnedProcessor processor_of(nanobind::handle given);

/// Decodes text of an extension, whatever its bytes are.
std::string printable(const char* text);

}  // namespace cueline::python
