// bulk.cpp: sending many messages in one call: out of Python's array into the ring.
#include "bulk.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <cueline/control_side.hpp>

#include "errors.hpp"
#include "sender.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

/// What a record's kind means in an array of messages of kind `own`; `own` is none in one of messages of any kind.
Kind meant(Kind kind, Kind own) {
    return kind == kind::none ? own : kind;
}

/// Whether a record can be sent, in an array of messages of kind `own`.
bool can_be_sent(const Message& record, Kind own) {
    constexpr std::uint64_t last_frame = (std::uint64_t{1} << 63U) - 1;  // as send() has it: beyond are negative ones
    const Kind kind = meant(record.kind, own);
    return kind >= kind::first_processor && (own == kind::none || kind == own) && record.frame <= last_frame;
}

/// A record that cannot be sent.
struct Refused {
    std::size_t place;
    Message record;
};

/// The first of the records from `first` on that cannot be sent, if there is one.
std::optional<Refused> first_refused(const Records& records, std::size_t first, Kind own) {
    for (std::size_t place = first; place < records.size(); ++place) {
        const Message record = records.message(place);
        if (!can_be_sent(record, own)) return Refused{place, record};
    }
    return std::nullopt;
}

[[noreturn]] void refuse(const Refused& refused, Kind own) {
    const nb::object text = nb::module_::import_("cueline.bulk").attr("refused_record");
    const Message& record = refused.record;
    raise("ArgumentError", nb::cast<std::string>(text(refused.place, record.kind, record.frame, own)));
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

Message Records::message(std::size_t place) const {
    Message message;
    // By words, as it is pushed right after: see copy_bytes_by_words().
    copy_bytes_by_words<sizeof message>(reinterpret_cast<std::byte*>(&message), record(place));
    return message;
}

std::span<Message> Records::messages() const {
    return {static_cast<Message*>(view_.buf), size()};
}

std::size_t SenderHandle::try_send_many(nb::handle array, std::size_t first, Kind own, nb::handle late) {
    const std::uint8_t flags = checked_late(late);
    const Records records = Records::read(array);
    const std::size_t wanted = records.size() - std::min(first, records.size());  // another thread may have shrunk it
    std::optional<Refused> refused;
    Message message;
    // What goes is what was looked at, whatever another thread writes to the array meanwhile.
    const auto next = [&](std::size_t place) noexcept -> Message* {
        message = records.message(first + place);
        if (!can_be_sent(message, own)) {
            refused = {first + place, message};
            return nullptr;
        }
        message.kind = meant(message.kind, own);
        message.flags = flags;
        return &message;
    };
    std::size_t accepted = 0;
    engine_->require_usable();
    {
        const nb::ft_lock_guard lock{sending_};
        const std::size_t room = std::min(sender().room(), wanted);
        refused = first_refused(records, first + room, own);  // none goes where one that stays here cannot
        if (!refused) accepted = sender().try_send_each(next, room);
    }
    if (refused) refuse(first_refused(records, first, own).value_or(*refused), own);
    return accepted;
}

void SenderHandle::count_dropped(std::size_t commands) {
    engine_->require_own_process();
    const nb::ft_lock_guard lock{sending_};
    if (sender_ != nullptr) sender_->count_dropped(commands);
}

}  // namespace cueline::python
