// sender.cpp: Sender and Line: sending, in all its ways.
#include "sender.hpp"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "message_object.hpp"
#include "messages.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// What an argument has to be, as a refusal says it: of another type, or out of range.
struct Wanted {
    const char* name;
    const char* type;
    const char* range;
};
constexpr Wanted wanted_frame{"at", "a frame, which is an integer, or None", "a frame from 0 to 2**63 - 1, or None"};
constexpr Wanted wanted_sequence{"sequence", "a command's number", "a command's number, from 1 to 4294967295"};

[[noreturn]] void refuse_range(const Wanted& wanted, nb::handle value) {
    raise("ArgumentError", std::string{wanted.name} + " must be " + wanted.range + ", got " + shown(value));
}

/// Whole, not negative and within 63 bits, or an error.
std::uint64_t checked_count(const Wanted& wanted, nb::handle value) {
    if (PyBool_Check(value.ptr()) == 0) {
        if (const auto index = nb::steal(PyNumber_Index(value.ptr())); index.is_valid()) {
            int overflow = 0;
            const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
            if (overflow != 0 || number < 0) refuse_range(wanted, value);
            return static_cast<std::uint64_t>(number);
        }
        if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw nb::python_error{};  // its own, or Ctrl-C
        PyErr_Clear();
    }
    raise("ArgumentTypeError", std::string{wanted.name} + " must be " + wanted.type + ", got " + shown(value));
}

/// The command that `object` is, without what is the sender's to say.
Message checked_command(nb::handle object) {
    const Message* message = message_of(object.ptr());
    if (message == nullptr) {
        raise("ArgumentTypeError",
              "what is sent is a message, as a class with @cueline.message makes them, got " + shown(object));
    }
    if (message->kind < kind::first_processor) {
        raise("ArgumentError", name_of(Py_TYPE(object.ptr())) + " cannot be sent: kinds below " +
                                   std::to_string(kind::first_processor) +
                                   " are the engine's own, and this one is of kind " + std::to_string(message->kind));
    }
    Message command;
    command.kind = message->kind;
    command.payload = message->payload;
    return command;
}

/// The same, with what was asked of its delivery.
Message checked_command(nb::handle object, nb::handle at, nb::handle late) {
    Message command = checked_command(object);
    const Delivery delivery = checked_delivery(at, late);
    command.frame = delivery.frame;
    command.flags = delivery.flags;
    return command;
}

constexpr double min_polling_interval_s = 0.0001;
constexpr double max_polling_interval_s = 0.02;  // so that a close() is soon noticed, however long the blocks are

/// One more confirmation under way, unless its command is not sent.
class ConfirmationPlace {
  public:
    /// Raises Full when there are as many as their ring holds: none must ever have to be dropped.
    explicit ConfirmationPlace(std::atomic<std::size_t>& taken) : taken_{&taken} {
        if (taken.fetch_add(1) < EventRing::capacity) return;
        --taken;
        raise("Full", "as many confirmations are under way as can be, " + std::to_string(EventRing::capacity) +
                          ": wait for one");
    }
    ~ConfirmationPlace() {
        if (taken_ != nullptr) --*taken_;
    }
    ConfirmationPlace(const ConfirmationPlace&) = delete;
    ConfirmationPlace& operator=(const ConfirmationPlace&) = delete;

    void keep() noexcept { taken_ = nullptr; }

  private:
    std::atomic<std::size_t>* taken_;
};

class LineHandle : public SenderHandle {
  public:
    explicit LineHandle(const SenderHandle& engine) {
        engine.shared()->engine->require_open();
        own_.emplace(engine.shared()->engine->open_line());
        connect(engine.shared(), &*own_, false);
    }

    void close() {
        const nb::ft_lock_guard lock{sending_};
        disconnect();
        own_.reset();
    }
    [[nodiscard]] bool closed() {
        const nb::ft_lock_guard lock{sending_};
        return !own_.has_value();
    }

  private:
    std::optional<CommandSender> own_;
};

}  // namespace

std::uint8_t checked_late(nb::handle late) {
    if (PyUnicode_Check(late.ptr()) != 0) {
        if (PyUnicode_CompareWithASCIIString(late.ptr(), "apply") == 0) return 0;
        if (PyUnicode_CompareWithASCIIString(late.ptr(), "drop") == 0) return delivery::drop_if_late;
        raise("ArgumentError", "late must be 'apply' or 'drop', got " + shown(late));
    }
    raise("ArgumentTypeError", "late must be 'apply' or 'drop', got " + shown(late));
}

Delivery checked_delivery(nb::handle at, nb::handle late) {
    Delivery delivery;
    if (!at.is_none()) delivery.frame = checked_count(wanted_frame, at);
    delivery.flags = checked_late(late);
    return delivery;
}

