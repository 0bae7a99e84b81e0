// errors.hpp: C++'s errors as Python's.
#pragma once

#include <exception>
#include <string>

/// Raises `cueline.errors.<name>`. Thread: control, with the GIL.
[[noreturn]] void raise(const char* name, const std::string& text);

/// For nb::register_exception_translator: what the control side throws becomes what cueline.errors has for it.
void translate(const std::exception_ptr& error, void*);
