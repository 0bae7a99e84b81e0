// processors.hpp: the processor that an engine is asked for: one of cueline's by its name, or an extension's.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>

#include <cueline/processor.hpp>

namespace cueline::python {

struct NamedProcessor {
    std::shared_ptr<Processor> processor;
    std::string name;
};

/// `given` is a name, or a capsule of cueline::processor_capsule(). Raises ArgumentError, ProcessorError.
/// Thread: control, with the GIL.
NamedProcessor processor_of(nanobind::handle given);

}  // namespace cueline::python