// --- A line ------------------------------------------------------------------------------------------------------

void SenderHandle::connect(std::shared_ptr<SharedEngine> shared, CommandSender* sender, bool every_line) {
    shared_ = std::move(shared);
    engine_ = shared_->engine.get();
    sender_ = sender;
    every_line_ = every_line;
    line_ = sender->line();
}

void SenderHandle::throw_closed() {
    throw ClosedError{"this line is closed: open another one"};
}

nb::object SenderHandle::ping() {
    engine_->require_usable();
    const nb::ft_lock_guard lock{sending_};
    return to_python(sender().ping());
}

/// Sends with `attempt`, which returns false if the ring is full. With a timeout, it tries again until there is room;
/// meanwhile other Python threads run. If there is no room, it counts `commands` as dropped. Then it returns false
/// without a timeout, and raises Full with one.
template <class Attempt>
bool SenderHandle::send_within(nb::handle timeout, std::size_t commands, Attempt attempt) {
    const auto try_once = [&] {
        engine_->require_usable();
        const nb::ft_lock_guard lock{sending_};
        return attempt(sender());
    };
    if (timeout.is_none()) {
        const bool sent = try_once();
        if (!sent) count_dropped(commands);
        return sent;
    }
    using Clock = std::chrono::steady_clock;
    const auto seconds = nb::cast<double>(nb::module_::import_("cueline.arguments").attr("checked_timeout")(timeout));
    const auto began = Clock::now();
    while (!try_once()) {
        const double left_s = seconds - std::chrono::duration<double>(Clock::now() - began).count();
        if (left_s <= 0) {
            count_dropped(commands);
            raise("Full", "no room within " + shown(timeout) + " s: as many commands wait as the ring holds, " +
                              std::to_string(CommandRing::capacity));
        }
        {
            const WithoutGil without_gil;
            std::this_thread::sleep_for(std::chrono::duration<double>{std::min(polling_interval_s(), left_s)});
        }
        if (PyErr_CheckSignals() != 0) {
            count_dropped(commands);
            throw nb::python_error{};
        }
        if (shutting_down()) {
            count_dropped(commands);
            raise("ClosedError", "Python is ending: nobody waits for room any more");
        }
    }
    return true;
}

nb::object SenderHandle::send(nb::handle message, nb::handle at, nb::handle late, nb::handle timeout) {
    Message command = checked_command(message, at, late);
    const bool sent =
        send_within(timeout, 1, [&](CommandSender& sender) { return sender.try_send(command) == Status::ok; });
    return to_python(sent ? Status::ok : Status::full);
}

nb::object SenderHandle::try_send(nb::handle message, nb::handle at, nb::handle late) {
    Message command = checked_command(message, at, late);
    engine_->require_usable();
    const nb::ft_lock_guard lock{sending_};
    return to_python(sender().try_send(command));
}

std::uint32_t SenderHandle::send_confirmed(nb::handle message, nb::handle at, nb::handle late, nb::handle timeout) {
    Message command = checked_command(message, at, late);
    command.flags |= delivery::confirm;
    ConfirmationPlace place{shared_->confirmations};
    const bool sent =
        send_within(timeout, 1, [&](CommandSender& sender) { return sender.try_send(command) == Status::ok; });
    if (sent) place.keep();
    return sent ? command.sequence : 0;
}

std::uint32_t SenderHandle::send_whole(const nb::list& messages, nb::handle at, nb::handle late, nb::handle timeout,
                                       bool confirm) {
    const std::size_t count = messages.size();
    if (count == 0 || count > max_members) {
        raise("ArgumentError",
              "a transaction has 1 to " + std::to_string(max_members) + " messages, got " + std::to_string(count));
    }
    std::vector<Message> members;
    members.reserve(count);
    for (const nb::handle message : messages) members.push_back(checked_command(message));
    Delivery delivery = checked_delivery(at, late);
    std::optional<ConfirmationPlace> place;
    if (confirm) {
        delivery.flags |= delivery::confirm;
        place.emplace(shared_->confirmations);
    }
    std::uint32_t sequence = 0;
    const bool sent = send_within(timeout, members.size() + 1, [&](CommandSender& sender) {
        sequence = sender.try_send_whole(members, delivery);
        return sequence != 0;
    });
    if (confirm && sent) place->keep();
    return sequence;
}

void SenderHandle::require_sendable(nb::handle message, nb::handle at, nb::handle late) {
    checked_command(message, at, late);
}

