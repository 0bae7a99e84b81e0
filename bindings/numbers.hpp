// numbers.hpp: the one check of numbers that come from Python: for fields of messages, parameters and arguments.
//
// A real number is an int, a float, or another number of Python's or NumPy's that is real: Fraction, Decimal,
// numpy.float32. A bool, a complex number, an array, a masked value, a duration and a text are none.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace cueline::python {

enum class Conversion : std::uint8_t { done, not_a_number, too_large };

struct RealNumber {
    Conversion conversion;
    double value;  // if it is too large: an infinity. If it is done: an infinity only if the Python object is one
};

/// The same as real_number(), for what is not exactly a float.
RealNumber converted(PyObject* value);

/// `value` as a double. May run Python code (__float__), and raises what that raises.
inline RealNumber real_number(PyObject* value) {
    if (PyFloat_CheckExact(value)) return {Conversion::done, PyFloat_AS_DOUBLE(value)};
    return converted(value);
}

/// Whether `value` is NumPy's True or False, which some of its versions take for a number.
bool is_numpy_bool(PyObject* value);

/// `value` as an exact Python int; nothing if it is not an integer. May run Python code (__index__), and raises what
/// that raises.
nanobind::object whole_number(PyObject* value);

/// The shortest text that reads back as this number.
template <class Number>
std::string digits(Number number) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

/// Raises ArgumentTypeError: "`name` must be `accepted`, got `value`".
[[noreturn]] void refuse_type(std::string_view name, std::string_view accepted, nanobind::handle value);

/// Raises ArgumentError: "`name` must be from `range`, got `value`".
[[noreturn]] void refuse_range(std::string_view name, std::string_view range, nanobind::handle value);

/// Adds the functions with which the package's Python code checks numbers.
void bind_numbers(nanobind::module_& module);

}  // namespace cueline::python
