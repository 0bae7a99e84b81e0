// messages.cpp: Status, and the Python type for each kind of message, with its fields.
//
// The type of a kind lives as long as the process, and so does its Layout.
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
#include "numbers.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

std::array<PyObject*, 4> statuses{};  // Status.OK and so on: nanobind would look them up in every call

void bind_status(nb::module_& module) {
    nb::enum_<Status>(module, "Status", nb::is_arithmetic(), "The result of a call that never waits.")
        .value("OK", Status::ok)
        .value("FULL", Status::full, "The ring is full: nothing changed.")
        .value("EMPTY", Status::empty, "The ring is empty: nothing was taken.")
        .value("NO_BUFFER", Status::no_buffer,
               "As many buffers as there can be are in use: nothing changed. Only publish() returns it.")
        .def(
            "__bool__",
            [](nb::handle status) -> bool {
                raise("ArgumentTypeError",
                      "a Status cannot be used as a bool: compare with Status.OK, got " + shown(status));
            },
            nb::sig("def __bool__(self) -> typing.NoReturn"));
    for (const Status status : {Status::ok, Status::full, Status::empty, Status::no_buffer}) {
        PyObject* const member = nb::cast(status).release().ptr();
        count_no_references(member);
        statuses.at(static_cast<std::size_t>(status)) = member;
    }
}

/// The fields of a kind. `getters` comes first, because the type has its address: see layout_of().
struct Layout {
    std::array<PyGetSetDef, payload_bytes + 1> getters;  // one per field, and a zero at the end
    std::array<Field, payload_bytes> all_fields;
    Message initial;                           // the kind and the defaults
    std::array<std::uint64_t, 5> significant;  // ones where a field is, zeros in the padding
    std::uint64_t required;                    // a bit for each field that has no default
    std::size_t field_count;
    bool has_bools;
    bool has_ranges;
    PyObject* signature;  // for error messages: "SetTone(voice, gain=0.2)"
    const char* name;     // with its module

    [[nodiscard]] std::span<const Field> fields() const { return {all_fields.data(), field_count}; }
};
static_assert(std::is_standard_layout_v<Layout>);
static_assert(sizeof(Layout::significant) == payload_bytes);

std::array<std::atomic<PyTypeObject*>, std::numeric_limits<Kind>::max() + 1U> type_of_kind{};  // or nullptr

PyTypeObject* type_for(Kind kind) {
    // Acquire pairs with the release in define_message(): the type is complete.
    return type_of_kind.at(kind).load(std::memory_order_acquire);
}

/// The layout of the type of a kind. The type has the address of its getters, which come first in the layout.
const Layout& layout_of(const PyTypeObject* type) {
    return *reinterpret_cast<const Layout*>(type->tp_getset);  // NOLINT(*-reinterpret-cast)
}

nb::object steal_or_raise(PyObject* object) {
    if (object == nullptr) throw nb::python_error{};
    return nb::steal(object);
}

std::string signature(const Layout& layout) {
    return text(nb::handle{layout.signature});
}

/// The index of the field of this name. Looks at the `expected` index first.
std::size_t index_of(PyTypeObject* type, const Layout& layout, PyObject* name, std::size_t expected) {
    const std::span<const Field> fields = layout.fields();
    if (expected < fields.size() && fields[expected].name == name) return expected;
    const auto same = std::ranges::find(fields, name, &Field::name);
    if (same != fields.end()) return static_cast<std::size_t>(same - fields.begin());
    const bool is_text = PyUnicode_Check(name) != 0;  // __new__(cls, **{1: 2}) passes other names
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
    for (std::size_t index = 0; index < layout.field_count; ++index) {
        if ((missing >> index & 1U) == 0) continue;
        if (!names.empty()) names += ", ";
        names += text(nb::handle{layout.fields()[index].name});
    }
    raise("ArgumentTypeError", name_of(type) + " needs " + names + ": " + signature(layout));
}