nb::object SenderHandle::cancel(nb::handle sequence) {
    const std::uint64_t number = checked_count(wanted_sequence, sequence);
    if (number == 0 || number > 0xFFFF'FFFFU) refuse_range(wanted_sequence, sequence);
    engine_->require_usable();
    const nb::ft_lock_guard lock{sending_};
    return to_python(sender().cancel(static_cast<std::uint32_t>(number)));
}

nb::object SenderHandle::cancel_all() {
    engine_->require_usable();
    const nb::ft_lock_guard lock{sending_};
    return to_python(sender().cancel_all(every_line_));
}

std::uint32_t SenderHandle::last_sequence() {
    engine_->require_own_process();
    const nb::ft_lock_guard lock{sending_};
    return sender().sequence();
}

double SenderHandle::polling_interval_s() const {
    const Format format = engine_->format();
    return std::clamp(0.5 * format.blocksize / format.samplerate, min_polling_interval_s, max_polling_interval_s);
}

RingStats SenderHandle::counts() const {
    engine_->require_own_process();
    return engine_->command_stats(line_);
}

// --- The types ---------------------------------------------------------------------------------------------------

namespace {

void bind_anew(nb::module_& module) {
    nb::class_<SenderHandle> sender{module, "Sender", nb::is_weak_referenceable(),
                                    "A line for commands to the audio thread."};
    bind_sending(sender);
    sender
        .def("cancel", &SenderHandle::cancel, "sequence"_a.none(),
             nb::sig("def cancel(self, sequence: typing.SupportsIndex) -> Status"),
             "Have the audio thread forget the cue of that number, sent on this line; a transaction's stands for all\n"
             "of it. When it was applied before, nothing happens.\n\n"
             "Never blocks; returns Status.FULL when the ring is full. Raises as send().")
        .def("cancel_all", &SenderHandle::cancel_all, nb::sig("def cancel_all(self) -> Status"),
             "Have the audio thread forget all cues that were sent before: an engine's those of all its lines, a "
             "line's\n"
             "its own. What has no frame is no cue.\n\n"
             "Never blocks; returns Status.FULL when the ring is full. Raises as send().")
        .def_prop_ro("last_sequence", &SenderHandle::last_sequence,
                     "The number of the last command that this line accepted, by whichever thread; 0 before the first.")
        .def_prop_ro("number", &SenderHandle::number, "Which line it is: 0 the engine's own, a line's from 1 to 8.")
        .def("_send_confirmed", &SenderHandle::send_confirmed, "message"_a.none(), "at"_a.none(), "late"_a.none(),
             "timeout"_a.none(),
             nb::sig("def _send_confirmed(self, message: object, at: typing.SupportsIndex | None, late: str, "
                     "timeout: float | None) -> int"))
        .def("_send_whole", &SenderHandle::send_whole, "messages"_a, "at"_a.none(), "late"_a.none(), "timeout"_a.none(),
             "confirm"_a,
             nb::sig("def _send_whole(self, messages: list[object], at: typing.SupportsIndex | None, late: str, "
                     "timeout: float | None, confirm: bool) -> int"))
        .def_static(
            "_require_sendable", &SenderHandle::require_sendable, "message"_a.none(), "at"_a.none(), "late"_a.none(),
            nb::sig("def _require_sendable(message: object, at: typing.SupportsIndex | None, late: str) -> None"))
        .def("_try_send", &SenderHandle::try_send, "message"_a.none(), "at"_a.none(), "late"_a.none(),
             nb::sig("def _try_send(self, message: object, at: typing.SupportsIndex | None, late: str) -> Status"))
        .def("_try_send_many", &SenderHandle::try_send_many, "array"_a, "first"_a, "own"_a, "late"_a.none(),
             nb::sig("def _try_send_many(self, array: numpy.typing.NDArray[numpy.void], first: int, own: int, "
                     "late: str) -> int"))
        .def_prop_ro("_polling_interval_s", &SenderHandle::polling_interval_s)
        .def("_count_dropped", &SenderHandle::count_dropped, "commands"_a)
        .def("_counts", &SenderHandle::counts);
    nb::class_<LineHandle, SenderHandle> line{module, "Line", "A line of its own into an engine."};
    bind_sending(line);
    line.def(nb::init<const SenderHandle&>(), "engine"_a)
        .def("close", &LineHandle::close,
             "Give the line back; nothing to do the second time. What it accepted is read all the same.")
        .def_prop_ro("closed", &LineHandle::closed, "Whether close() was called.");
    nb::type<SenderHandle>().inc_ref();  // bound once a process: see bind_engine()
    nb::type<LineHandle>().inc_ref();
}

}  // namespace

void bind_senders(nb::module_& module) {
    if (!nb::type<SenderHandle>().is_valid()) {
        bind_anew(module);
    } else {
        module.attr("Sender") = nb::type<SenderHandle>();
        module.attr("Line") = nb::type<LineHandle>();
    }
}

}  // namespace cueline::python
