// messages.cpp: Status, and a type of messages for each kind: it knows its fields.
//
// A type that was made for a kind lives as long as the process, and so does its Layout.
#include "messages.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "errors.hpp"
#include "message_fields.hpp"
#include "message_object.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// --- Status ------------------------------------------------------------------------------------------------------

// What nanobind would look up for every call. Set once, as the types are bound, and kept to the end of the process.
std::array<PyObject*, 3> statuses{};  // Status.OK, FULL and EMPTY, by their numbers
nb::handle status_type;

void bind_status(nb::module_& module) {
    nb::enum_<Status>(module, "Status", nb::is_arithmetic(), "What became of an attempt.")
        .value("OK", Status::ok)
        .value("FULL", Status::full, "Refused, nothing changed: the ring holds all it can.")
        .value("EMPTY", Status::empty, "Nothing to take.");
    status_type = nb::type<Status>().inc_ref();
    for (const Status status : {Status::ok, Status::full, Status::empty}) {
        statuses.at(static_cast<std::size_t>(status)) = nb::cast(status).release().ptr();
    }
}

// --- Layouts -----------------------------------------------------------------------------------------------------

/// What a message of some kind carries. Its first member is what the type keeps an address of.
struct Layout {
    std::array<PyGetSetDef, payload_bytes + 1> getters;  // one a field, and a zero one
    std::array<Field, payload_bytes> all_fields;
    Message initial;                           // its kind, and the defaults
    std::array<std::uint64_t, 5> significant;  // ones where a field is: what else came is not looked at
    std::uint64_t required;                    // a bit for each field that has no default
    std::size_t field_count;
    bool has_truths;
    PyObject* signature;  // as a refusal shows it: "SetTone(voice, gain=0.2)"
    const char* name;     // with its module

    [[nodiscard]] std::span<const Field> fields() const { return {all_fields.data(), field_count}; }
};
static_assert(std::is_standard_layout_v<Layout>);
static_assert(sizeof(Layout::significant) == payload_bytes);

std::array<std::atomic<PyTypeObject*>, std::numeric_limits<Kind>::max() + 1U> type_of_kind{};  // or nullptr

PyTypeObject* type_for(Kind kind) {
    return type_of_kind.at(kind).load(std::memory_order_acquire);  // with define()'s release: the type is whole
}

/// The layout of a type that was made for a kind. Its getters were put into the type and stand first in its layout.
const Layout& layout_of(PyTypeObject* type) {
    return *reinterpret_cast<const Layout*>(type->tp_getset);  // NOLINT(*-reinterpret-cast)
}

nb::object checked(PyObject* made) {
    if (made == nullptr) throw nb::python_error{};
    return nb::steal(made);
}

// --- Construction ------------------------------------------------------------------------------------------------

std::string signature(const Layout& layout) {
    return text(nb::handle{layout.signature});
}

/// The place of the field of this name, looking first where it is expected.
std::size_t place_of(PyTypeObject* type, const Layout& layout, PyObject* name, std::size_t expected) {
    const std::span<const Field> fields = layout.fields();
    if (expected < fields.size() && fields[expected].name == name) return expected;
    const auto same = std::ranges::find(fields, name, &Field::name);
    if (same != fields.end()) return static_cast<std::size_t>(same - fields.begin());
    const bool is_text = PyUnicode_Check(name) != 0;  // __new__(cls, **{1: 2}) comes as far as this
    const auto equal = std::ranges::find_if(
        fields, [=](const Field& field) { return is_text && PyUnicode_Compare(field.name, name) == 0; });
    if (equal != fields.end()) return static_cast<std::size_t>(equal - fields.begin());
    raise("ArgumentTypeError", name_of(type) + " has no field " + shown(name) + ": " + signature(layout));
}

[[noreturn]] void refuse_count(PyTypeObject* type, const Layout& layout, std::size_t given) {
    raise("ArgumentTypeError", name_of(type) + " has " + std::to_string(layout.field_count) + " fields, got " +
                                   std::to_string(given) + " values: " + signature(layout));
}

