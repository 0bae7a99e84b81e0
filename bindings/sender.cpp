// sender.cpp: Sender and Line: all ways to send a command.
#include "sender.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine/pending_buffer.hpp>
#include <cueline/error.hpp>
#include <cueline/message.hpp>
#include <cueline/midi_map.hpp>

#include "bindings.hpp"
#include "bulk.hpp"
#include "engine/streams.hpp"
#include "errors.hpp"
#include "message_object.hpp"
#include "messages.hpp"
#include "methods.hpp"
#include "timeline.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Words about an integer argument, for error messages.
struct IntegerArgument {
    const char* name;
    const char* type;
    const char* range;
    const char* for_float;  // ends the error if the value is a float
};
constexpr IntegerArgument frame_argument{"at", "a frame, which is an integer, a cueline.Beat, a next_bar(), or None",
                                         "a frame from 0 to 2**63 - 1, or None",
                                         ": engine.after(seconds) is the frame that many seconds from now"};
constexpr IntegerArgument sequence_argument{"sequence", "a command's number",
                                            "a command's number, from 1 to 4294967295", ""};

[[noreturn]] void refuse_range(const IntegerArgument& argument, nb::handle value) {
    raise("ArgumentError", std::string{argument.name} + " must be " + argument.range + ", got " + shown(value));
}

/// `value` as an integer from 0 to 2^63 - 1.
std::uint64_t checked_integer(const IntegerArgument& argument, nb::handle value) {
    if (PyBool_Check(value.ptr()) == 0) {
        if (const auto index = nb::steal(PyNumber_Index(value.ptr())); index.is_valid()) {
            int overflow = 0;
            const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
            if (overflow != 0 || number < 0) refuse_range(argument, value);
            return static_cast<std::uint64_t>(number);
        }
        if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw nb::python_error{};  // from __index__, or Ctrl-C
        PyErr_Clear();
    }
    std::string way_out = PyFloat_Check(value.ptr()) != 0 ? argument.for_float : "";
    if (PyFunction_Check(value.ptr()) != 0) {
        way_out = ": call it: " + nb::cast<std::string>(value.attr("__name__")) + "()";
    }
    raise("ArgumentTypeError",
          std::string{argument.name} + " must be " + argument.type + ", got " + shown(value) + way_out);
}

constexpr double max_polling_interval_s = 0.02;  // even if blocks are long, a thread that waits notices close() soon

std::string ring_is_full() {
    return "the ring is full, with " + std::to_string(MessageRing::capacity) + " commands";
}

/// Reserves room for one confirmation, and gives it back unless expect() is called.
class ConfirmationReservation {
  public:
    /// Raises Full if pending confirmations could fill their ring: the audio thread must never have to drop one.
    explicit ConfirmationReservation(std::atomic<std::size_t>& pending) : pending_{&pending} {
        if (pending.fetch_add(1) < MessageRing::capacity) return;
        --pending;
        raise("Full",
              std::to_string(MessageRing::capacity) + " confirmations are pending, which is the limit: wait for one");
    }
    ~ConfirmationReservation() {
        if (pending_ != nullptr) --*pending_;
    }
    ConfirmationReservation(const ConfirmationReservation&) = delete;
    ConfirmationReservation& operator=(const ConfirmationReservation&) = delete;

    /// Expects a report on the command with this sequence of this line. Runs no Python code.
    void expect(std::uint8_t line, std::uint32_t sequence, nb::handle confirmation, const nb::dict& expected) {
        pending_ = nullptr;
        nb::setattr(confirmation, "sequence", nb::int_(sequence));
        expected[nb::make_tuple(line, sequence)] = nb::weakref(confirmation);
    }

  private:
    std::atomic<std::size_t>* pending_;
};

