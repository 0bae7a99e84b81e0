// messages.hpp: messages, and what becomes of an attempt to send one, as Python sees them.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

#include "message_types.hpp"

/// As Python has it: a member of Status. Thread: control, with the GIL.
nanobind::object to_python(cueline::Status status);

/// Adds Status, Message and what makes types of it to `module`; the second time in a process, those that are there.
void bind_messages(nanobind::module_& module);
