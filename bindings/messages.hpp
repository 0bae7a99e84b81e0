// messages.hpp: messages and Status as Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

namespace cueline::python {

/// The member of Python's Status for `status`.
nanobind::object to_python(Status status);

/// A Python object of the class of the message's kind, or of Message if there is no such class. Raises MemoryError.
nanobind::object to_python(const Message& message);

}  // namespace cueline::python