/// Python's Line: a connection of its own, which open_line() made.
class LineHandle : public SenderHandle {
  public:
    LineHandle(nb::handle_t<SenderHandle> engine, bool all_events) {
        const std::shared_ptr<SharedEngine>& shared = made(engine).shared();
        shared->engine->require_open();
        const std::scoped_lock lock{shared->opening};
        opened_.emplace(shared->open_line(all_events ? Events::all : Events::own));
        connect(shared, &*opened_, false);
    }
    ~LineHandle() { close(); }
    LineHandle(const LineHandle&) = delete;
    LineHandle& operator=(const LineHandle&) = delete;

    void close() {
        if (shared() == nullptr) return;  // the constructor raised
        const std::scoped_lock lock{shared()->opening, sending_, receiving_};
        disconnect();
        opened_.reset();
    }
    [[nodiscard]] bool closed() {
        const std::scoped_lock lock{sending_};
        return !opened_.has_value();
    }

  private:
    std::optional<Line> opened_;
};

}  // namespace

const HandledKinds& SharedEngine::kinds_of(std::size_t part) const {
    if (part < kinds.size()) return kinds[part];
    raise("ArgumentError", "there is no part " + std::to_string(part) + ": " +
                               (kinds.size() == 1 ? "the engine has a single processor"
                                                  : "the engine has " + std::to_string(kinds.size() - 1)));
}

Line SharedEngine::open_line(Events events) {
    AmongLines among{0};
    for (std::size_t line = 0; line < engine->lines(); ++line) {
        Message left;
        while (offered_confirmations[line] > 0 && pending_confirmations[line] == 0 &&
               engine->receive_confirmation_of_closed(line, left) == Status::ok) {
            --offered_confirmations[line];
        }
        // Only those of extensions are dropped: Python requests no more than there is room for.
        if (offered_confirmations[line] <= engine->line_stats(line).confirmations.dropped) among.bits |= line_bit(line);
    }
    return engine->open_line(events, among);
}

Line SharedEngine::open_offered_line(Events events) {
    AmongLines among{0};
    for (std::size_t line = 0; line < engine->lines(); ++line) {
        if (pending_confirmations[line] == 0) among.bits |= line_bit(line);
    }
    return engine->open_line(events, among);
}

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
    if (!at.is_none()) {
        if (PyLong_Check(at.ptr()) == 0 && nb::isinstance<MusicalTime>(at)) {
            made(nb::handle_t<MusicalTime>{at}).set(delivery);
        } else {
            delivery.frame = checked_integer(frame_argument, at);
        }
    }
    delivery.flags |= checked_late(late);
    return delivery;
}

void SenderHandle::connect(std::shared_ptr<SharedEngine> shared, Line* line, bool every_line) {
    shared_ = std::move(shared);
    engine_ = shared_->engine.get();
    opened_line_ = line;
    every_line_ = every_line;
    line_ = line->number();
    shared_->open[line_] = this;
    shared_->discarded_events[line_] += line->discarded();
}

void SenderHandle::disconnect() {
    if (opened_line_ == nullptr) return;
    opened_line_->count_dropped(unsent_);
    shared_->raised_refusals += unsent_;  // each call raises ClosedError when it tries again
    opened_line_->stop_events();
    Message event;
    while (opened_line_->receive(event) == Status::ok) kept_.push_back(event);
    shared_->open[line_] = nullptr;
    opened_line_ = nullptr;
}

Message SharedEngine::checked_command(nb::handle object) {
    const Message* message = message_of(object.ptr());
    if (message == nullptr) refuse_message(object);
    const bool is_engines = message->kind < kind::first_processor;
    if (is_engines && (message->kind < kind::unload_buffer || message->kind > kind::unmap_midi)) {
        raise("ArgumentError", name_of(Py_TYPE(object.ptr())) + " cannot be sent: kinds below " +
                                   std::to_string(kind::first_processor) +
                                   " are the engine's own, and this one is of kind " + std::to_string(message->kind));
    }
    const std::size_t part = part_of(message->flags);
    const HandledKinds& handled = kinds_of(part);
    if (message->kind == kind::map_midi) {
        for (HandledKinds& of_part : kinds) of_part.map_midi();
    }
    if (!is_engines) handled.require(message->kind);
    Message command;
    command.kind = message->kind;
    command.flags = to_part(part);
    command.payload = message->payload;
    return command;
}