/// Constructs a message of a kind that has a type. `values` are the positional arguments, followed by one value for
/// each of `names`, which is a tuple or nullptr.
PyObject* construct_kind(PyTypeObject* type, std::span<PyObject* const> values, PyObject* names) {
    const Layout& layout = layout_of(type);
    const std::size_t named = names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names));
    const std::size_t positional = values.size() - named;
    if (positional > layout.field_count) refuse_count(type, layout, positional);
    Message message = layout.initial;
    for (std::size_t index = 0; index < positional; ++index) {
        store(layout.fields()[index], values[index], message.payload.data());
    }
    std::uint64_t assigned = (std::uint64_t{1} << positional) - 1;
    for (std::size_t keyword = 0; keyword < named; ++keyword) {
        PyObject* name = PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(keyword));
        const std::size_t index = index_of(type, layout, name, positional + keyword);
        if ((assigned >> index & 1U) != 0) {
            raise("ArgumentTypeError",
                  name_of(type) + " got " + text(nb::handle{name}) + " twice: " + signature(layout));
        }
        assigned |= std::uint64_t{1} << index;
        store(layout.fields()[index], values[positional + keyword], message.payload.data());
    }
    if (const std::uint64_t missing = layout.required & ~assigned; missing != 0) refuse_missing(type, layout, missing);
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

constexpr const char* plain_signature = "Message(kind, payload=b\"\")";

/// The arguments of Message(kind, payload=b""): borrowed, and nullptr if one is missing.
std::array<PyObject*, 2> plain_arguments(PyObject* arguments, PyObject* keywords) {
    const auto positional = static_cast<std::size_t>(PyTuple_GET_SIZE(arguments));
    std::array<PyObject*, 2> values{};
    if (positional > values.size()) {
        raise("ArgumentTypeError",
              "Message has 2 arguments, got " + std::to_string(positional) + ": " + plain_signature);
    }
    for (std::size_t index = 0; index < positional; ++index) {
        values.at(index) = PyTuple_GET_ITEM(arguments, static_cast<Py_ssize_t>(index));
    }
    for (const auto [name, value] : keywords == nullptr ? nb::dict{} : nb::borrow<nb::dict>(keywords)) {
        const bool is_text = PyUnicode_Check(name.ptr()) != 0;
        const bool is_kind = is_text && PyUnicode_CompareWithASCIIString(name.ptr(), "kind") == 0;
        const bool is_payload = is_text && PyUnicode_CompareWithASCIIString(name.ptr(), "payload") == 0;
        if (!(is_kind || is_payload)) {
            raise("ArgumentTypeError", "Message has no argument " + shown(name) + ": " + plain_signature);
        }
        PyObject*& found = values.at(is_kind ? 0 : 1);
        if (found != nullptr) {
            raise("ArgumentTypeError", "Message got " + text(name) + " twice: " + plain_signature);
        }
        found = value.ptr();
    }
    if (values[0] == nullptr) {
        raise("ArgumentTypeError", std::string{"Message needs kind: "} + plain_signature);
    }
    return values;
}

/// Message(kind, payload=b""). Returns an object of the kind's type, as if the message had been received.
PyObject* construct_plain(PyTypeObject* type, PyObject* arguments, PyObject* keywords) {
    if (type != message_type) {
        const std::string name = name_of(type);
        raise("ArgumentTypeError", name + " has no kind: put @cueline.message(kind) above class " + name);
    }
    const auto [kind, payload] = plain_arguments(arguments, keywords);
    struct Bytes : Py_buffer {
        Bytes() : Py_buffer{} {}
        ~Bytes() { PyBuffer_Release(this); }
        Bytes(const Bytes&) = delete;
        Bytes& operator=(const Bytes&) = delete;
    } bytes;
    if (payload != nullptr && PyObject_GetBuffer(payload, &bytes, PyBUF_SIMPLE) != 0) {
        if (!clear_if(PyExc_TypeError) && !clear_if(PyExc_BufferError) && !clear_if(PyExc_ValueError)) {
            throw nb::python_error{};
        }
        refuse_type("payload", "contiguous bytes", payload);
    }
    Message message;
    message.kind = checked_kind(kind);
    const auto size = static_cast<std::size_t>(bytes.len);
    if (size > payload_bytes) {
        raise("ArgumentError",
              "a payload is at most " + std::to_string(payload_bytes) + " bytes, got " + std::to_string(size));
    }
    if (size > 0) std::memcpy(message.payload.data(), bytes.buf, size);
    return to_python(message).release().ptr();
}

