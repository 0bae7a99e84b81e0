// messages.cpp: Status, Message and Pong.
#include "messages.hpp"

#include <nanobind/stl/string.h>

#include <array>
#include <cstddef>
#include <new>
#include <string>
#include <type_traits>

#include "errors.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using cueline::Message;
using cueline::Status;

/// A message whose kind is pong, so that Python can tell by its type.
struct PongMessage : Message {};

/// What nanobind would look up for every call. Set once, as the types are bound, and kept to the end of the process.
struct Bound {
    std::array<PyObject*, 3> statuses{};  ///< Status.OK, FULL and EMPTY, by their numbers
    nb::handle status;
    nb::handle message;
    nb::handle pong;
};
Bound bound;

template <class Type>
nb::object instance_of(nb::handle type, const Type& value) {
    nb::object instance = nb::inst_alloc(type);
    new (nb::inst_ptr<Type>(instance)) Type{value};
    nb::inst_mark_ready(instance);
    return instance;
}

nb::bytes payload(const Message& message) {
    return nb::bytes{message.payload.data(), message.payload.size()};
}

nb::bytes state(const Message& message) {
    return nb::bytes{&message, sizeof message};
}

/// For pickle: makes `message`, which is not made yet, of what state() said.
template <class Type>
void restore(Type& message, const nb::bytes& state) {
    const auto restored = Message::from_bytes({static_cast<const std::byte*>(state.data()), state.size()});
    if (!restored) {
        raise("ArgumentError",
              "a message is " + std::to_string(sizeof message) + " bytes, got " + std::to_string(state.size()));
    }
    if ((restored->kind == cueline::kind::pong) != std::is_same_v<Type, PongMessage>) {
        raise("ArgumentError", "a Pong, and nothing else, is of kind " + std::to_string(cueline::kind::pong) +
                                   ", got " + std::to_string(restored->kind));
    }
    new (&message) Type{*restored};
}

bool same(const Message& left, const Message& right) {
    return left.kind == right.kind && left.sequence == right.sequence && left.frame == right.frame &&
           left.payload == right.payload;
}

std::string text(const Message& message) {
    return "Message(kind=" + std::to_string(message.kind) + ", sequence=" + std::to_string(message.sequence) +
           ", frame=" + std::to_string(message.frame) + ")";
}

std::string pong_text(const PongMessage& pong) {
    return "Pong(sequence=" + std::to_string(pong.sequence) + ", frame=" + std::to_string(pong.frame) + ")";
}

void bind_anew(nb::module_& module) {
    nb::enum_<cueline::Status>(module, "Status", nb::is_arithmetic(), "What became of an attempt.")
        .value("OK", cueline::Status::ok)
        .value("FULL", cueline::Status::full, "Refused, nothing changed: the ring holds all it can.")
        .value("EMPTY", cueline::Status::empty, "Nothing to take.");

    nb::class_<Message>(module, "Message", "An event from the audio thread. A value: it does not change.")
        .def_ro("kind", &Message::kind, "What it is: below 256 cueline's own kinds, from there on the user's.")
        .def_ro("sequence", &Message::sequence, "The sequence of the command it answers, or 0.")
        .def_ro("frame", &Message::frame, "The first frame of the block that sent it.")
        .def_prop_ro("payload", &payload, "Its 40 bytes of payload.")
        .def("__eq__", &same, nb::is_operator(), nb::sig("def __eq__(self, other: object, /) -> bool"))
        .def("__hash__",
             [](const Message& message) {
                 return nb::hash(nb::make_tuple(message.kind, message.sequence, message.frame, payload(message)));
             })
        .def("__copy__", [](const nb::object& self) { return self; })
        .def(
            "__deepcopy__", [](const nb::object& self, const nb::handle&) { return self; }, "memo"_a)
        .def("__getstate__", &state)
        .def("__setstate__", &restore<Message>)
        .def("__repr__", &text);

    nb::class_<PongMessage, Message>(module, "Pong", "The audio thread's answer to a ping.")
        .def_prop_ro(
            "sent_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().sent_ns; },
            "time.monotonic_ns() as the ping was sent.")
        .def_prop_ro(
            "block_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().block_ns; },
            "time.monotonic_ns() as the block that answered began, as the device told it.")
        .def("__setstate__", &restore<PongMessage>)
        .def("__repr__", &pong_text);
}

void keep_what_was_bound() {
    bound.status = nb::type<Status>().inc_ref();
    bound.message = nb::type<Message>().inc_ref();
    bound.pong = nb::type<PongMessage>().inc_ref();
    for (const Status status : {Status::ok, Status::full, Status::empty}) {
        bound.statuses.at(static_cast<std::size_t>(status)) = nb::cast(status).release().ptr();
    }
}

}  // namespace

nb::object to_python(Status status) {
    return nb::borrow(bound.statuses.at(static_cast<std::size_t>(status)));
}

nb::object to_python(const Message& message) {
    if (message.kind == cueline::kind::pong) return instance_of(bound.pong, PongMessage{message});
    return instance_of(bound.message, message);
}

void bind_messages(nb::module_& module) {
    if (!bound.message.is_valid()) {
        bind_anew(module);
        keep_what_was_bound();
        return;
    }
    module.attr("Status") = bound.status;
    module.attr("Message") = bound.message;
    module.attr("Pong") = bound.pong;
}
