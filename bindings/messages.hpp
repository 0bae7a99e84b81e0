// messages.hpp: messages and Status as Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

namespace cueline::python {

/// The member of Python's Status.
nanobind::object to_python(Status status);

/// A Python object of the class that the message's kind has, or of Message. Raises MemoryError.
nanobind::object to_python(const Message& message);

}  // namespace cueline::python
