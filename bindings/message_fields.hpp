// message_fields.hpp: a field of a message: where it lies in the payload, and how Python reads and writes it.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include <cueline/message.hpp>

namespace cueline::python {

/// The C type of a number. The Python package uses these numbers: keep the order.
enum class Scalar : std::uint8_t { u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, boolean };

/// The size in bytes, which is also the alignment.
std::size_t size_of(Scalar scalar);

/// A field. Its Python objects live as long as the process, and so does the message type that has it.
struct Field {
    PyObject* name;         // interned
    PyObject* enumeration;  // the Enum class of its values, or nullptr
    Scalar scalar;
    bool is_array;
    std::uint8_t offset;  // in the payload
    std::uint8_t count;   // of scalars; 1 if it is not an array
};

/// Writes `value` into the payload. May run Python code (__index__, __float__). Raises ArgumentError and
/// ArgumentTypeError with the field's name, the accepted values, and `value`.
void store(const Field& field, PyObject* value, std::byte* payload);

/// The field's value, as a new reference; nullptr with an exception set.
PyObject* load(const Field& field, const std::byte* payload) noexcept;

/// The field's value as repr() shows it. An f32 has as few digits as tell it from its neighbours.
std::string text(const Field& field, const std::byte* payload);

/// The text of a Python string.
std::string text(nanobind::handle string);

}  // namespace cueline::python