Message SenderHandle::checked_command(nb::handle object, nb::handle at, nb::handle late) const {
    Message command = shared_->checked_command(object);
    const Delivery delivery = checked_delivery(at, late);
    command.frame = delivery.frame;
    command.flags |= delivery.flags;
    return command;
}

void SenderHandle::throw_closed() {
    throw ClosedError{"this line is closed: open another one"};
}

nb::object SenderHandle::ping() {
    engine_->require_usable();
    const std::scoped_lock lock{sending_};
    return to_python(sender().ping());
}

bool SenderHandle::try_send(Message& command) {
    engine_->require_usable();
    const std::scoped_lock lock{sending_};
    if (Streams::takes(command.kind)) {
        if (sender().room() == 0) return false;  // see Engine::hand_over_stream()
        engine_->hand_over_stream(command);
    }
    return sender().try_send(command) == Status::ok;
}

bool SenderHandle::send_command(Message& command, Timeout& timeout, bool raises) {
    return send_within(timeout, {.is_cue = is_cue(command), .raises = raises}, [&] { return try_send(command); });
}

nb::object SenderHandle::send(nb::handle message, nb::handle at, nb::handle late, nb::handle seconds) {
    Message command = checked_command(message, at, late);
    Timeout timeout{seconds};
    return send_command(command, timeout) ? to_python(Status::ok) : no_room(timeout);
}

bool SenderHandle::make_room(const Left& left) {
    if (!left.is_cue) return false;
    const WithoutGil without_gil;
    return engine_->make_room(line_, left.places);
}

void SenderHandle::send_confirmed(nb::handle message, nb::handle at, nb::handle late, nb::handle seconds,
                                  nb::handle confirmation, const nb::dict& expected) {
    Message command = checked_command(message, at, late);
    command.flags |= delivery::confirm;
    Timeout timeout{seconds};
    ConfirmationReservation reservation{shared_->pending_confirmations[line_]};
    if (!send_command(command, timeout, true)) timeout.raise_full(ring_is_full() + why_no_block());
    reservation.expect(line_, command.sequence, confirmation, expected);
}

std::uint32_t SenderHandle::send_numbered(nb::handle message, nb::handle at, nb::handle late, nb::handle seconds) {
    Message command = checked_command(message, at, late);
    Timeout timeout{seconds};
    if (!send_command(command, timeout, true)) timeout.raise_full(ring_is_full() + why_no_block());
    return command.sequence;
}

std::uint32_t SenderHandle::send_whole(const nb::tuple& messages, nb::handle at, nb::handle late, nb::handle seconds,
                                       nb::handle confirmation, const nb::dict& expected) {
    const std::size_t count = messages.size();
    if (count == 0 || count > max_members) {
        raise("ArgumentError",
              "a transaction has 1 to " + std::to_string(max_members) + " messages, got " + std::to_string(count));
    }
    std::vector<Message> members;
    members.reserve(count);
    for (const nb::handle message : messages) members.push_back(shared_->checked_command(message));
    Delivery delivery = checked_delivery(at, late);
    Timeout timeout{seconds};
    std::optional<ConfirmationReservation> reservation;
    if (!confirmation.is_none()) {
        delivery.flags |= delivery::confirm;
        reservation.emplace(shared_->pending_confirmations[line_]);
    }
    std::uint32_t sequence = 0;
    const Left left{.is_cue = delivery.is_cue(), .commands = count + 1, .places = count + 1, .raises = true};
    const bool sent = send_within(timeout, left, [&] {
        engine_->require_usable();
        const std::scoped_lock lock{sending_};
        if (sender().room() <= count) return false;  // see Engine::hand_over_stream()
        for (const Message& member : members) engine_->hand_over_stream(member);
        sequence = sender().try_send_whole(members, delivery);
        return sequence != 0;
    });
    if (!sent) {
        timeout.raise_full("nothing was sent; a transaction of " + std::to_string(count) +
                           " messages needs room for one more than that in a ring of " +
                           std::to_string(MessageRing::capacity) + why_no_block());
    }
    if (reservation) reservation->expect(line_, sequence, confirmation, expected);
    return sequence;
}