[[noreturn]] void refuse_missing(PyTypeObject* type, const Layout& layout, std::uint64_t missing) {
    std::string names;
    for (std::size_t place = 0; place < layout.field_count; ++place) {
        if ((missing >> place & 1U) == 0) continue;
        if (!names.empty()) names += ", ";
        names += text(nb::handle{layout.fields()[place].name});
    }
    raise("ArgumentTypeError", name_of(type) + " needs " + names + ": " + signature(layout));
}

/// A message of a kind that has a type: the first values by their places, the rest by `names`, a tuple or nullptr.
PyObject* construct_kind(PyTypeObject* type, std::span<PyObject* const> values, PyObject* names) {
    const Layout& layout = layout_of(type);
    const std::size_t named = names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names));
    const std::size_t placed = values.size() - named;
    if (placed > layout.field_count) refuse_count(type, layout, placed);
    Message message = layout.initial;
    for (std::size_t place = 0; place < placed; ++place) {
        store(layout.fields()[place], values[place], message.payload.data());
    }
    std::uint64_t given = (std::uint64_t{1} << placed) - 1;
    for (std::size_t index = 0; index < named; ++index) {
        PyObject* name = PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(index));
        const std::size_t place = place_of(type, layout, name, placed + index);
        if ((given >> place & 1U) != 0) {
            raise("ArgumentTypeError",
                  name_of(type) + " got " + text(nb::handle{name}) + " twice: " + signature(layout));
        }
        given |= std::uint64_t{1} << place;
        store(layout.fields()[place], values[placed + index], message.payload.data());
    }
    if (const std::uint64_t missing = layout.required & ~given; missing != 0) refuse_missing(type, layout, missing);
    return new_object(type, message);
}

Kind checked_kind(nb::handle kind) {
    const nb::object module = nb::module_::import_("cueline.arguments");
    const auto number = nb::cast<std::int64_t>(module.attr("checked_integer")("kind", kind));
    if (!std::in_range<Kind>(number)) {
        raise("ArgumentError", "kind must be from 0 to 65535, got " + std::to_string(number));
    }
    return static_cast<Kind>(number);
}

/// Message(kind, payload=b""): of the type that the kind has, as if it had been received.
PyObject* construct_plain(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    if (type != message_type) {
        const std::string name = name_of(type);
        raise("ArgumentTypeError", name + " has no kind: put @cueline.message(kind) above class " + name);
    }
    static std::array<const char*, 3> names{"kind", "payload", nullptr};
    PyObject* kind = nullptr;  // NOLINT(misc-const-correctness): it is written
    Py_buffer payload{};
    // NOLINTNEXTLINE(*-const-cast): Python's signature, which does not write there
    if (PyArg_ParseTupleAndKeywords(arguments, keywords, "O|y*:Message", const_cast<char**>(names.data()), &kind,
                                    &payload) == 0) {
        throw nb::python_error{};
    }
    struct Release {
        Py_buffer& buffer;
        ~Release() {
            if (buffer.obj != nullptr) PyBuffer_Release(&buffer);
        }
    };
    const Release release{payload};
    Message message;
    message.kind = checked_kind(kind);
    const auto bytes = static_cast<std::size_t>(payload.len);
    if (bytes > payload_bytes) {
        raise("ArgumentError",
              "a payload is at most " + std::to_string(payload_bytes) + " bytes, got " + std::to_string(bytes));
    }
    if (bytes > 0) std::memcpy(message.payload.data(), payload.buf, bytes);
    return to_python(message).release().ptr();
}

/// tp_vectorcall: the short way.
PyObject* call_kind(PyObject* callable, PyObject* const* values, std::size_t flagged_count, PyObject* names) noexcept {
    return guarded([&] {
        const auto placed = static_cast<std::size_t>(PyVectorcall_NARGS(flagged_count));
        const std::size_t named = names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names));
        return construct_kind(as_type(callable), {values, placed + named}, names);
    });
}

