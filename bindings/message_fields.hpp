// message_fields.hpp: a field of a message: where it lies in the payload, and how Python's values go in and out.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include <cueline/message.hpp>

namespace cueline::python {

/// What a number is to C. The names are those that Python's side knows them by, in this order.
enum class Scalar : std::uint8_t { u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, boolean };

/// So many bytes it has, and it lies at a multiple of them.
std::size_t size_of(Scalar scalar);

/// Its parts are Python's and live as long as the process, as the type does that has it.
struct Field {
    PyObject* name;         // interned
    PyObject* enumeration;  // what a value is given to before Python sees it, or nullptr
    Scalar scalar;
    bool is_array;
    std::uint8_t offset;  // in the payload
    std::uint8_t count;   // of scalars; 1 when it is no array
};

/// Writes what `value` says into the payload.
/// Thread: control, with the GIL; it may run Python (__index__, __float__). Throws nb::python_error: ArgumentError and
/// ArgumentTypeError, with the field's name, what it takes, and the value.
void store(const Field& field, PyObject* value, std::byte* payload);

/// The field's value, a new reference, or nullptr with an exception set. Thread: control, with the GIL.
PyObject* load(const Field& field, const std::byte* payload) noexcept;

/// The field's value as Python would write it; of an f32 as few digits as it takes to tell it from its neighbours.
/// Thread: control, with the GIL.
std::string text(const Field& field, const std::byte* payload);

/// The text of a Python string. Thread: control, with the GIL.
std::string text(nanobind::handle string);

}  // namespace cueline::python
