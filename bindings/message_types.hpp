// message_types.hpp: the types of messages that Python's users make, one for each kind.
#pragma once

#include <nanobind/nanobind.h>

#include <cueline/message.hpp>

#include "message_object.hpp"

/// A Python object that holds `message`, of the type that its kind has: plain Message where it has none.
/// Thread: control, with the GIL. Raises MemoryError.
nanobind::object to_python(const cueline::Message& message);

/// Adds Message and what makes types of it to `module`; the second time in a process, the Message that is there.
void bind_message_types(nanobind::module_& module);

/// Lets a bound function take a `const cueline::Message&`.
template <>
struct nanobind::detail::type_caster<cueline::Message> {
    NB_TYPE_CASTER(cueline::Message, const_name("cueline._core.Message"))

    bool from_python(handle source, std::uint32_t, cleanup_list*) noexcept {
        const cueline::Message* message = message_of(source.ptr());
        if (message != nullptr) value = *message;
        return message != nullptr;
    }
    static handle from_cpp(const cueline::Message& message, rv_policy, cleanup_list*) {
        return to_python(message).release();
    }
};