/// tp_new: the long way, of type.__call__ and __new__.
PyObject* new_kind(PyTypeObject* type, PyObject* arguments, PyObject* keywords) noexcept {
    return guarded([&] {
        const auto placed = static_cast<std::size_t>(PyTuple_GET_SIZE(arguments));
        const nb::tuple names{keywords == nullptr ? nb::tuple() : nb::tuple(nb::borrow<nb::dict>(keywords).keys())};
        std::vector<PyObject*> values;
        values.reserve(placed + names.size());
        for (std::size_t place = 0; place < placed; ++place) {
            values.push_back(PyTuple_GET_ITEM(arguments, static_cast<Py_ssize_t>(place)));
        }
        for (const nb::handle name : names) values.push_back(PyDict_GetItem(keywords, name.ptr()));
        return construct_kind(type, values, names.ptr());
    });
}

PyObject* new_plain(PyTypeObject* type, PyObject* arguments, PyObject* keywords) noexcept {
    return guarded([&] { return construct_plain(type, arguments, keywords); });
}

// --- What a message tells ----------------------------------------------------------------------------------------

PyObject* get_field(PyObject* self, void* closure) noexcept {
    return load(*static_cast<const Field*>(closure), message_in(self).payload.data());
}

PyObject* repr(PyObject* self) noexcept {
    return guarded([self] {
        PyTypeObject* type = Py_TYPE(self);
        const Message& message = message_in(self);
        std::string inside;
        const auto add = [&inside](const std::string& part) { inside += (inside.empty() ? "" : ", ") + part; };
        for (const Field& field : layout_of(type).fields()) {
            add(text(nb::handle{field.name}) + "=" + text(field, message.payload.data()));
        }
        if (message.sequence != 0 || message.frame != 0 || message.line != 0) add(numbers_of(message));
        return nb::cast(name_of(type) + "(" + inside + ")").release().ptr();
    });
}

// --- The types ---------------------------------------------------------------------------------------------------

/// The field that Python's side tells of: (name, scalar, offset, count or None, enumeration or None).
Field field_of(const nb::tuple& told) {
    const nb::object name = told[0];
    const auto scalar = static_cast<Scalar>(nb::cast<std::uint8_t>(told[1]));
    const auto offset = nb::cast<std::uint8_t>(told[2]);
    const bool is_array = !told[3].is_none();
    const auto count = is_array ? nb::cast<std::uint8_t>(told[3]) : std::uint8_t{1};
    const nb::object enumeration = told[4];
    if (scalar > Scalar::boolean || offset + count * size_of(scalar) > payload_bytes) {
        raise("ArgumentError", text(name) + " does not lie within a payload of 40 bytes");
    }
    PyObject* interned = name.inc_ref().ptr();
    PyUnicode_InternInPlace(&interned);
    return {interned, enumeration.is_none() ? nullptr : enumeration.inc_ref().ptr(), scalar, is_array, offset, count};
}

/// A type for messages of this kind, from now on: `fields` as field_of() has them, `defaults` by their names.
nb::object define(const std::string& name, std::uint16_t kind, const nb::list& fields, const nb::dict& defaults,
                  const nb::str& signature) {
    auto layout = std::make_unique<Layout>();
    if (nb::len(fields) > layout->all_fields.size()) raise("ArgumentError", "a message has at most 40 fields");
    layout->initial.kind = kind;
    std::array<unsigned char, payload_bytes> significant{};
    for (const nb::handle told : fields) {
        const std::size_t place = layout->field_count++;
        Field& field = layout->all_fields[place];
        field = field_of(nb::cast<nb::tuple>(told));
        layout->has_truths |= field.scalar == Scalar::boolean;
        std::fill_n(significant.begin() + field.offset, field.count * size_of(field.scalar), 0xffU);
        if (defaults.contains(nb::handle{field.name})) {
            const nb::object value = defaults[nb::handle{field.name}];
            store(field, value.ptr(), layout->initial.payload.data());
        } else {
            layout->required |= std::uint64_t{1} << place;
        }
        layout->getters[place] = {PyUnicode_AsUTF8(field.name), &get_field, nullptr, nullptr, &field};
    }
    std::memcpy(layout->significant.data(), significant.data(), significant.size());
    layout->signature = signature.inc_ref().ptr();
    layout->name = PyUnicode_AsUTF8(nb::cast(name).release().ptr());

    std::array<PyType_Slot, 5> slots{{
        {Py_tp_new, as_slot(&new_kind)},
        {Py_tp_dealloc, as_slot(&dealloc_message)},
        {Py_tp_repr, as_slot(&repr)},
        {Py_tp_getset, layout->getters.data()},
        {0, nullptr},
    }};
    PyType_Spec spec{layout->name, sizeof(MessageObject), 0, Py_TPFLAGS_DEFAULT, slots.data()};
    PyTypeObject* type = derived_type(spec);
    type->tp_vectorcall = &call_kind;
    (void)layout.release();                                        // the type's, and like it never freed
    type_of_kind.at(kind).store(type, std::memory_order_release);  // with type_for(): all of it is made
    return nb::borrow(as_object(type));
}

