// messages.hpp: messages, and what becomes of an attempt to send one, as Python sees them.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

namespace cueline::python {

/// As Python has it: a member of Status. Thread: control, with the GIL.
nanobind::object to_python(Status status);

/// A Python object that holds `message`, of the type that its kind has: plain Message where it has none.
/// Thread: control, with the GIL. Raises MemoryError.
nanobind::object to_python(const Message& message);

}  // namespace cueline::python
