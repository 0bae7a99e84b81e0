// errors.hpp: raises cueline's Python errors from C++.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <string>

namespace cueline::python {

/// Raises `cueline.errors.<name>`. Do not call it under a mutex, because it runs Python code.
[[noreturn]] void raise(const char* name, const std::string& text);

/// `value` as an error message shows it. Runs the value's __repr__.
std::string shown(nanobind::handle value);

/// Clears the Python exception if it is of this type. Returns whether it was.
bool clear_if(PyObject* type);

/// Turns an exception of the control side into the one of cueline.errors. For nb::register_exception_translator.
void translate(const std::exception_ptr& error, void*);

/// Sets the Python exception for the C++ exception that is being handled.
void set_error() noexcept;

/// Runs `call`, which returns a new reference. Turns a C++ exception into a Python exception.
template <class Call>
PyObject* guarded(const Call& call) noexcept {
    try {
        return call();
    } catch (...) {
        set_error();
    }
    return nullptr;
}

}  // namespace cueline::python
