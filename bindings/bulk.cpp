// bulk.cpp: sends many messages in one call, from Python's array to the ring.
#include "bulk.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <cueline/control_side.hpp>
#include <cueline/engine_messages.hpp>

#include "errors.hpp"
#include "messages.hpp"
#include "sender.hpp"
#include "timeout.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;

namespace {

/// The kind that a record is sent with. `array_kind` is the kind of the whole array, or none.
Kind sent_kind(Kind record_kind, Kind array_kind) {
    return record_kind == kind::none ? array_kind : record_kind;
}

/// Which records of an array can be sent.
struct Sendable {
    Kind array_kind;  // or none
    const HandledKinds* handled;
};

bool can_be_sent(const Message& record, const Sendable& sendable) {
    const Kind array_kind = sendable.array_kind;
    const Kind kind = sent_kind(record.kind, array_kind);
    if (kind < kind::first_processor || record.frame > max_frame || !sendable.handled->include(kind)) return false;
    // An array without a kind of its own holds raw payloads.
    return array_kind == kind::none || (kind == array_kind && is_in_range(kind, record.payload.data()));
}

/// Checking so many takes less than a millisecond.
constexpr std::size_t records_with_gil = 65'536;

/// A record that cannot be sent.
struct Refused {
    std::size_t index;
    Message record;
};

/// Returns the first record that cannot be sent. If there are many records, other Python threads run in between.
std::optional<Refused> first_refused(const Records& records, const Sendable& sendable) {
    for (std::size_t index = 0; index < records.size(); ++index) {
        if (index % records_with_gil == records_with_gil - 1) const WithoutGil others_run;
        const Message record = records.message(index);
        if (!can_be_sent(record, sendable)) return Refused{index, record};
    }
    return std::nullopt;
}

[[noreturn]] void refuse(const Refused& refused, const Sendable& sendable) {
    const Message& record = refused.record;
    const Kind array_kind = sendable.array_kind;
    const Kind kind = sent_kind(record.kind, array_kind);
    const bool own = array_kind == kind::none || kind == array_kind;
    if (own && kind >= kind::first_processor && record.frame <= max_frame) sendable.handled->require(kind);
    if (array_kind != kind::none && kind == array_kind && record.frame <= max_frame) {
        raise("ArgumentError", "the message at index " + std::to_string(refused.index) +
                                   " cannot be sent: " + range_problem(kind, record.payload.data()));
    }
    const nb::object text = nb::module_::import_("cueline.bulk").attr("refused_record");
    raise("ArgumentError", nb::cast<std::string>(text(refused.index, record.kind, record.frame, array_kind)));
}

}  // namespace

Records::Records(nb::handle array, int access) {
    if (PyObject_GetBuffer(array.ptr(), &view_, access) != 0) throw nb::python_error{};
    std::string problem;
    if (view_.ndim != 1 || !std::cmp_equal(view_.itemsize, sizeof(Message))) {
        problem = "must have one dimension, with " + std::to_string(sizeof(Message)) + " bytes a record, got " +
                  std::to_string(view_.ndim) + " dimensions with " + std::to_string(view_.itemsize) + " bytes";
    } else if ((access & PyBUF_WRITABLE) != 0 &&
               (PyBuffer_IsContiguous(&view_, 'C') == 0 ||
                reinterpret_cast<std::uintptr_t>(view_.buf) % alignof(Message) != 0)) {  // NOLINT
        problem = "must be contiguous and aligned to " + std::to_string(alignof(Message)) + " bytes";
    }
    if (problem.empty()) return;
    PyBuffer_Release(&view_);
    raise("ArgumentError", "an array of messages " + problem);
}

const std::byte* Records::record(std::size_t index) const {
    return static_cast<const std::byte*>(view_.buf) + static_cast<Py_ssize_t>(index) * *view_.strides;
}

Message Records::message(std::size_t index) const {
    Message message;
    // By words, because the message is pushed right after: see copy_bytes_by_words().
    copy_bytes_by_words<sizeof message>(reinterpret_cast<std::byte*>(&message), record(index));
    return message;
}

std::span<Message> Records::messages() const {
    return {static_cast<Message*>(view_.buf), size()};
}

std::size_t SenderHandle::send_many(nb::handle array, Kind array_kind, nb::handle late, nb::handle seconds) {
    const std::uint8_t flags = checked_late(late);
    Timeout timeout{seconds};
    const Records records = Records::read(array);
    engine_->require_usable();
    const Sendable sendable{array_kind, &shared_->kinds};
    if (const auto refused = first_refused(records, sendable)) refuse(*refused, sendable);

    std::size_t accepted = 0;
    Left left{.commands = records.size()};
    std::optional<Refused> refused;
    Message message;
    // Checks and sends the same copy: another thread may write to the array meanwhile.
    const auto next = [&](std::size_t index) noexcept -> Message* {
        message = records.message(accepted + index);
        if (!can_be_sent(message, sendable)) {
            refused = {accepted + index, message};
            return nullptr;
        }
        message.kind = sent_kind(message.kind, array_kind);
        message.flags = flags;
        return &message;
    };
    send_within(timeout, left, [&] {
        engine_->require_usable();
        {
            const nb::ft_lock_guard lock{sending_};
            accepted += sender().try_send_each(next, left.commands);
        }
        if (refused) refuse(*refused, sendable);
        left.commands = records.size() - accepted;
        if (left.commands > 0) left.frame = records.message(accepted).frame;
        return left.commands == 0;
    });
    return accepted;
}

}  // namespace cueline::python
