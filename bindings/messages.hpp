// messages.hpp: messages, and what becomes of an attempt to send one, as Python sees them.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

/// As Python has it: a member of Status. Thread: control, with the GIL.
nanobind::object to_python(cueline::Status status);

/// As Python has it: of the type that its kind has, a Pong for a pong. Thread: control, with the GIL.
nanobind::object to_python(const cueline::Message& message);

/// Adds Status, Message and its types to `module`; the second time in a process, those that are there already.
void bind_messages(nanobind::module_& module);
