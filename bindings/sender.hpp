// sender.hpp: how Python sends commands: what an engine and a line have in common.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <cueline/control_side.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>

#include "timeout.hpp"

namespace cueline::python {

/// Checks `at`, a frame or None, and `late`, "apply" or "drop". Raises ArgumentError, ArgumentTypeError.
Delivery checked_delivery(nanobind::handle at, nanobind::handle late);

/// Checks `late` and returns it as a command's flags. Raises ArgumentError, ArgumentTypeError.
std::uint8_t checked_late(nanobind::handle late);

/// An engine with its confirmations. The engine object, its lines, parameters and meters share it.
struct SharedEngine {
    std::unique_ptr<Engine> engine;
    std::atomic<std::size_t> pending_confirmations = 0;  // requested, and not yet received
    std::atomic<std::uint64_t> raised_refusals = 0;      // commands refused with an exception
    nanobind::ft_mutex writing_parameters;               // here, because an engine may have several views of them
    nanobind::ft_mutex reading_meters;
};

/// Python's Sender: one sender's connection to an engine. Its methods raise ClosedError, ForkedError or DeviceError if
/// nothing can be sent, and ArgumentError or ArgumentTypeError for a bad argument.
class SenderHandle {
  public:
    nanobind::object ping();

    /// `timeout`: seconds, 0 to return at once, or None to wait for ever.
    nanobind::object send(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                          nanobind::handle timeout);

    /// Sends like send() without waiting, but does not count a refused command as dropped. The caller tries again, or
    /// calls count_dropped().
    nanobind::object try_send(nanobind::handle message, nanobind::handle at, nanobind::handle late);

    /// Sends the records of `array` from index `first` on, as many as there is room for. If `array_kind` is a kind,
    /// records without a kind get it, and records of another kind are refused. If one record cannot be sent, none is
    /// sent. Returns how many were accepted. The others are not counted as dropped.
    std::size_t try_send_many(nanobind::handle array, std::size_t first, Kind array_kind, nanobind::handle late);

    /// Raises what send() raises for these arguments.
    static void require_sendable(nanobind::handle message, nanobind::handle at, nanobind::handle late);

    /// Counts `commands` as dropped: their sender has given up. `raises`: it does so with an exception.
    void count_dropped(std::size_t commands, bool raises);

    /// Sends like send(), with a confirmation. Returns the command's sequence. Raises Full if there is no room.
    std::uint32_t send_confirmed(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                                 nanobind::handle timeout);

    /// Sends all of `messages` or none. Returns the transaction's sequence. Raises Full if there is no room.
    std::uint32_t send_whole(const nanobind::list& messages, nanobind::handle at, nanobind::handle late,
                             nanobind::handle timeout, bool confirm);

    nanobind::object cancel(nanobind::handle sequence);
    nanobind::object cancel_all();

    [[nodiscard]] std::uint32_t last_sequence();
    [[nodiscard]] std::uint8_t number() const { return line_; }
    [[nodiscard]] RingStats command_stats() const;

    /// How long a thread that polls sleeps between two polls, in seconds: half a block, but 0.1 to 20 ms.
    [[nodiscard]] double polling_interval_s() const;

    [[nodiscard]] const std::shared_ptr<SharedEngine>& shared() const { return shared_; }

  protected:
    SenderHandle() = default;
    ~SenderHandle() = default;

    /// Makes this line send with `sender`. If `every_line`, cancel_all() cancels the cues of all lines. Call it once.
    void connect(std::shared_ptr<SharedEngine> shared, CommandSender* sender, bool every_line);

    /// Closes this line. The caller holds sending_.
    void disconnect() { sender_ = nullptr; }

    /// The sender of this line. The caller holds sending_ while it uses it. If the line is closed, this throws a C++
    /// exception. It becomes a Python exception after sending_ is free, so that no Python code runs under the lock.
    [[nodiscard]] CommandSender& sender() const {
        if (sender_ == nullptr) throw_closed();
        return *sender_;
    }

    /// Calls `attempt` until it returns true or the time is over. Other Python threads run between two calls. Returns
    /// whether it did. If an exception ends the wait, counts `commands` as dropped.
    template <class Attempt>
    bool send_within(Timeout& timeout, std::size_t commands, Attempt attempt) {
        bool sent = attempt();
        try {
            while (!sent && timeout.sleep(polling_interval_s())) sent = attempt();
        } catch (...) {
            count_dropped(commands, true);
            throw;
        }
        return sent;
    }

    /// Counts a command as dropped. Raises Full if `timeout` waits, else returns Status.FULL.
    nanobind::object no_room(const Timeout& timeout);

    /// Counts `commands` as dropped, and raises Full.
    [[noreturn]] void give_up(std::size_t commands, const Timeout& timeout, const std::string& why);

    nanobind::ft_mutex sending_;
    Engine* engine_ = nullptr;  // shared_ owns it

  private:
    [[noreturn]] static void throw_closed();

    /// Sends `command`, and sets its sequence. Returns false if there is no room in time.
    bool send_command(Message& command, Timeout& timeout);

    std::shared_ptr<SharedEngine> shared_;
    CommandSender* sender_ = nullptr;  // null if the line is closed
    bool every_line_ = false;
    std::uint8_t line_ = 0;
};

/// Binds ping() and send() to `Handle` itself and not only to Sender. If an object's class only derives from the class
/// that a method is bound to, nanobind needs 10 ns more for each call.
template <class Handle, class... Bases>
void bind_sending(nanobind::class_<Handle, Bases...>& bound) {
    namespace nb = nanobind;
    using namespace nb::literals;
    bound
        .def(
            "ping", [](Handle& self) { return self.ping(); }, nb::sig("def ping(self) -> Status"),
            "Send a ping to the audio thread, which answers with a Pong. Never blocks.\n\n"
            "If the command ring is full, the ping is dropped and counted, and Status.FULL is returned. Any thread\n"
            "may call it. Raises ClosedError, ForkedError, DeviceError.")
        .def(
            "send",
            [](Handle& self, nb::handle message, nb::handle at, nb::handle late, nb::handle timeout) {
                return self.send(message, at, late, timeout);
            },
            "message"_a.none(), "at"_a.none() = nb::none(), nb::kw_only(), "late"_a.none() = "apply",
            "timeout"_a.none() = 0,
            nb::sig("def send(self, message: object, at: typing.SupportsIndex | None = None, *, "
                    "late: typing.Literal['apply', 'drop'] = 'apply', timeout: float | None = 0) -> Status"),
            "Send a message to the audio thread. Unless you set a timeout, it never blocks.\n\n"
            "at: the frame at which it applies, exact to the sample; None: as soon as the audio thread reads it.\n"
            "late: what happens if it is read after its frame: 'apply' it at once, or 'drop' it. Both are counted.\n"
            "timeout: if the ring is full, 0 returns Status.FULL at once, and the message is dropped and counted. A\n"
            "number of seconds waits that long for room, without the GIL, and then raises Full. None waits for "
            "ever.\n\n"
            "Any thread may call it. Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.");
}

}  // namespace cueline::python
