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

}  // namespace cueline::python
