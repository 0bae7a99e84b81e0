// bulk.cpp: sending many messages in one call: out of Python's array, by way of the stack, into the ring.
#include "bulk.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <cueline/control_side.hpp>

#include "errors.hpp"
#include "line.hpp"

namespace nb = nanobind;

namespace {

using cueline::Kind;
using cueline::Message;

/// So many go into the ring at once: 3.5 KiB, which stay in the nearest cache.
constexpr std::size_t chunk_messages = 64;

/// What a record's kind means in an array of messages of kind `own`; `own` is none in one of messages of any kind.
Kind meant(Kind kind, Kind own) {
    return kind == cueline::kind::none ? own : kind;
}

bool can_be_sent(Kind meant, Kind own) {
    return meant >= cueline::kind::first_processor && (own == cueline::kind::none || meant == own);
}

[[noreturn]] void refuse(std::size_t place, Kind kind, Kind own) {
    raise("ArgumentError",
          nb::cast<std::string>(nb::module_::import_("cueline.bulk").attr("refused_record")(place, kind, own)));
}

/// Raises for the first record, of those from `first` on, that cannot be sent.
void require_kinds(const Records& records, std::size_t first, Kind own) {
    for (std::size_t place = first; place < records.size(); ++place) {
        const Kind kind = records.kind(place);
        if (!can_be_sent(meant(kind, own), own)) refuse(place, kind, own);
    }
}

}  // namespace

Records::Records(nb::handle array, int access) {
    if (PyObject_GetBuffer(array.ptr(), &view_, access) != 0) throw nb::python_error{};
    const bool fits = view_.ndim == 1 && std::cmp_equal(view_.itemsize, sizeof(Message));
    const bool together = (access & PyBUF_WRITABLE) == 0 ||
                          (PyBuffer_IsContiguous(&view_, 'C') != 0 &&
                           reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(Message) == 0);  // NOLINT
    if (fits && together) return;
    const std::string found = std::to_string(view_.ndim) + " of " + std::to_string(view_.itemsize) + " bytes a record";
    PyBuffer_Release(&view_);
    raise("ArgumentError", "messages are in one dimension, 56 bytes a record, got " + found);
}

const std::byte* Records::record(std::size_t place) const {
    return static_cast<const std::byte*>(view_.buf) + static_cast<Py_ssize_t>(place) * *view_.strides;
}

Kind Records::kind(std::size_t place) const {
    Kind kind = cueline::kind::none;
    std::memcpy(&kind, record(place), sizeof kind);
    return kind;
}

Message Records::message(std::size_t place) const {
    Message message;
    std::memcpy(&message, record(place), sizeof message);
    return message;
}

std::span<Message> Records::messages() const {
    return {static_cast<Message*>(view_.buf), size()};
}

std::size_t LineHandle::try_send_many(nb::handle array, std::size_t first, Kind own, nb::handle late) {
    const std::uint8_t flags = checked_late(late);
    const Records records = Records::read(array);
    require_kinds(records, first, own);
    require_usable();  // also where there is nothing to send
    std::array<Message, chunk_messages> chunk;
    std::size_t accepted = 0;
    std::size_t place = first;
    while (place < records.size()) {
        const std::size_t count = std::min(chunk.size(), records.size() - place);
        for (std::size_t index = 0; index < count; ++index) {
            Message& message = chunk[index];
            message = records.message(place + index);
            const Kind kind = meant(message.kind, own);
            // Another thread may write to the array while it is read: what goes is what was looked at.
            if (!can_be_sent(kind, own)) refuse(place + index, message.kind, own);
            message.kind = kind;
            message.flags = flags;
        }
        const std::size_t taken =
            by_sender([&](cueline::CommandSender& sender) { return sender.try_send(std::span{chunk}.first(count)); });
        accepted += taken;
        place += taken;
        if (taken < count) break;
    }
    return accepted;
}

void LineHandle::count_dropped(std::size_t commands) {
    engine().require_own_process();
    const nb::ft_lock_guard lock{sending_};
    if (sender_ != nullptr) sender_->count_dropped(commands);
}
