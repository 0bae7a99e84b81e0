// errors.cpp: cueline's errors, raised from C++.
#include "errors.hpp"

#include <nanobind/stl/string.h>

#include <chrono>
#include <new>
#include <thread>

#include <cueline/error.hpp>

#include "system/utf8.hpp"

namespace cueline::python {

namespace nb = nanobind;

void raise(const char* name, const std::string& text) {
    const nb::object type = nb::module_::import_("cueline").attr(name);
    PyErr_SetString(type.ptr(), text.c_str());
    throw nb::python_error{};
}

std::string shown(nb::handle value) {
    return nb::cast<std::string>(nb::module_::import_("cueline.arguments").attr("shown")(value));
}

bool clear_if(PyObject* type) {
    const bool matches = PyErr_ExceptionMatches(type) != 0;
    if (matches) PyErr_Clear();
    return matches;
}

void translate(const std::exception_ptr& error, void*) {
    // When Python ends, it terminates a daemon thread that requests the GIL, for instance in a user's __index__ that we
    // call. That unwinds our C++ without an exception. Such a thread may go no further: it waits for the process to
    // end.
    while (error == nullptr) std::this_thread::sleep_for(std::chrono::hours{1});
    const auto set = [](const char* name, const std::exception& thrown) {
        // A text may quote another library's.
        PyErr_SetString(nb::module_::import_("cueline").attr(name).ptr(), valid_utf8(thrown.what()).c_str());
    };
    try {
        std::rethrow_exception(error);
    } catch (const ArgumentError& argument) {
        set("ArgumentError", argument);
    } catch (const ProcessorMismatchError& mismatch) {
        set("ProcessorError", mismatch);
    } catch (const DeviceError& device) {
        set("DeviceError", device);
    } catch (const LinesTakenError& taken) {
        set("LinesTakenError", taken);
    } catch (const StreamsTakenError& taken) {
        set("StreamsTakenError", taken);
    } catch (const ClosedError& closed) {
        set("ClosedError", closed);
    } catch (const ForkedError& forked) {
        set("ForkedError", forked);
    }
}

void set_error() noexcept {
    try {
        try {
            throw;
        } catch (nb::python_error& error) {
            error.restore();
        } catch (const std::bad_alloc&) {
            PyErr_NoMemory();
        } catch (...) {
            translate(std::current_exception(), nullptr);
        }
    } catch (nb::python_error& error) {  // from the import of cueline.errors
        error.restore();
    } catch (const std::exception& error) {  // none of ours
        PyErr_SetString(PyExc_RuntimeError, error.what());
    } catch (...) {
        PyErr_SetString(PyExc_SystemError, "C++ threw something that is not a std::exception");
    }
}

}  // namespace cueline::python
