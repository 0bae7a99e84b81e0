// message_object.cpp: Message: its numbers, equality, hash, repr, copies and pickles.
#include "message_object.hpp"

#include <nanobind/stl/string.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "errors.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

template <auto member>
PyObject* get_number(PyObject* self, void*) noexcept {
    return PyLong_FromUnsignedLongLong(message_in(self).*member);
}

PyObject* get_payload(PyObject* self, void*) noexcept {
    std::array<char, payload_bytes> bytes{};
    std::memcpy(bytes.data(), message_in(self).payload.data(), bytes.size());
    return PyBytes_FromStringAndSize(bytes.data(), bytes.size());
}

bool same(const Message& left, const Message& right) {
    return left.kind == right.kind && left.line == right.line && left.sequence == right.sequence &&
           left.frame == right.frame && left.payload == right.payload && part_of(left.flags) == part_of(right.flags);
}

PyObject* compare(PyObject* self, PyObject* other, int operation) noexcept {
    const Message* right = message_of(other);
    if (right == nullptr || (operation != Py_EQ && operation != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong(same(message_in(self), *right) == (operation == Py_EQ) ? 1 : 0);
}

Py_hash_t hash(PyObject* self) noexcept {
    // FNV-1a, a word at a time, of the members that same() compares.
    const Message& message = message_in(self);
    std::array<std::uint64_t, 5> words{};
    std::memcpy(words.data(), message.payload.data(), sizeof words);
    std::uint64_t mixed = 0xcbf29ce484222325U;
    const auto mix = [&mixed](std::uint64_t word) {
        mixed = (mixed ^ word) * 0x100000001b3U;
        mixed ^= mixed >> 32U;  // carries the high bits of a word to the low ones
    };
    mix(std::uint64_t{part_of(message.flags)} << 56U | std::uint64_t{message.line} << 48U |
        std::uint64_t{message.kind} << 32U | message.sequence);
    mix(message.frame);
    for (const std::uint64_t word : words) mix(word);
    const auto hashed = static_cast<Py_hash_t>(mixed);
    return hashed == -1 ? -2 : hashed;  // -1 means an error to Python
}

PyObject* repr(PyObject* self) noexcept {
    return guarded([self] {
        const Message& message = message_in(self);
        const std::string kind = "kind=" + std::to_string(message.kind);
        return nb::cast(name_of(Py_TYPE(self)) + "(" + kind + ", " + header_text(message) + ")").release().ptr();
    });
}

PyObject* return_self(PyObject* self, PyObject*) noexcept {
    return Py_NewRef(self);
}

/// For pickle: the function that restores a message, with its type and its bytes.
PyObject* reduce(PyObject* self, PyObject*) noexcept {
    return guarded([self] {
        const nb::object restore = nb::module_::import_("cueline.typed").attr("unpickled");
        const Message& message = message_in(self);
        return nb::make_tuple(restore,
                              nb::make_tuple(nb::handle{as_object(Py_TYPE(self))}, nb::bytes{&message, sizeof message}))
            .release()
            .ptr();
    });
}

PyTypeObject* make_type(PyType_Spec& spec, const nb::object& bases) {
    PyObject* type = PyType_FromSpecWithBases(&spec, bases.ptr());
    if (type == nullptr) throw nb::python_error{};
    count_no_references(type);
    return as_type(type);
}

}  // namespace

PyObject* new_object(PyTypeObject* type, const Message& message) {
    auto* object = PyObject_New(MessageObject, type);
    if (object == nullptr) return nullptr;
    object->message = message;
    return &object->ob_base;
}

void dealloc_message(PyObject* object) {
    PyTypeObject* type = Py_TYPE(object);
    type->tp_free(object);
    Py_DECREF(as_object(type));
}

PyTypeObject* derive_type(PyType_Spec& spec) {
    return make_type(spec, nb::make_tuple(nb::handle{as_object(message_type)}));
}

void make_message_type(newfunc new_message) {
    static std::array<PyGetSetDef, 7> getters{{
        {"kind", &get_number<&Message::kind>, nullptr, "The kind: cueline's own are below 256, the user's from 256 on.",
         nullptr},
        {"sequence", &get_number<&Message::sequence>, nullptr,
         "A command's number on its line, set when it is sent. In an event: the command that it answers, or 0.",
         nullptr},
        {"frame", &get_number<&Message::frame>, nullptr,
         "The frame at which a command applies; 0: as soon as it is read. In an event: the frame it is from.", nullptr},
        {"flags", &get_number<&Message::flags>, nullptr, "The flags of a command's delivery.", nullptr},
        {"line", &get_number<&Message::line>, nullptr, "The number of its line; 0 is the engine's own.", nullptr},
        {"payload", &get_payload, nullptr, "The 40 bytes of payload.", nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    }};
    static std::array<PyMethodDef, 4> methods{{
        {"__copy__", &return_self, METH_NOARGS, nullptr},
        {"__deepcopy__", &return_self, METH_O, nullptr},
        {"__reduce__", &reduce, METH_NOARGS, nullptr},
        {nullptr, nullptr, 0, nullptr},
    }};
    static constexpr const char* doc =
        "Message(kind, payload=b\"\")\n--\n\n"
        "A command or an event. It is immutable.\n\n"
        "Create one from a kind and up to 40 bytes. If the kind has a class, it is an object of that class: see\n"
        "cueline.message.";
    std::array<PyType_Slot, 9> slots{{
        {Py_tp_new, as_slot(new_message)},
        {Py_tp_dealloc, as_slot(&dealloc_message)},
        {Py_tp_repr, as_slot(&repr)},
        {Py_tp_hash, as_slot(&hash)},
        {Py_tp_richcompare, as_slot(&compare)},
        {Py_tp_getset, getters.data()},
        {Py_tp_methods, methods.data()},
        {Py_tp_doc, const_cast<char*>(doc)},  // NOLINT(*-const-cast): Python copies it
        {0, nullptr},
    }};
    PyType_Spec spec{"cueline._core.Message", sizeof(MessageObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                     slots.data()};
    message_type = make_type(spec, {});
}

std::string name_of(PyTypeObject* type) {
    return nb::cast<std::string>(nb::handle{as_object(type)}.attr("__name__"));
}

std::string header_text(const Message& message) {
    const std::string line = message.line == 0 ? "" : ", line=" + std::to_string(message.line);
    const std::size_t part = part_of(message.flags);
    return "sequence=" + std::to_string(message.sequence) + ", frame=" + std::to_string(message.frame) + line +
           (part == 0 ? "" : ", part=" + std::to_string(part));
}

}  // namespace cueline::python
