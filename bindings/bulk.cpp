// bulk.cpp: sends many messages in one call, from Python's array to the ring.
#include "bulk.hpp"

#include <nanobind/stl/string.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>

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
    bool has_ranges;  // whether a field of that kind has a range
    const HandledKinds* handled;

    [[nodiscard]] bool includes(Kind kind) const noexcept {
        return kind >= kind::first_processor && handled->include(kind);
    }
    [[nodiscard]] bool includes(Kind kind, const std::byte* payload) const noexcept {
        if (!includes(kind)) return false;
        if (array_kind == kind::none) return true;  // such an array holds raw payloads
        return kind == array_kind && (!has_ranges || is_in_range(kind, payload));
    }
    /// Whether any payload of the array's own kind can be sent.
    [[nodiscard]] bool includes_array_kind() const noexcept { return includes(array_kind) && !has_ranges; }
};

std::uint64_t frame_of(const std::byte* record) {
    std::uint64_t frame;
    std::memcpy(&frame, record + offsetof(Message, frame), sizeof frame);
    return frame;
}

/// Copies `record` into `command`, without a line and a sequence. Returns whether it can be sent, with these flags.
/// Reads each byte once and checks the copy: another thread may write to the array meanwhile.
/// If sendable.includes_array_kind(), `each_kind` may be false: then less is left to check for each record.
template <bool each_kind>
[[gnu::always_inline]] inline bool copy_checked(const std::byte* record, const Sendable& sendable, std::uint8_t flags,
                                                Message& command) noexcept {
    Kind record_kind;
    std::memcpy(&record_kind, record + offsetof(Message, kind), sizeof record_kind);
    const Kind kind = sent_kind(record_kind, sendable.array_kind);
    const std::uint64_t frame = frame_of(record);
    command.frame = frame;
    std::memcpy(command.payload.data(), record + offsetof(Message, payload), payload_bytes);
    const bool is_included = each_kind ? sendable.includes(kind, command.payload.data()) : kind == sendable.array_kind;
    command.kind = kind;
    if (!is_included || frame > max_frame) return false;
    command.flags = flags;  // last, so that the compiler joins it, the kind, the line and the sequence to one store
    return true;
}

/// Checking so many takes less than a millisecond.
constexpr std::size_t records_with_gil = 65'536;

/// A record that cannot be sent.
struct Refused {
    std::size_t index;
    Message record;
};

/// Returns the first record from index `first` on that cannot be sent. If there are many records, other Python threads
/// run in between.
std::optional<Refused> first_refused(const Records& records, std::size_t first, const Sendable& sendable) {
    Refused refused{.index = first, .record = {}};
    for (std::size_t& index = refused.index; index < records.size(); ++index) {
        if (index % records_with_gil == records_with_gil - 1) const WithoutGil others_run;
        if (!copy_checked<true>(records.record(index), sendable, 0, refused.record)) return refused;
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

std::span<Message> Records::messages() const {
    return {static_cast<Message*>(view_.buf), size()};
}

std::vector<Message> SenderHandle::checked_records(nb::handle array, Kind array_kind, std::size_t part) const {
    const Records records = Records::read(array);
    const Sendable sendable{array_kind, has_ranges(array_kind), &shared_->kinds_of(part)};
    std::vector<Message> copies(records.size());
    for (std::size_t index = 0; index < copies.size(); ++index) {
        if (index % records_with_gil == records_with_gil - 1) const WithoutGil others_run;
        if (!copy_checked<true>(records.record(index), sendable, to_part(part), copies[index])) {
            refuse({index, copies[index]}, sendable);
        }
    }
    return copies;
}

std::size_t SenderHandle::send_many(nb::handle array, Kind array_kind, nb::handle late, nb::handle seconds,
                                    std::size_t part) {
    const auto flags = static_cast<std::uint8_t>(checked_late(late) | to_part(part));
    Timeout timeout{seconds};
    const Records records = Records::read(array);
    engine_->require_usable();
    const Sendable sendable{array_kind, has_ranges(array_kind), &shared_->kinds_of(part)};
    const auto check_from = [&](std::size_t first) {
        if (const auto refused = first_refused(records, first, sendable)) refuse(*refused, sendable);
    };
    // A push that takes all records checks them as it copies them. If one push cannot, a pass before it must check all.
    bool checked = records.size() > MessageRing::capacity;
    if (checked) check_from(0);

    std::size_t accepted = 0;
    Left left{.commands = records.size()};
    std::optional<Refused> refused;
    const auto push_each = [&]<bool each_kind>(std::bool_constant<each_kind>) {
        // With copies of what each record needs: they stay in registers.
        const auto fill = [from = records.record(accepted), distance = records.distance(), sendable, flags, accepted,
                           &refused](std::size_t place, Message& command) noexcept {
            const std::byte* const record = from + static_cast<Py_ssize_t>(place) * distance;
            if (copy_checked<each_kind>(record, sendable, flags, command)) return true;
            refused = {accepted + place, command};
            return false;
        };
        accepted += sender().try_send_each(fill, left.commands);
    };
    // Returns false if the records are neither checked nor fit.
    const auto push = [&] {
        const std::scoped_lock lock{sending_};
        if (!checked && sender().room() < records.size()) return false;
        if (sendable.includes_array_kind()) {
            push_each(std::false_type{});
        } else {
            push_each(std::true_type{});
        }
        return true;
    };
    send_within(timeout, left, [&] {
        engine_->require_usable();
        if (!push()) {
            check_from(0);
            checked = true;
            push();
        }
        if (refused) {
            check_from(accepted);  // this names the first one; it returns if another thread has mended them meanwhile
            refuse(*refused, sendable);
        }
        left.commands = records.size() - accepted;
        if (left.commands > 0) left.is_cue = frame_of(records.record(accepted)) != 0;
        return left.commands == 0;
    });
    return accepted;
}

}  // namespace cueline::python
