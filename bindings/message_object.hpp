// message_object.hpp: a Python object that holds a message's 56 bytes, and what all types of them have in common.
//
// These types are not nanobind's: a class that Python derives from one of nanobind's is watched by the garbage
// collector, and each of its instances is entered into a table. A message is bytes, comes thousands of times a second,
// and can be part of no cycle.
//
// All of it: control threads, with the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <new>
#include <string>
#include <type_traits>

#include <cueline/message.hpp>

namespace cueline::python {

struct MessageObject {
    PyObject_HEAD Message message;
};
static_assert(std::is_standard_layout_v<MessageObject>);

inline Message& message_in(PyObject* object) {
    return reinterpret_cast<MessageObject*>(object)->message;  // NOLINT(*-reinterpret-cast): as Python has objects
}
inline PyTypeObject* as_type(PyObject* object) {
    return reinterpret_cast<PyTypeObject*>(object);  // NOLINT(*-reinterpret-cast): as Python has objects
}
inline PyObject* as_object(PyTypeObject* type) {
    return reinterpret_cast<PyObject*>(type);  // NOLINT(*-reinterpret-cast): as Python has objects
}
template <class Function>
void* as_slot(Function* function) {
    return reinterpret_cast<void*>(function);  // NOLINT(*-reinterpret-cast): as Python has slots
}

/// The type Message, from which all others derive. Set once a process, by make_message_type().
inline PyTypeObject* message_type = nullptr;

/// The message that `object` holds, or nullptr when it is none. It lives as long as `object`.
inline const Message* message_of(PyObject* object) noexcept {
    return PyObject_TypeCheck(object, message_type) != 0 ? &message_in(object) : nullptr;
}

/// A new object of message_type or of one that derived_type() made; nullptr with MemoryError set.
PyObject* new_object(PyTypeObject* type, const Message& message);

/// tp_dealloc of each of the types.
void dealloc_message(PyObject* object);

/// Makes message_type: `make` is its tp_new. Raises MemoryError.
void make_message_type(newfunc make);

/// A new type after `spec`, derived from message_type. Raises MemoryError.
PyTypeObject* derived_type(PyType_Spec& spec);

/// The name of a type, without its module.
std::string name_of(PyTypeObject* type);

/// "sequence=1, frame=0", and the line where it is not the engine's own: what a message's repr says beside its fields.
std::string numbers_of(const Message& message);

/// Runs `call`, which returns a new reference; what it throws becomes Python's exception.
template <class Call>
PyObject* guarded(const Call& call) noexcept {
    try {
        return call();
    } catch (nanobind::python_error& error) {
        error.restore();
    } catch (const std::bad_alloc&) {
        PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_SystemError, error.what());
    }
    return nullptr;
}

}  // namespace cueline::python