std::uint32_t SenderHandle::send_automation(const nb::tuple& messages, const nb::tuple& times, const nb::tuple& curves,
                                            nb::handle seconds, nb::handle confirmation, const nb::dict& expected) {
    std::vector<Message> parts;
    parts.reserve(messages.size());
    std::vector<PendingBuffer> made(messages.size());
    for (std::size_t place = 0; place < messages.size(); ++place) {
        parts.push_back(checked_command(messages[place], times[place], nb::str{"apply"}));
        if (!curves[place].is_none()) made[place] = make_curve(curves[place], seconds);
    }
    return send_together(parts, made, seconds, confirmation, expected);
}

PendingBuffer SenderHandle::make_curve(nb::handle values, nb::handle seconds) {
    const auto array = nb::cast<nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>>(values);
    Timeout timeout{seconds};
    PendingBuffer curve;
    const Left nothing{.commands = 0};
    send_within(timeout, nothing, [&] {
        engine_->free_returned_buffers();
        curve = engine_->make_curve({array.data(), array.size()});
        return static_cast<bool>(curve);
    });
    if (!curve) {
        timeout.raise_full(std::to_string(max_curves) + " curves are loaded, which is the limit" + why_no_block());
    }
    return curve;
}

void SenderHandle::end_automation(nb::handle message, nb::handle at, std::uint32_t first, std::uint32_t count,
                                  nb::handle seconds, nb::handle confirmation, const nb::dict& expected) {
    std::vector<Message> commands;
    commands.reserve(count + 1);
    for (std::uint32_t part = 0; part < count; ++part)
        commands.push_back(Message::of(Cancel{sequence_after(first, part)}));
    commands.push_back(checked_command(message, at, nb::str{"apply"}));
    std::vector<PendingBuffer> no_curves(commands.size());
    send_together(commands, no_curves, seconds, confirmation, expected);
}

std::uint32_t SenderHandle::send_together(std::vector<Message>& commands, std::vector<PendingBuffer>& curves,
                                          nb::handle seconds, nb::handle confirmation, const nb::dict& expected) {
    const std::size_t count = commands.size();
    commands.back().flags |= delivery::confirm;
    Timeout timeout{seconds};
    ConfirmationReservation reservation{shared_->pending_confirmations[line_]};
    std::uint32_t first = 0;
    const Left left{.is_cue = is_cue(commands.back()), .commands = count, .places = count, .raises = true};
    const bool sent = send_within(timeout, left, [&] {
        engine_->require_usable();
        const std::scoped_lock lock{sending_};
        if (sender().room() < count) return false;
        first = sequence_after(sender().sequence());
        for (std::size_t place = 0; place < count; ++place) {
            Message& command = commands[place];
            if (command.kind != kind::automate) continue;
            auto part = command.as<Automate>();
            part.automation = place == 0 ? 0 : first;
            if (curves[place]) part.buffer = engine_->load_curve(std::move(curves[place]));  // now that there is room
            command.payload = Message::of(part).payload;
        }
        sender().try_send_each(
            [&](std::size_t place, Message& command) noexcept {
                command = commands[place];
                return true;
            },
            count);
        return true;
    });
    if (!sent) {
        timeout.raise_full("nothing was sent; this takes " + std::to_string(count) + " commands in a ring of " +
                           std::to_string(MessageRing::capacity) + why_no_block());
    }
    reservation.expect(line_, sequence_after(first, static_cast<std::uint32_t>(count - 1)), confirmation, expected);
    return first;
}

void SenderHandle::require_sendable(nb::handle message) const {
    (void)shared_->checked_command(message);
}

