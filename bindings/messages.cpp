// messages.cpp: Status, Message, and the messages that Python can tell by their types.
#include "messages.hpp"

#include <nanobind/stl/string.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string>

#include "errors.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using cueline::Message;
using cueline::Status;

/// A message of that kind, with a type of its own in Python.
template <cueline::Kind Number>
struct OfKind : Message {};

using Pong = OfKind<cueline::kind::pong>;
using Level = OfKind<cueline::kind::level>;
using DeviceLost = OfKind<cueline::kind::device_lost>;
using FormatChanged = OfKind<cueline::kind::format_changed>;

// What nanobind would look up for every call. Set once, as the types are bound, and kept to the end of the process.
std::array<PyObject*, 3> statuses{};  // Status.OK, FULL and EMPTY, by their numbers
template <class Type>
nb::handle type_of;

/// Calls `call` with the type that messages of this kind have, as its template argument.
template <class Call>
auto with_type_of(cueline::Kind kind, Call call) {
    if (kind == cueline::kind::pong) return call.template operator()<Pong>();
    if (kind == cueline::kind::level) return call.template operator()<Level>();
    if (kind == cueline::kind::device_lost) return call.template operator()<DeviceLost>();
    if (kind == cueline::kind::format_changed) return call.template operator()<FormatChanged>();
    return call.template operator()<Message>();
}

template <class Type>
nb::object instance_of(const Message& message) {
    nb::object instance = nb::inst_alloc(type_of<Type>);
    new (nb::inst_ptr<Type>(instance)) Type{message};
    nb::inst_mark_ready(instance);
    return instance;
}

nb::bytes payload(const Message& message) {
    return nb::bytes{message.payload.data(), message.payload.size()};
}

nb::bytes state(const Message& message) {
    return nb::bytes{&message, sizeof message};
}

std::string name_of(nb::handle type) {
    return nb::cast<std::string>(type.attr("__name__"));
}

/// For pickle: makes `message`, which is not made yet, of what state() said.
template <class Type>
void restore(Type& message, const nb::bytes& state) {
    const auto restored = Message::from_bytes({static_cast<const std::byte*>(state.data()), state.size()});
    if (!restored) {
        raise("ArgumentError",
              "a message is " + std::to_string(sizeof message) + " bytes, got " + std::to_string(state.size()));
    }
    const nb::handle fitting = with_type_of(restored->kind, []<class Fitting> { return type_of<Fitting>; });
    if (!fitting.is(type_of<Type>)) {
        raise("ArgumentError", "a message of kind " + std::to_string(restored->kind) + " is a " + name_of(fitting) +
                                   ", not a " + name_of(type_of<Type>));
    }
    new (&message) Type{*restored};
}

bool same(const Message& left, const Message& right) {
    return left.kind == right.kind && left.sequence == right.sequence && left.frame == right.frame &&
           left.payload == right.payload;
}

// --- As text -----------------------------------------------------------------------------------------------------

std::string numbers(const Message& message) {
    return "sequence=" + std::to_string(message.sequence) + ", frame=" + std::to_string(message.frame);
}

std::string text(const Message& message) {
    return "Message(kind=" + std::to_string(message.kind) + ", " + numbers(message) + ")";
}

// What a payload adds: not the clock's readings, which say nothing to a reader.
std::string payload_text(const cueline::Pong&) {
    return "";
}
std::string payload_text(const cueline::DeviceLost&) {
    return "";
}
std::string payload_text(const cueline::Level& level) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), ", peak=%.4g, rms=%.4g", static_cast<double>(level.peak),
                  static_cast<double>(level.rms));
    return text.data();
}
std::string payload_text(const cueline::FormatChanged& format) {
    return ", samplerate=" + std::to_string(format.samplerate) + ", channels=" + std::to_string(format.channels) +
           ", blocksize=" + std::to_string(format.blocksize);
}

// --- The types ---------------------------------------------------------------------------------------------------

/// Binds `Type`, whose messages carry a `Payload`, and adds a property for every number of it.
template <class Type, class Payload>
class KindBinding {
  public:
    KindBinding(nb::module_& module, const char* name, const char* doc) : class_{module, name, doc} {
        class_.def("__setstate__", &restore<Type>).def("__repr__", [name](const Type& message) {
            const auto payload = message.template as<Payload>();
            return std::string{name} + "(" + numbers(message) + payload_text(payload) + ")";
        });
        type_of<Type> = class_.inc_ref();
    }

    template <class Number>
    KindBinding& number(const char* name, Number Payload::* member, const char* doc) {
        class_.def_prop_ro(name, [member](const Type& message) { return message.template as<Payload>().*member; }, doc);
        return *this;
    }

  private:
    nb::class_<Type, Message> class_;
};

void bind_status(nb::module_& module) {
    nb::enum_<Status>(module, "Status", nb::is_arithmetic(), "What became of an attempt.")
        .value("OK", Status::ok)
        .value("FULL", Status::full, "Refused, nothing changed: the ring holds all it can.")
        .value("EMPTY", Status::empty, "Nothing to take.");
    type_of<Status> = nb::type<Status>().inc_ref();
    for (const Status status : {Status::ok, Status::full, Status::empty}) {
        statuses.at(static_cast<std::size_t>(status)) = nb::cast(status).release().ptr();
    }
}

void bind_message(nb::module_& module) {
    type_of<Message> =
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
            .def("__repr__", &text)
            .inc_ref();
}

void bind_kinds(nb::module_& module) {
    KindBinding<Pong, cueline::Pong>(module, "Pong", "The audio thread's answer to a ping.")
        .number("sent_ns", &cueline::Pong::sent_ns, "time.monotonic_ns() as the ping was sent.")
        .number("block_ns", &cueline::Pong::block_ns,
                "time.monotonic_ns() as the block that answered began, as the device told it.");
    KindBinding<Level, cueline::Level>(module, "Level",
                                       "The tone processor's answer to get_level(): how loud it was since the last "
                                       "one, all channels together, up to this block. Full scale is 1.")
        .number("peak", &cueline::Level::peak, "The greatest distance of a sample from 0.")
        .number("rms", &cueline::Level::rms, "The root of the mean of the squares.");
    KindBinding<DeviceLost, cueline::DeviceLost>(module, "DeviceLost",
                                                 "The audio ended by itself. start() tries to have the device back.")
        .number("lost_ns", &cueline::DeviceLost::lost_ns, "time.monotonic_ns() as it was seen.");
    KindBinding<FormatChanged, cueline::FormatChanged>(module, "FormatChanged",
                                                       "The device's blocks come in another format now.")
        .number("samplerate", &cueline::FormatChanged::samplerate, "Frames a second.")
        .number("channels", &cueline::FormatChanged::channels, "Channels of audio.")
        .number("blocksize", &cueline::FormatChanged::blocksize, "Most frames in a block.");
}

}  // namespace

nb::object to_python(Status status) {
    return nb::borrow(statuses.at(static_cast<std::size_t>(status)));
}

nb::object to_python(const Message& message) {
    return with_type_of(message.kind, [&]<class Type> { return instance_of<Type>(message); });
}

void bind_messages(nb::module_& module) {
    if (!type_of<Message>.is_valid()) {
        bind_status(module);
        bind_message(module);
        bind_kinds(module);
        return;
    }
    for (const nb::handle type : {type_of<Status>, type_of<Message>, type_of<Pong>, type_of<Level>, type_of<DeviceLost>,
                                  type_of<FormatChanged>}) {
        module.attr(type.attr("__name__")) = type;
    }
}
