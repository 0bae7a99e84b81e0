// messages.hpp: messages and Status as Python objects.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <string>

#include <cueline/message.hpp>

namespace cueline::python {

/// The member of Python's Status for `status`.
nanobind::object to_python(Status status);

/// A Python object of the class of the message's kind, or of Message if there is no such class. Raises MemoryError.
nanobind::object to_python(const Message& message);

/// Raises ArgumentTypeError: `object` is no message.
[[noreturn]] void refuse_message(nanobind::handle object);

/// Whether each field in the payload of a message of this kind is in its declared range. True if the kind has no class.
/// [any thread, without the GIL]
bool is_in_range(Kind kind, const std::byte* payload) noexcept;

/// Whether is_in_range() can be false for this kind.
bool has_ranges(Kind kind) noexcept;

/// "gain must be from 0 to 1, got 3.0", for the first of these fields that is not in its range.
std::string range_problem(Kind kind, const std::byte* payload);

}  // namespace cueline::python