nb::object SenderHandle::cancel(nb::handle sequence) {
    const std::uint64_t number = checked_integer(sequence_argument, sequence);
    if (number == 0 || number > 0xFFFF'FFFFU) refuse_range(sequence_argument, sequence);
    engine_->require_usable();
    const std::scoped_lock lock{sending_};
    return to_python(sender().cancel(static_cast<std::uint32_t>(number)));
}

nb::object SenderHandle::cancel_all() {
    engine_->require_usable();
    const std::scoped_lock lock{sending_};
    return to_python(sender().cancel_all(every_line_));
}

nb::object SenderHandle::no_room(const Timeout& timeout) const {
    if (timeout.waits()) timeout.raise_full(ring_is_full() + why_no_block());
    return to_python(Status::full);
}

std::string SenderHandle::why_no_block() const {
    if (engine_->device().name() == "offline") return ": the offline device makes blocks only in render()";
    switch (engine_->state()) {
        case EngineState::not_started:
            return ": the engine was never started: use it in a 'with', or call start()";
        case EngineState::stopped:
            return ": the engine is stopped: call start()";
        case EngineState::closed:
            return ": the engine is closed";
        default:
            return {};
    }
}

Unsent::Unsent(SenderHandle& line, const Left& left) : line_{&line}, left_{&left}, commands_{left.commands} {
    const std::scoped_lock lock{line_->sending_};
    line_->unsent_ += commands_;
}

void Unsent::update(bool sent) {
    const std::scoped_lock lock{line_->sending_};
    const std::size_t left = sent ? 0 : left_->commands;
    line_->unsent_ -= commands_ - left;
    commands_ = left;
}

void Unsent::give_up(bool raises) {
    const std::scoped_lock lock{line_->sending_};
    const std::size_t commands = std::exchange(commands_, 0);
    line_->unsent_ -= commands;
    if (line_->opened_line_ == nullptr) return;  // disconnect() counted them
    line_->opened_line_->count_dropped(commands);
    if (raises) line_->shared_->raised_refusals += commands;
}

PendingSend::PendingSend(nb::handle_t<SenderHandle> line, nb::handle message, nb::handle at, nb::handle late)
    : line_{&made(line)}, command_{line_->checked_command(message, at, late)}, left_{.is_cue = is_cue(command_)} {}

namespace {

/// Takes a flag for as long as it lives, unless another thread has it.
class Turn {
  public:
    explicit Turn(std::atomic<bool>& taken) : taken_{taken.exchange(true) ? nullptr : &taken} {}
    ~Turn() {
        if (taken_ != nullptr) *taken_ = false;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    explicit operator bool() const { return taken_ != nullptr; }

  private:
    std::atomic<bool>* taken_;
};

}  // namespace

bool PendingSend::try_send() {
    const Turn turn{in_use_};
    if (!turn) return false;
    if (sent_) return true;
    do sent_ = line_->try_send(command_);
    while (!sent_ && line_->make_room(left_));
    if (!sent_ && !unsent_) unsent_.emplace(*line_, left_);
    if (sent_ && unsent_) unsent_->update(true);
    return sent_;
}

void PendingSend::give_up() {
    const Turn turn{in_use_};
    if (turn && unsent_) unsent_->give_up(true);
}

std::uint32_t SenderHandle::last_sequence() {
    engine_->require_own_process();
    const std::scoped_lock lock{sending_};
    return sender().sequence();
}

std::size_t SenderHandle::unsent() {
    const std::scoped_lock lock{sending_};
    return unsent_;
}

// Events

template <class Wanted>
Status SenderHandle::take_or_keep(Message& event, Wanted wanted) {
    if (opened_line_ == nullptr) return Status::empty;
    kept_.emplace_back();  // before the event is taken: this may throw
    const Status status = opened_line_->receive(kept_.back());
    if (status == Status::empty || wanted(kept_.back())) {
        event = kept_.back();
        kept_.pop_back();
    } else if (kept_.size() > MessageRing::capacity) {  // the oldest one makes room, and is lost
        kept_.pop_front();
        ++shared_->discarded_events[line_];
    }
    return status;
}

void SenderHandle::require_receivable() {
    if (opened_line_ == nullptr) throw_closed();
    engine_->require_usable();
}

nb::object SenderHandle::receive_msg() {
    engine_->require_own_process();
    Message event;
    {
        const std::scoped_lock lock{receiving_};
        if (!kept_.empty()) {
            event = kept_.front();
            kept_.pop_front();
        } else if (opened_line_ == nullptr || opened_line_->receive(event) == Status::empty) {
            require_receivable();
            return nb::none();
        }
    }
    return to_python(event);
}

nb::object SenderHandle::receive_of(const nb::tuple& kinds, std::uint32_t sequence) {
    engine_->require_own_process();
    std::vector<Kind> wanted_kinds;
    for (const nb::handle kind : kinds) wanted_kinds.push_back(nb::cast<Kind>(kind));
    const auto wanted = [&](const Message& event) {
        return std::ranges::find(wanted_kinds, event.kind) != wanted_kinds.end() &&
               (sequence == 0 || (event.sequence == sequence && event.line == line_));
    };
    Message event;
    {
        const std::scoped_lock lock{receiving_};
        if (const auto found = std::ranges::find_if(kept_, wanted); found != kept_.end()) {
            event = *found;
            kept_.erase(found);
        } else {
            Status status = Status::ok;
            while (status == Status::ok && event.kind == kind::none) status = take_or_keep(event, wanted);
            if (event.kind == kind::none) {
                require_receivable();
                return nb::none();
            }
        }
    }
    return to_python(event);
}

nb::object SenderHandle::receive_onto(nb::list messages) {
    nb::object message = receive_msg();
    if (!message.is_none()) messages.append(message);
    return message;
}

std::size_t SenderHandle::waiting() {
    engine_->require_own_process();
    const std::scoped_lock lock{receiving_};
    const std::size_t events = kept_.size() + (opened_line_ == nullptr ? 0 : opened_line_->waiting());
    if (events == 0) require_receivable();
    return events;
}

std::size_t SenderHandle::receive_into(nb::handle array) {
    const Records room = Records::write(array);
    engine_->require_own_process();
    const std::scoped_lock lock{receiving_};
    const std::span<Message> events = room.messages();
    std::size_t taken = 0;
    for (; taken < events.size() && !kept_.empty(); kept_.pop_front()) events[taken++] = kept_.front();
    return opened_line_ == nullptr ? taken : taken + opened_line_->receive(events.subspan(taken));
}

Status SenderHandle::receive_confirmation(Message& confirmation) {
    const std::scoped_lock lock{receiving_};
    return opened_line_ == nullptr ? Status::empty : opened_line_->receive_confirmation(confirmation);
}

double SenderHandle::polling_interval_s() const {
    return std::min(static_cast<double>(engine_->ns_until_news()) * 1e-9, max_polling_interval_s);
}

LineStats SenderHandle::line_stats() const {
    engine_->require_own_process();
    LineStats stats = engine_->line_stats(line_);
    stats.events.dropped += shared_->discarded_events[line_];
    return stats;
}

namespace {

void bind_sender_types(nb::module_& module) {
    nb::class_<SenderHandle> sender{module, "Sender", nb::is_weak_referenceable(),
                                    "A sender's connection to an engine. The engine itself is the sender of line 0."};
    Methods<SenderHandle>{sender}
        .add<&SenderHandle::ping>(
            "ping", {},
            "Send a ping to the audio thread, which answers with a Pong. Never blocks.\n\n"
            "If the command ring is full, the ping is dropped and counted, and Status.FULL is returned. Any thread\n"
            "may call it. Raises ClosedError, ForkedError, DeviceError.")
        .add<&SenderHandle::send>(
            "send", {{"message"}, {"at", nb::none()}, {"late", nb::str{"apply"}, true}, {"timeout", nb::int_{0}, true}},
            "Send a message to the audio thread. Unless you set a timeout, it never blocks.\n\n"
            "at: the frame at which it applies, exact to the sample; a Beat of the timeline, or next_bar(), "
            "next_beat()\n"
            "or next_grid(); None: as soon as the audio thread reads it.\n"
            "late: what happens if it is read after its frame: 'apply' it at once, or 'drop' it. Both are counted.\n"
            "timeout: if the ring is full, 0 returns Status.FULL at once, and the message is dropped and counted. A\n"
            "number of seconds waits that long for room, without the GIL, and then raises Full. None waits for "
            "ever.\n\n"
            "Any thread may call it. Raises ArgumentError, ArgumentTypeError, ProcessorError for a message that the\n"
            "processor does not handle, ClosedError, ForkedError, DeviceError.")
        .add<&SenderHandle::cancel>(
            "cancel", {{"sequence"}},
            "Cancel the cue with this sequence that was sent on this line.\n\n"
            "A transaction is cancelled as a whole. If the cue was applied already, nothing happens. Never blocks.\n"
            "Returns Status.FULL if the ring is full. Raises what send() raises.")
        .add<&SenderHandle::receive_msg>(
            "receive_msg", {},
            "Take the oldest message from the audio thread, or return None if there is none. Never blocks.\n\n"
            "Any thread may call it. After close(), it returns the messages that came before, and then raises\n"
            "ClosedError. Raises ForkedError, DeviceError.")
        .add<&SenderHandle::cancel_all>(
            "cancel_all", {},
            "Cancel the cues that were sent before: on an engine those of all its lines, on a line its own.\n\n"
            "Commands without a frame are unaffected. Never blocks. Returns Status.FULL if the ring is full.\n"
            "Raises what send() raises.");
    sender
        .def_prop_ro("last_sequence", of_made(&SenderHandle::last_sequence),
                     "The sequence of the last command that this line accepted, from any thread; 0 before the first.")
        .def_prop_ro("number", of_made(&SenderHandle::number),
                     "The number of the line: 0 for the engine's own, from 1 on for an opened one.")
        .def("_send_confirmed", of_made(&SenderHandle::send_confirmed), "message"_a.none(), "at"_a.none(),
             "late"_a.none(), "timeout"_a.none(), "confirmation"_a, "expected"_a,
             nb::sig("def _send_confirmed(self, message: object, at: typing.SupportsIndex | MusicalTime | None, "
                     "late: str, "
                     "timeout: float | None, confirmation: object, expected: dict[tuple[int, int], typing.Any]) "
                     "-> None"))
        .def("_send_whole", of_made(&SenderHandle::send_whole), "messages"_a, "at"_a.none(), "late"_a.none(),
             "timeout"_a.none(), "confirmation"_a.none(), "expected"_a,
             nb::sig(
                 "def _send_whole(self, messages: tuple[object, ...], at: typing.SupportsIndex | MusicalTime | None, "
                 "late: str, "
                 "timeout: float | None, confirmation: object, expected: dict[tuple[int, int], typing.Any]) "
                 "-> int"))
        .def("_send_automation", of_made(&SenderHandle::send_automation), "messages"_a, "times"_a, "curves"_a,
             "timeout"_a.none(), "confirmation"_a, "expected"_a,
             nb::sig("def _send_automation(self, messages: tuple[object, ...], "
                     "times: tuple[typing.SupportsIndex | MusicalTime | None, ...], "
                     "curves: tuple[numpy.typing.NDArray[numpy.float32] | None, ...], timeout: float | None, "
                     "confirmation: object, expected: dict[tuple[int, int], typing.Any]) -> int"))
        .def("_end_automation", of_made(&SenderHandle::end_automation), "message"_a, "at"_a.none(), "first"_a,
             "count"_a, "timeout"_a.none(), "confirmation"_a, "expected"_a,
             nb::sig("def _end_automation(self, message: object, at: typing.SupportsIndex | MusicalTime | None, "
                     "first: int, count: int, timeout: float | None, confirmation: object, "
                     "expected: dict[tuple[int, int], typing.Any]) -> None"))
        .def("_require_sendable", of_made(&SenderHandle::require_sendable), "message"_a.none(),
             nb::sig("def _require_sendable(self, message: object) -> None"))
        .def("_send_many", of_made(&SenderHandle::send_many), "array"_a, "array_kind"_a, "late"_a.none(),
             "timeout"_a.none(), "part"_a,
             nb::sig("def _send_many(self, array: numpy.typing.NDArray[numpy.void], array_kind: int, late: str, "
                     "timeout: float | None, part: int) -> int"))
        .def_prop_ro("_why_no_block", of_made(&SenderHandle::why_no_block))
        .def_prop_ro("_polling_interval_s", of_made(&SenderHandle::polling_interval_s))
        .def_prop_ro("_unsent", of_made(&SenderHandle::unsent))
        .def("_send_numbered", of_made(&SenderHandle::send_numbered), "message"_a.none(), "at"_a.none(),
             "late"_a.none(), "timeout"_a.none(),
             nb::sig("def _send_numbered(self, message: object, at: typing.SupportsIndex | MusicalTime | None, "
                     "late: str, "
                     "timeout: float | None) -> int"))
        .def("_receive_of", of_made(&SenderHandle::receive_of), "kinds"_a, "sequence"_a,
             nb::sig("def _receive_of(self, kinds: tuple[int, ...], sequence: int) -> Message | None"))
        .def("_receive_onto", of_made(&SenderHandle::receive_onto), "messages"_a,
             nb::sig("def _receive_onto(self, messages: list[Message]) -> Message | None"))
        .def("_waiting", of_made(&SenderHandle::waiting))
        .def("_receive_into", of_made(&SenderHandle::receive_into), "array"_a,
             nb::sig("def _receive_into(self, array: numpy.typing.NDArray[numpy.void]) -> int"))
        .def("_line_stats", of_made(&SenderHandle::line_stats));
    nb::class_<PendingSend>{module, "PendingSend", "A command that a task tries to send until there is room."}
        .def(nb::init<nb::handle_t<SenderHandle>, nb::handle, nb::handle, nb::handle>(), "line"_a, "message"_a.none(),
             "at"_a.none(), "late"_a.none(), nb::keep_alive<1, 2>(),
             nb::sig("def __init__(self, line: Sender, message: object, at: typing.SupportsIndex | MusicalTime | None, "
                     "late: str) "
                     "-> None"))
        .def("try_send", &PendingSend::try_send,
             "Try to send the command, and return whether it was sent. Raises what send() raises.")
        .def("give_up", &PendingSend::give_up, "If there was no room, count the command as dropped.");
    nb::class_<LineHandle, SenderHandle> line{module, "Line",
                                              "A connection to an engine, in addition to the engine's own."};
    Methods<LineHandle>{line}.add<&LineHandle::close>(
        "close", {},
        "Close the line. The audio thread still reads the commands that it accepted. A second call does nothing.");
    line.def(nb::init<nb::handle_t<SenderHandle>, bool>(), "engine"_a, "all_events"_a)
        .def_prop_ro("closed", of_made(&LineHandle::closed), "Whether close() was called.");
}

}  // namespace

void bind_senders(nb::module_& module) {
    bind_once<SenderHandle, PendingSend, LineHandle>(module, &bind_sender_types);
    module.def(
        "_require_delivery", [](nb::handle at, nb::handle late) { checked_delivery(at, late); }, "at"_a.none(),
        "late"_a.none(),
        nb::sig("def _require_delivery(at: typing.SupportsIndex | MusicalTime | None, late: str) "
                "-> None"));
    module.def("_bind_inherited", &bind_inherited, "type"_a, nb::sig("def _bind_inherited(type: type) -> None"));
}

}  // namespace cueline::python
