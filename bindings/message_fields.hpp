// message_fields.hpp: a field of a message: where it lies in the payload, and how Python reads and writes it.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
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
    PyObject* name;                   // interned
    PyObject* enumeration;            // the Enum class of its values, or nullptr
    std::array<std::byte, 8> lowest;  // the declared range, as two numbers of type `scalar`
    std::array<std::byte, 8> highest;
    Scalar scalar;
    bool is_array;
    bool has_range;
    bool takes_nan;       // beside its range
    std::uint8_t offset;  // in the payload
    std::uint8_t count;   // of scalars; 1 if it is not an array
};

/// Writes `value` into the payload. May run Python code (__index__, __float__). Raises ArgumentError and
/// ArgumentTypeError with the field's name, the accepted values, and `value`.
void store(const Field& field, PyObject* value, std::byte* payload);

/// Declares a range for the numbers of `field`, which has none yet. Raises ArgumentError and ArgumentTypeError for an
/// end that is no number of the field's type.
void set_range(Field& field, PyObject* lowest, PyObject* highest, bool takes_nan);

/// Whether each number of the field is in its declared range. [any thread, without the GIL]
bool is_in_range(const Field& field, const std::byte* payload) noexcept;

/// "gain must be from 0 to 1, got 3.0", for the first number of the field that is not in its declared range.
std::string range_problem(const Field& field, const std::byte* payload);

/// The field's value, as a new reference; nullptr with an exception set.
PyObject* load(const Field& field, const std::byte* payload) noexcept;

/// The field's value as repr() shows it. An f32 has as few digits as tell it from its neighbours.
std::string text(const Field& field, const std::byte* payload);

/// The text of a Python string.
std::string text(nanobind::handle string);

}  // namespace cueline::python
