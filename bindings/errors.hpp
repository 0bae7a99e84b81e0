// errors.hpp: C++'s errors as Python's.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <string>

namespace cueline::python {

/// Raises `cueline.errors.<name>`. Thread: control, with the GIL.
[[noreturn]] void raise(const char* name, const std::string& text);

/// `value` as a refusal shows it. Thread: control, with the GIL; it runs the value's __repr__.
std::string shown(nanobind::handle value);

/// For nb::register_exception_translator: what the control side throws becomes what cueline.errors has for it.
void translate(const std::exception_ptr& error, void*);

}  // namespace cueline::python