nb::object type_of(std::uint16_t kind) {
    PyTypeObject* type = type_for(kind);
    return type == nullptr ? nb::none() : nb::borrow(as_object(type));
}

/// What unpickles a message: as what it was pickled. A plain one is of the type that its kind has come to have since.
nb::object from_bytes(const nb::type_object& type, const nb::bytes& bytes) {
    const auto message = Message::from_bytes({static_cast<const std::byte*>(bytes.data()), bytes.size()});
    if (!message) {
        raise("ArgumentError",
              "a message is " + std::to_string(sizeof(Message)) + " bytes, got " + std::to_string(bytes.size()));
    }
    PyTypeObject* fitting = type_for(message->kind);
    if (fitting == nullptr) fitting = message_type;
    if (type.ptr() != as_object(fitting) && type.ptr() != as_object(message_type)) {
        raise("ArgumentError", "a message of kind " + std::to_string(message->kind) + " is of class " +
                                   name_of(fitting) + ", not " + text(type.attr("__name__")));
    }
    return to_python(*message);
}

/// Leaves what the fields say, in the one way to say it: a struct from C++ may have any bytes between them, and bytes
/// from elsewhere any that are no bool to C++.
void make_canonical(Message& message, const Layout& layout) {
    std::array<std::uint64_t, 5> words{};
    std::memcpy(words.data(), message.payload.data(), sizeof words);
    for (std::size_t word = 0; word < words.size(); ++word) words.at(word) &= layout.significant.at(word);
    std::memcpy(message.payload.data(), words.data(), sizeof words);
    if (!layout.has_truths) return;
    for (const Field& field : layout.fields()) {
        if (field.scalar != Scalar::boolean) continue;
        for (std::byte& truth : std::span{message.payload}.subspan(field.offset, field.count)) {
            if (truth != std::byte{0}) truth = std::byte{1};
        }
    }
}

}  // namespace

nb::object to_python(Status status) {
    return nb::borrow(statuses.at(static_cast<std::size_t>(status)));
}

nb::object to_python(const Message& message) {
    PyTypeObject* type = type_for(message.kind);
    if (type == nullptr) return checked(new_object(message_type, message));
    nb::object object = checked(new_object(type, message));
    make_canonical(message_in(object.ptr()), layout_of(type));
    return object;
}

void bind_messages(nb::module_& module) {
    if (!status_type.is_valid()) bind_status(module);
    module.attr("Status") = status_type;
    if (message_type == nullptr) make_message_type(&new_plain);
    module.attr("Message") = nb::handle{as_object(message_type)};
    module.def(
        "_define_message", &define, "name"_a, "kind"_a, "fields"_a, "defaults"_a, "signature"_a,
        nb::sig("def _define_message(name: str, kind: int, fields: list[tuple[str, int, int, int | None, object]], "
                "defaults: dict[str, object], signature: str) -> type[Message]"));
    module.def("_message_type", &type_of, "kind"_a, nb::sig("def _message_type(kind: int) -> type[Message] | None"));
    module.def("_message_from_bytes", &from_bytes, "type"_a, "bytes"_a,
               nb::sig("def _message_from_bytes(type: type[Message], bytes: bytes) -> Message"));
}

}  // namespace cueline::python