/// tp_vectorcall, which a plain call uses.
PyObject* call_kind(PyObject* callable, PyObject* const* values, std::size_t flagged_count, PyObject* names) noexcept {
    return guarded([&] {
        const auto positional = static_cast<std::size_t>(PyVectorcall_NARGS(flagged_count));
        const std::size_t named = names == nullptr ? 0 : static_cast<std::size_t>(PyTuple_GET_SIZE(names));
        return construct_kind(as_type(callable), {values, positional + named}, names);
    });
}

/// tp_new, which __new__ and type.__call__ use.
PyObject* new_kind(PyTypeObject* type, PyObject* arguments, PyObject* keywords) noexcept {
    return guarded([&] {
        const auto positional = static_cast<std::size_t>(PyTuple_GET_SIZE(arguments));
        // Names and values together, and no look-up by name: the class of a name may derive from str, with a hash of
        // its own that changes.
        nb::list names;
        nb::list named;
        for (const auto [name, value] : keywords == nullptr ? nb::dict{} : nb::borrow<nb::dict>(keywords)) {
            names.append(name);
            named.append(value);
        }
        std::vector<PyObject*> values;
        values.reserve(positional + named.size());
        for (std::size_t index = 0; index < positional; ++index) {
            values.push_back(PyTuple_GET_ITEM(arguments, static_cast<Py_ssize_t>(index)));
        }
        for (const nb::handle value : named) values.push_back(value.ptr());
        return construct_kind(type, values, nb::tuple(names).ptr());
    });
}

PyObject* new_plain(PyTypeObject* type, PyObject* arguments, PyObject* keywords) noexcept {
    return guarded([&] { return construct_plain(type, arguments, keywords); });
}

PyObject* get_field(PyObject* self, void* closure) noexcept {
    return load(*static_cast<const Field*>(closure), message_in(self).payload.data());
}

PyObject* repr_of_fields(PyObject* self) noexcept {
    return guarded([self] {
        PyTypeObject* type = Py_TYPE(self);
        const Message& message = message_in(self);
        std::string inside;
        const auto add = [&inside](const std::string& part) { inside += (inside.empty() ? "" : ", ") + part; };
        for (const Field& field : layout_of(type).fields()) {
            add(text(nb::handle{field.name}) + "=" + text(field, message.payload.data()));
        }
        const std::size_t part = part_of(message.flags);
        if (message.sequence != 0 || message.frame != 0 || message.line != 0) {
            add(header_text(message));
        } else if (part != 0) {
            add("part=" + std::to_string(part));
        }
        return nb::cast(name_of(type) + "(" + inside + ")").release().ptr();
    });
}

/// The field that Python describes as (name, scalar, offset, count or None, enumeration or None, range or None). A
/// range is (lowest, highest, whether it takes NaN).
Field field_from(const nb::tuple& description) {
    const nb::object name = description[0];
    const auto scalar = static_cast<Scalar>(nb::cast<std::uint8_t>(description[1]));
    const auto offset = nb::cast<std::uint8_t>(description[2]);
    const bool is_array = !description[3].is_none();
    const auto count = is_array ? nb::cast<std::uint8_t>(description[3]) : std::uint8_t{1};
    const nb::object enumeration = description[4];
    if (scalar > Scalar::boolean || offset + count * size_of(scalar) > payload_bytes) {
        raise("ArgumentError", text(name) + " ends outside the payload of " + std::to_string(payload_bytes) +
                                   " bytes: use fewer or smaller fields");
    }
    PyObject* interned = name.inc_ref().ptr();
    PyUnicode_InternInPlace(&interned);
    Field field{.name = interned,
                .enumeration = enumeration.is_none() ? nullptr : enumeration.inc_ref().ptr(),
                .lowest = {},
                .highest = {},
                .scalar = scalar,
                .is_array = is_array,
                .has_range = false,
                .takes_nan = false,
                .offset = offset,
                .count = count};
    if (!description[5].is_none()) {
        const auto range = nb::cast<nb::tuple>(description[5]);
        set_range(field, range[0].ptr(), range[1].ptr(), nb::cast<bool>(range[2]));
    }
    return field;
}

