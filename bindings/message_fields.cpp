// message_fields.cpp: checks Python's numbers, writes them into a payload, and reads them.
#include "message_fields.hpp"

#include <nanobind/stl/string.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "errors.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

/// Calls `call` with a zero of the C type of `scalar`.
template <class Call>
decltype(auto) with_type(Scalar scalar, const Call& call) {
    switch (scalar) {
        case Scalar::u8:
            return call(std::uint8_t{});
        case Scalar::u16:
            return call(std::uint16_t{});
        case Scalar::u32:
            return call(std::uint32_t{});
        case Scalar::u64:
            return call(std::uint64_t{});
        case Scalar::i8:
            return call(std::int8_t{});
        case Scalar::i16:
            return call(std::int16_t{});
        case Scalar::i32:
            return call(std::int32_t{});
        case Scalar::i64:
            return call(std::int64_t{});
        case Scalar::f32:
            return call(float{});
        case Scalar::f64:
            return call(double{});
        case Scalar::boolean:
            break;
    }
    return call(bool{});
}

/// A number in a field, as error messages name it. `index` is -1 if the field is not an array.
struct Element {
    const Field& field;
    Py_ssize_t index;

    [[nodiscard]] std::string name() const {
        const std::string name = text(nb::handle{field.name});
        return index < 0 ? name : name + "[" + std::to_string(index) + "]";
    }
};

[[noreturn]] void refuse_type(const Element& element, std::string_view accepted, PyObject* value) {
    raise("ArgumentTypeError", element.name() + " must be " + std::string{accepted} + ", got " + shown(value));
}

template <class Number>
std::string digits(Number number) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

template <class Number>
[[noreturn]] void refuse_range(const Element& element, PyObject* value) {
    using Limits = std::numeric_limits<Number>;
    raise("ArgumentError", element.name() + " must be from " + digits(Limits::lowest()) + " to " +
                               digits(Limits::max()) + ", got " + shown(value));
}

/// Clears the Python exception if it is of this type. Returns whether it was.
bool clear_if(PyObject* exception) {
    const bool matches = PyErr_ExceptionMatches(exception) != 0;
    if (matches) PyErr_Clear();
    return matches;
}

template <class Integer>
Integer integer(const Element& element, PyObject* value) {
    nb::object owned;
    PyObject* exact = value;
    if (!PyLong_CheckExact(value)) {  // a bool is an integer too, but a field of integers refuses it
        if (PyBool_Check(value) || !PyIndex_Check(value)) refuse_type(element, "an integer", value);
        owned = nb::steal(PyNumber_Index(value));
        if (!owned.is_valid()) throw nb::python_error{};
        exact = owned.ptr();
    }
    if constexpr (std::is_same_v<Integer, std::uint64_t>) {
        const unsigned long long number = PyLong_AsUnsignedLongLong(exact);
        if (number == ~0ULL && PyErr_Occurred() != nullptr) {
            PyErr_Clear();  // an OverflowError: the value is an int
            refuse_range<Integer>(element, value);
        }
        return number;
    } else {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(exact, &overflow);
        using Limits = std::numeric_limits<Integer>;
        if (overflow != 0 || number < static_cast<long long>(Limits::min()) ||
            number > static_cast<long long>(Limits::max())) {
            refuse_range<Integer>(element, value);
        }
        return static_cast<Integer>(number);
    }
}

double real_number(const Element& element, PyObject* value) {
    if (PyFloat_CheckExact(value)) return PyFloat_AS_DOUBLE(value);
    if (PyBool_Check(value)) refuse_type(element, "a number", value);
    const double number = PyFloat_AsDouble(value);  // uses __float__ or __index__; refuses text
    if (number == -1 && PyErr_Occurred() != nullptr) {
        if (clear_if(PyExc_TypeError)) refuse_type(element, "a number", value);
        if (clear_if(PyExc_OverflowError)) return std::numeric_limits<double>::infinity();
        throw nb::python_error{};
    }
    return number;
}

/// Whether `value` is an infinity itself, and not a number too large for the field.
bool is_infinity(PyObject* value) {
    if (PyLong_Check(value)) return false;
    const double number = PyFloat_AsDouble(value);
    PyErr_Clear();
    return std::isinf(number);
}

template <class Real>
Real real(const Element& element, PyObject* value) {
    const double number = real_number(element, value);
    // C++ does not define a conversion out of range. IEEE 754 and all compilers give infinity.
    const auto converted = static_cast<Real>(number);
    if (std::isinf(converted) && !is_infinity(value)) refuse_range<Real>(element, value);
    return converted;
}

bool boolean(const Element& element, PyObject* value) {
    if (value == Py_True) return true;
    if (value == Py_False) return false;
    const std::string_view type = Py_TYPE(value)->tp_name;
    if (type != "numpy.bool" && type != "numpy.bool_") refuse_type(element, "True or False", value);
    return PyObject_IsTrue(value) == 1;
}

