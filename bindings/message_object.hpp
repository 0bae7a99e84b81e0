// message_object.hpp: a Python object that holds a message, and what all message types have in common.
//
// The types are made with the C API and not with nanobind. The garbage collector would track each instance of a Python
// class that derives from a nanobind class, and nanobind would enter it into a table. Messages come thousands of times
// a second, and need neither: they are only bytes, and cannot be part of a reference cycle.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <type_traits>

#include <cueline/message.hpp>

namespace cueline::python {

struct MessageObject {
    PyObject_HEAD Message message;
};
static_assert(std::is_standard_layout_v<MessageObject>);

inline Message& message_in(PyObject* object) {
    return reinterpret_cast<MessageObject*>(object)->message;  // NOLINT(*-reinterpret-cast): Python's objects
}
inline PyTypeObject* as_type(PyObject* object) {
    return reinterpret_cast<PyTypeObject*>(object);  // NOLINT(*-reinterpret-cast): Python's objects
}
inline PyObject* as_object(PyTypeObject* type) {
    return reinterpret_cast<PyObject*>(type);  // NOLINT(*-reinterpret-cast): Python's objects
}
template <class Function>
void* as_slot(Function* function) {
    return reinterpret_cast<void*>(function);  // NOLINT(*-reinterpret-cast): Python's slots
}

/// The Python type Message, the base of all others. make_message_type() sets it once per process.
inline PyTypeObject* message_type = nullptr;

/// Without a GIL, lets `object`, which lives as long as the process, have no count of references: threads that use it
/// at once would else contend for that count. The calling thread has made it.
inline void count_no_references([[maybe_unused]] PyObject* object) {
#ifdef Py_GIL_DISABLED
    Py_SET_REFCNT(object, Py_ssize_t{1} << 40U);  // Python's way: above 32 bits, an object is immortal
#endif
}

/// The message in `object`, which lives as long as `object`; nullptr if `object` is not a message.
inline const Message* message_of(PyObject* object) noexcept {
    return PyObject_TypeCheck(object, message_type) != 0 ? &message_in(object) : nullptr;
}

/// A new object of message_type or of a type from derive_type(); nullptr with MemoryError set.
PyObject* new_object(PyTypeObject* type, const Message& message);

/// The tp_dealloc of all message types.
void dealloc_message(PyObject* object);

/// Creates message_type, with `new_message` as its tp_new. Raises MemoryError.
void make_message_type(newfunc new_message);

/// A new type from `spec`, derived from message_type. Raises MemoryError.
PyTypeObject* derive_type(PyType_Spec& spec);

/// The name of a type without its module.
std::string name_of(PyTypeObject* type);

/// "sequence=1, frame=0", the line if it is not the engine's own, and the part if it is for one: the end of a repr.
std::string header_text(const Message& message);

}  // namespace cueline::python
