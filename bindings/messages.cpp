// messages.cpp: Status, and the messages' types.
#include "messages.hpp"

#include <array>
#include <cstddef>

namespace nb = nanobind;

namespace {

using cueline::Status;

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

}  // namespace

nb::object to_python(Status status) {
    return nb::borrow(statuses.at(static_cast<std::size_t>(status)));
}

void bind_messages(nb::module_& module) {
    if (!status_type.is_valid()) bind_status(module);
    module.attr("Status") = status_type;
    bind_message_types(module);
}