template <class Number>
void store_number(const Element& element, PyObject* value, std::byte* to) {
    Number number{};
    if constexpr (std::is_same_v<Number, bool>) {
        number = boolean(element, value);
    } else if constexpr (std::is_floating_point_v<Number>) {
        number = real<Number>(element, value);
    } else {
        number = integer<Number>(element, value);
    }
    std::memcpy(to, &number, sizeof number);
}

void store_array(const Field& field, PyObject* value, std::byte* to) {
    const std::string accepted = "a sequence of " + std::to_string(field.count) + " numbers";
    const Element whole{field, -1};
    if (PySequence_Check(value) == 0 || PyUnicode_Check(value)) refuse_type(whole, accepted, value);
    const nb::object items = nb::steal(PySequence_Tuple(value));
    if (!items.is_valid()) throw nb::python_error{};
    const Py_ssize_t count = PyTuple_GET_SIZE(items.ptr());
    if (std::cmp_not_equal(count, field.count)) {
        raise("ArgumentError", whole.name() + " must be " + accepted + ", got " + std::to_string(count));
    }
    const std::size_t step = size_of(field.scalar);
    for (Py_ssize_t index = 0; index < count; ++index) {
        with_type(field.scalar, [&]<class Number>(Number) {
            store_number<Number>({field, index}, PyTuple_GET_ITEM(items.ptr(), index), to);
        });
        to += step;
    }
}

template <class Number>
Number number_at(const std::byte* from) {
    if constexpr (std::is_same_v<Number, bool>) {
        return *from != std::byte{0};  // a C++ sender may have left any byte
    } else {
        Number number{};
        std::memcpy(&number, from, sizeof number);
        return number;
    }
}

PyObject* load_number(Scalar scalar, const std::byte* from) {
    return with_type(scalar, [from]<class Number>(Number) -> PyObject* {
        const auto number = number_at<Number>(from);
        if constexpr (std::is_same_v<Number, bool>)
            return PyBool_FromLong(number ? 1 : 0);
        else if constexpr (std::is_floating_point_v<Number>)
            return PyFloat_FromDouble(number);
        else if constexpr (std::is_signed_v<Number>)
            return PyLong_FromLongLong(number);
        else
            return PyLong_FromUnsignedLongLong(number);
    });
}

std::string number_text(Scalar scalar, const std::byte* from) {
    return with_type(scalar, [from]<class Number>(Number) -> std::string {
        const auto number = number_at<Number>(from);
        if constexpr (std::is_same_v<Number, bool>) {
            return number ? "True" : "False";
        } else if constexpr (std::is_same_v<Number, float>) {
            std::string text = digits(number);  // or "inf", "-inf", "nan", "-nan"
            if (std::isnan(number)) return "nan";
            if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
            return text;
        } else if constexpr (std::is_same_v<Number, double>) {
            return nb::cast<std::string>(nb::repr(nb::float_{number}));
        } else {
            return std::to_string(number);
        }
    });
}

}  // namespace

std::size_t size_of(Scalar scalar) {
    return with_type(scalar, []<class Number>(Number) { return sizeof(Number); });
}

void store(const Field& field, PyObject* value, std::byte* payload) {
    std::byte* to = payload + field.offset;
    if (field.is_array) {
        store_array(field, value, to);
        return;
    }
    with_type(field.scalar, [&]<class Number>(Number) { store_number<Number>({field, -1}, value, to); });
}

PyObject* load(const Field& field, const std::byte* payload) noexcept {
    const std::byte* from = payload + field.offset;
    if (field.is_array) {
        PyObject* tuple = PyTuple_New(field.count);
        for (Py_ssize_t index = 0; tuple != nullptr && std::cmp_less(index, field.count); ++index) {
            PyObject* number = load_number(field.scalar, from);
            if (number == nullptr)
                Py_CLEAR(tuple);
            else
                PyTuple_SET_ITEM(tuple, index, number);
            from += size_of(field.scalar);
        }
        return tuple;
    }
    PyObject* number = load_number(field.scalar, from);
    if (field.enumeration == nullptr || number == nullptr) return number;
    PyObject* member = PyObject_CallOneArg(field.enumeration, number);
    if (member == nullptr && clear_if(PyExc_ValueError)) return number;  // not a member of the Enum
    Py_DECREF(number);
    return member;
}

std::string text(const Field& field, const std::byte* payload) {
    if (field.enumeration != nullptr) {
        const nb::object value = nb::steal(load(field, payload));
        if (!value.is_valid()) throw nb::python_error{};
        return nb::cast<std::string>(nb::repr(value));
    }
    const std::byte* from = payload + field.offset;
    if (!field.is_array) return number_text(field.scalar, from);
    std::string numbers;
    for (unsigned index = 0; index < field.count; ++index) {
        if (index > 0) numbers += ", ";
        numbers += number_text(field.scalar, from + index * size_of(field.scalar));
    }
    return "(" + numbers + (field.count == 1 ? ",)" : ")");
}

std::string text(nb::handle string) {
    return nb::cast<std::string>(string);
}

}  // namespace cueline::python
