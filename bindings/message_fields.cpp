// message_fields.cpp: checks Python's numbers, writes them into a payload, and reads them.
#include "message_fields.hpp"

#include <nanobind/stl/string.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "errors.hpp"
#include "numbers.hpp"

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

/// The numbers that the field takes: those of its declared range, or else those of its type.
template <class Number>
std::string range_of(const Field& field) {
    using Limits = std::numeric_limits<Number>;
    if (!field.has_range) return digits(Limits::lowest()) + " to " + digits(Limits::max());
    return digits(number_at<Number>(field.lowest.data())) + " to " + digits(number_at<Number>(field.highest.data())) +
           (field.takes_nan ? ", or nan" : "");
}

/// Whether `number` is in the declared range. The field has one.
template <class Number>
bool is_within(const Field& field, Number number) noexcept {
    if constexpr (std::is_floating_point_v<Number>) {
        if (std::isnan(number)) return field.takes_nan;
    }
    return number >= number_at<Number>(field.lowest.data()) && number <= number_at<Number>(field.highest.data());
}

template <class Number>
[[noreturn]] void refuse_value(const Element& element, PyObject* value) {
    refuse_range(element.name(), range_of<Number>(element.field), value);
}

template <class Integer>
Integer integer(const Element& element, PyObject* value) {
    nb::object owned;
    PyObject* exact = value;
    if (!PyLong_CheckExact(value)) {
        owned = whole_number(value);
        if (!owned.is_valid()) refuse_type(element.name(), "an integer", value);
        exact = owned.ptr();
    }
    if constexpr (std::is_same_v<Integer, std::uint64_t>) {
        const unsigned long long number = PyLong_AsUnsignedLongLong(exact);
        if (number == ~0ULL && PyErr_Occurred() != nullptr) {
            PyErr_Clear();  // an OverflowError: the value is an int
            refuse_value<Integer>(element, value);
        }
        return number;
    } else {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(exact, &overflow);
        using Limits = std::numeric_limits<Integer>;
        if (overflow != 0 || number < static_cast<long long>(Limits::min()) ||
            number > static_cast<long long>(Limits::max())) {
            refuse_value<Integer>(element, value);
        }
        return static_cast<Integer>(number);
    }
}

template <class Real>
Real real(const Element& element, PyObject* value) {
    const RealNumber number = real_number(value);
    if (number.conversion == Conversion::not_a_number) refuse_type(element.name(), "a number", value);
    if (number.conversion == Conversion::too_large) refuse_value<Real>(element, value);
    // C++ does not define a conversion out of range. IEEE 754 and all compilers give infinity.
    const auto result = static_cast<Real>(number.value);
    if (std::isinf(result) && !std::isinf(number.value)) refuse_value<Real>(element, value);
    return result;
}

bool boolean(const Element& element, PyObject* value) {
    if (value == Py_True) return true;
    if (value == Py_False) return false;
    if (!is_numpy_bool(value)) refuse_type(element.name(), "True or False", value);
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
    if constexpr (!std::is_same_v<Number, bool>) {
        if (element.field.has_range && !is_within(element.field, number)) refuse_value<Number>(element, value);
    }
    std::memcpy(to, &number, sizeof number);
}

/// The length that `sequence` reports. Nothing if it reports none, or more than Py_ssize_t holds.
std::optional<Py_ssize_t> length_of(PyObject* sequence, std::string_view name, std::string_view accepted) {
    const Py_ssize_t length = PyObject_Size(sequence);
    if (length >= 0) return length;
    if (clear_if(PyExc_ValueError)) refuse_type(name, accepted, sequence);  // a memoryview that was released
    if (!clear_if(PyExc_TypeError) && !clear_if(PyExc_OverflowError)) throw nb::python_error{};
    return std::nullopt;
}

void store_array(const Field& field, PyObject* value, std::byte* to) {
    const std::string accepted = "a sequence of " + std::to_string(field.count) + " numbers";
    const Element whole{field, -1};
    const auto refuse_length = [&](const std::string& length) {
        raise("ArgumentError", whole.name() + " must be " + accepted + ", got " + length);
    };
    if (PySequence_Check(value) == 0 || PyUnicode_Check(value)) refuse_type(whole.name(), accepted, value);
    // The length first: a sequence may be long, or have no end.
    const std::optional<Py_ssize_t> length = length_of(value, whole.name(), accepted);
    if (length && std::cmp_not_equal(*length, field.count)) refuse_length(std::to_string(*length));
    const nb::object items = nb::steal(PyObject_GetIter(value));
    if (!items.is_valid()) {
        if (clear_if(PyExc_TypeError)) refuse_type(whole.name(), accepted, value);  // an array without a dimension
        throw nb::python_error{};
    }
    Py_ssize_t index = 0;
    while (const nb::object item = nb::steal(PyIter_Next(items.ptr()))) {
        if (std::cmp_equal(index, field.count)) refuse_length("more");
        with_type(field.scalar, [&]<class Number>(Number) { store_number<Number>({field, index}, item.ptr(), to); });
        to += size_of(field.scalar);
        ++index;
    }
    if (PyErr_Occurred() != nullptr) throw nb::python_error{};
    if (std::cmp_less(index, field.count)) refuse_length(std::to_string(index));
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

void set_range(Field& field, PyObject* lowest, PyObject* highest, bool takes_nan) {
    with_type(field.scalar, [&]<class Number>(Number) {
        store_number<Number>({field, -1}, lowest, field.lowest.data());
        store_number<Number>({field, -1}, highest, field.highest.data());
    });
    field.has_range = true;
    field.takes_nan = takes_nan;
}

bool is_in_range(const Field& field, const std::byte* payload) noexcept {
    if (!field.has_range) return true;
    return with_type(field.scalar, [&]<class Number>(Number) {
        const std::byte* from = payload + field.offset;
        for (unsigned index = 0; index < field.count; ++index, from += sizeof(Number)) {
            if (!is_within(field, number_at<Number>(from))) return false;
        }
        return true;
    });
}

std::string range_problem(const Field& field, const std::byte* payload) {
    return with_type(field.scalar, [&]<class Number>(Number) -> std::string {
        if constexpr (!std::is_same_v<Number, bool>) {  // a bool has no range
            const std::byte* from = payload + field.offset;
            for (unsigned index = 0; index < field.count; ++index, from += sizeof(Number)) {
                if (is_within(field, number_at<Number>(from))) continue;
                const Element element{field, field.is_array ? static_cast<Py_ssize_t>(index) : -1};
                return element.name() + " must be from " + range_of<Number>(field) + ", got " +
                       number_text(field.scalar, from);
            }
        }
        return {};
    });
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