/// Creates a type for a kind; claim_kind() makes it the kind's. `fields` are descriptions for field_from(), `defaults`
/// are values by field name.
nb::object define_message(const std::string& name, std::uint16_t kind, const nb::list& fields, const nb::dict& defaults,
                          const nb::str& signature) {
    auto layout = std::make_unique<Layout>();
    if (nb::len(fields) > layout->all_fields.size())
        raise("ArgumentError", "a message has at most " + std::to_string(layout->all_fields.size()) + " fields, got " +
                                   std::to_string(nb::len(fields)));
    layout->initial.kind = kind;
    std::array<unsigned char, payload_bytes> significant{};
    for (const nb::handle description : fields) {
        const std::size_t index = layout->field_count++;
        Field& field = layout->all_fields[index];
        field = field_from(nb::cast<nb::tuple>(description));
        layout->has_bools |= field.scalar == Scalar::boolean;
        layout->has_ranges |= field.has_range;
        std::fill_n(significant.begin() + field.offset, field.count * size_of(field.scalar), 0xffU);
        if (defaults.contains(nb::handle{field.name})) {
            const nb::object value = defaults[nb::handle{field.name}];
            store(field, value.ptr(), layout->initial.payload.data());
        } else {
            layout->required |= std::uint64_t{1} << index;
        }
        layout->getters[index] = {PyUnicode_AsUTF8(field.name), &get_field, nullptr, nullptr, &field};
    }
    std::memcpy(layout->significant.data(), significant.data(), significant.size());
    layout->signature = signature.inc_ref().ptr();
    layout->name = PyUnicode_AsUTF8(nb::cast(name).release().ptr());

    std::array<PyType_Slot, 5> slots{{
        {Py_tp_new, as_slot(&new_kind)},
        {Py_tp_dealloc, as_slot(&dealloc_message)},
        {Py_tp_repr, as_slot(&repr_of_fields)},
        {Py_tp_getset, layout->getters.data()},
        {0, nullptr},
    }};
    PyType_Spec spec{layout->name, sizeof(MessageObject), 0, Py_TPFLAGS_DEFAULT, slots.data()};
    PyTypeObject* type = derive_type(spec);
    type->tp_vectorcall = &call_kind;
    (void)layout.release();  // the type owns it, and is never freed
    return nb::borrow(as_object(type));
}

/// If the type of the kind is still `replaced`, which is a type or None, makes it `type`. Returns whether it did:
/// another thread may have changed it meanwhile.
bool claim_kind(nb::handle type, nb::handle replaced) {
    PyTypeObject* expected = replaced.is_none() ? nullptr : as_type(replaced.ptr());
    std::atomic<PyTypeObject*>& current = type_of_kind.at(layout_of(as_type(type.ptr())).initial.kind);
    // Release publishes the complete type; it pairs with the acquire in type_for(). Relaxed on failure: the caller
    // looks again.
    return current.compare_exchange_strong(expected, as_type(type.ptr()), std::memory_order_release,
                                           std::memory_order_relaxed);
}

nb::object type_of(std::uint16_t kind) {
    PyTypeObject* type = type_for(kind);
    return type == nullptr ? nb::none() : nb::borrow(as_object(type));
}

/// Returns the same message for the part with this number. One that is for a part already stays as it is.
nb::object addressed(nb::handle object, std::size_t part) {
    const Message* const message = message_of(object.ptr());
    if (message == nullptr) refuse_message(object);
    if (part_of(message->flags) != 0) return nb::borrow(object);
    Message for_part = *message;
    for_part.flags |= to_part(part);
    return steal_or_raise(new_object(Py_TYPE(object.ptr()), for_part));
}

