// numbers.cpp: tells numbers from other Python objects, and converts them.
#include "numbers.hpp"

#include <atomic>
#include <cmath>
#include <limits>

#include "errors.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Whether `value` is an instance of this class of the standard library's module numbers, which is imported late.
bool is_of(PyObject* value, const char* name, std::atomic<PyObject*>& found) {
    // Acquire pairs with the release below: the class is complete. Two threads may both store it: it is the same one.
    PyObject* type = found.load(std::memory_order_acquire);
    if (type == nullptr) {
        type =
            nb::object{nb::module_::import_("numbers").attr(name)}.release().ptr();  // it lives as long as the process
        found.store(type, std::memory_order_release);
    }
    const int is = PyObject_IsInstance(value, type);
    if (is < 0) throw nb::python_error{};
    return is == 1;
}

std::string_view type_name(PyObject* value) {
    return Py_TYPE(value)->tp_name;
}

/// NumPy counts a duration as an integer.
bool is_duration(PyObject* value) {
    return type_name(value) == "numpy.timedelta64";
}

/// Whether it is a numpy.float32, numpy.int64 or similar. Compares names, which is quicker than the classes of
/// `numbers`.
bool is_common_numpy_number(PyObject* value) {
    const std::string_view name = type_name(value);
    return name.starts_with("numpy.float") || name.starts_with("numpy.int") || name.starts_with("numpy.uint");
}

bool is_real(PyObject* value) {
    static std::atomic<PyObject*> real{};
    static std::atomic<PyObject*> complex{};
    static std::atomic<PyObject*> number{};
    if (is_common_numpy_number(value)) return true;
    if (is_of(value, "Real", real)) return !is_duration(value);
    // A Decimal is a Number and nothing more.
    return is_of(value, "Number", number) && !is_of(value, "Complex", complex);
}

/// For a `value` that is too large for a double.
RealNumber too_large(PyObject* value) {
    const int negative = PyObject_RichCompareBool(value, nb::int_(0).ptr(), Py_LT);
    if (negative < 0) throw nb::python_error{};
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return {Conversion::too_large, negative == 1 ? -infinity : infinity};
}

}  // namespace

RealNumber converted(PyObject* value) {
    if (PyFloat_Check(value)) return {Conversion::done, PyFloat_AS_DOUBLE(value)};  // numpy.float64 is a float
    const bool is_int = PyLong_Check(value);
    if (is_int ? PyBool_Check(value) != 0 : !is_real(value)) return {Conversion::not_a_number, 0};
    const double number = is_int ? PyLong_AsDouble(value) : PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred() != nullptr) {
        if (clear_if(PyExc_OverflowError)) return too_large(value);
        // Decimal("sNaN") raises ValueError.
        if (clear_if(PyExc_TypeError) || clear_if(PyExc_ValueError)) return {Conversion::not_a_number, 0};
        throw nb::python_error{};
    }
    if (std::isinf(number)) {  // a numpy.longdouble and a Decimal can be larger than every double
        const int same = PyObject_RichCompareBool(value, nb::float_(number).ptr(), Py_EQ);
        if (same < 0) throw nb::python_error{};
        if (same == 0) return {Conversion::too_large, number};
    }
    return {Conversion::done, number};
}

bool is_numpy_bool(PyObject* value) {
    return type_name(value) == "numpy.bool" || type_name(value) == "numpy.bool_";
}

nb::object whole_number(PyObject* value) {
    if (PyBool_Check(value) || PyIndex_Check(value) == 0 || is_numpy_bool(value) || is_duration(value)) return {};
    // An array has __index__ too, and a masked one returns the number under the mask.
    if (!PyLong_Check(value) && PySequence_Check(value) != 0) return {};
    nb::object number = nb::steal(PyNumber_Index(value));
    if (!number.is_valid() && !clear_if(PyExc_TypeError)) throw nb::python_error{};
    return number;
}

void refuse_type(std::string_view name, std::string_view accepted, nb::handle value) {
    raise("ArgumentTypeError", std::string{name}.append(" must be ").append(accepted) + ", got " + shown(value));
}

void refuse_range(std::string_view name, std::string_view range, nb::handle value) {
    raise("ArgumentError", std::string{name}.append(" must be from ").append(range) + ", got " + shown(value));
}

void bind_numbers(nb::module_& module) {
    module.def(
        "_real_number",
        [](nb::handle value) -> nb::object {
            const RealNumber real = real_number(value.ptr());
            if (real.conversion == Conversion::not_a_number) return nb::none();
            return nb::float_(real.value);
        },
        "value"_a.none(), nb::sig("def _real_number(value: object) -> float | None"),
        "Return a real number as a float: an infinity if it is too large for one. Return None for anything else.");
    module.def(
        "_whole_number",
        [](nb::handle value) -> nb::object {
            const nb::object number = whole_number(value.ptr());
            return number.is_valid() ? number : nb::none();
        },
        "value"_a.none(), nb::sig("def _whole_number(value: object) -> int | None"),
        "Return an integer as an int, or None for anything else.");
}

}  // namespace cueline::python