/// Unpickles a message. If it was pickled as a plain Message, and its kind has got a type since, it gets that type.
/// Raises ArgumentError for a number that the type's constructor refuses.
nb::object from_bytes(const nb::type_object& type, const nb::bytes& bytes) {
    const auto message = Message::from_bytes({static_cast<const std::byte*>(bytes.data()), bytes.size()});
    if (!message) {
        raise("ArgumentError",
              "a message is " + std::to_string(sizeof(Message)) + " bytes, got " + std::to_string(bytes.size()));
    }
    nb::module_::import_("cueline.messages");  // cueline's own kinds have their classes from here on
    PyTypeObject* expected = type_for(message->kind);
    if (expected == nullptr) expected = message_type;
    if (type.ptr() != as_object(expected) && type.ptr() != as_object(message_type)) {
        raise("ArgumentError", "a message of kind " + std::to_string(message->kind) + " is of class " +
                                   name_of(expected) + ", not " + text(type.attr("__name__")));
    }
    if (const std::string problem = range_problem(message->kind, message->payload.data()); !problem.empty()) {
        raise("ArgumentError", problem);
    }
    return to_python(*message);
}

/// Zeroes padding and makes each bool 0 or 1, so that equal messages have equal bytes. A struct from C++ may have any
/// bytes there.
void make_canonical(Message& message, const Layout& layout) {
    std::array<std::uint64_t, 5> words{};
    std::memcpy(words.data(), message.payload.data(), sizeof words);
    for (std::size_t word = 0; word < words.size(); ++word) words.at(word) &= layout.significant.at(word);
    std::memcpy(message.payload.data(), words.data(), sizeof words);
    if (!layout.has_bools) return;
    for (const Field& field : layout.fields()) {
        if (field.scalar != Scalar::boolean) continue;
        for (std::byte& boolean : std::span{message.payload}.subspan(field.offset, field.count)) {
            if (boolean != std::byte{0}) boolean = std::byte{1};
        }
    }
}

}  // namespace

void refuse_message(nb::handle object) {
    raise("ArgumentTypeError",
          "message must be an object of a class with @cueline.message, such as cueline.PlayBuffer(0), got " +
              shown(object));
}

nb::object to_python(Status status) {
    return nb::borrow(statuses.at(static_cast<std::size_t>(status)));
}

nb::object to_python(const Message& message) {
    PyTypeObject* type = type_for(message.kind);
    if (type == nullptr) return steal_or_raise(new_object(message_type, message));
    nb::object object = steal_or_raise(new_object(type, message));
    make_canonical(message_in(object.ptr()), layout_of(type));
    return object;
}

bool has_ranges(Kind kind) noexcept {
    const PyTypeObject* const type = type_for(kind);
    return type != nullptr && layout_of(type).has_ranges;
}

bool is_in_range(Kind kind, const std::byte* payload) noexcept {
    if (!has_ranges(kind)) return true;
    return std::ranges::all_of(layout_of(type_for(kind)).fields(),
                               [payload](const Field& field) { return is_in_range(field, payload); });
}

std::string range_problem(Kind kind, const std::byte* payload) {
    const PyTypeObject* const type = type_for(kind);
    if (type == nullptr) return {};
    for (const Field& field : layout_of(type).fields()) {
        if (!is_in_range(field, payload)) return range_problem(field, payload);
    }
    return {};
}

void bind_messages(nb::module_& module) {
    bind_once<Status>(module, &bind_status);
    if (message_type == nullptr) make_message_type(&new_plain);
    module.attr("Message") = nb::handle{as_object(message_type)};
    module.def(
        "_define_message", &define_message, "name"_a, "kind"_a, "fields"_a, "defaults"_a, "signature"_a,
        nb::sig(
            "def _define_message(name: str, kind: int, fields: list[tuple[str, int, int, int | None, object, object]], "
            "defaults: dict[str, object], signature: str) -> type[Message]"));
    module.def("_claim_kind", &claim_kind, "type"_a, "replaced"_a.none(),
               nb::sig("def _claim_kind(type: type[Message], replaced: type[Message] | None) -> bool"));
    module.def("_message_type", &type_of, "kind"_a, nb::sig("def _message_type(kind: int) -> type[Message] | None"));
    module.def("_addressed", &addressed, "message"_a.none(), "part"_a,
               nb::sig("def _addressed(message: object, part: int) -> Message"));
    module.def("_message_from_bytes", &from_bytes, "type"_a, "bytes"_a,
               nb::sig("def _message_from_bytes(type: type[Message], bytes: bytes) -> Message"));
}

}  // namespace cueline::python
