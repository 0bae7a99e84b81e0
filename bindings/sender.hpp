// sender.hpp: what sends commands, as Python sees it: what an engine and a line have in common.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <cueline/control_side.hpp>
#include <cueline/message.hpp>

#include "engine/engine.hpp"

namespace cueline::python {

/// `at`: a frame or None; `late`: "apply" or "drop". Raises ArgumentError, ArgumentTypeError. Thread: control, with the
/// GIL.
Delivery checked_delivery(nanobind::handle at, nanobind::handle late);

/// What the lines of one engine share, for as long as one of them lives.
struct SharedEngine {
    std::unique_ptr<Engine> engine;
    std::atomic<std::size_t> confirmations = 0;  // asked for, and not yet received
};

/// The bits of a command's flags that "apply" or "drop" stands for. Raises ArgumentError, ArgumentTypeError.
std::uint8_t checked_late(nanobind::handle late);

/// Any Python thread may call any of it. A call that pushes holds the GIL throughout, and that makes all of them one
/// producer; on a build without a GIL the mutex does.
class SenderHandle {
  public:
    nanobind::object ping();

    /// `at`: a frame or None; `late`: "apply" or "drop"; `timeout`: seconds, or None for no wait.
    nanobind::object send(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                          nanobind::handle timeout);

    /// As send(), but that it never waits, and that what is refused is not counted: the caller tries again, or calls
    /// count_dropped().
    nanobind::object try_send(nanobind::handle message, nanobind::handle at, nanobind::handle late);

    /// Sends the messages of `array` from the one at `first` on, as many as there is room for: see Records. Those of
    /// no kind are of kind `own`; where that is a kind, there are no others. Where one cannot be sent, none is.
    /// Returns how many were accepted; the rest is not counted, as with try_send().
    std::size_t try_send_many(nanobind::handle array, std::size_t first, Kind own, nanobind::handle late);

    /// Raises what send() would raise of its arguments.
    static void require_sendable(nanobind::handle message, nanobind::handle at, nanobind::handle late);

    /// Counts commands as dropped: their sender has given up.
    void count_dropped(std::size_t commands);

    /// As send(), with a confirmation. Returns the command's sequence.
    std::uint32_t send_confirmed(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                                 nanobind::handle timeout);

    /// Sends all of `messages` or none. Returns the transaction's sequence.
    std::uint32_t send_whole(const nanobind::list& messages, nanobind::handle at, nanobind::handle late,
                             nanobind::handle timeout, bool confirm);

    nanobind::object cancel(nanobind::handle sequence);
    nanobind::object cancel_all();

    [[nodiscard]] std::uint32_t last_sequence();
    [[nodiscard]] std::uint8_t number() const { return line_; }
    [[nodiscard]] RingStats counts() const;

    /// How long whoever waits for the audio thread sleeps between two looks: half a block, within what a user does not
    /// notice. In seconds.
    [[nodiscard]] double polling_interval_s() const;

    /// What this line has in common with the others of its engine.
    [[nodiscard]] const std::shared_ptr<SharedEngine>& shared() const { return shared_; }

  protected:
    SenderHandle() = default;
    ~SenderHandle() = default;

    /// Opens this line: it sends with `sender`. `every_line`: cancel_all() cancels the cues of all lines. Called once.
    void connect(std::shared_ptr<SharedEngine> shared, CommandSender* sender, bool every_line);

    /// Closes this line. The caller holds sending_.
    void disconnect() { sender_ = nullptr; }

    /// The sender of this line. Throws ClosedError if the line is closed. The caller holds sending_ while it uses it.
    /// It throws C++'s error: that becomes Python's after sending_ is free, and so no Python code runs under the lock.
    [[nodiscard]] CommandSender& sender() const {
        if (sender_ == nullptr) throw_closed();
        return *sender_;
    }

    nanobind::ft_mutex sending_;
    Engine* engine_ = nullptr;  // shared_ owns it

  private:
    [[noreturn]] static void throw_closed();

    template <class Attempt>
    bool send_within(nanobind::handle timeout, std::size_t commands, Attempt attempt);

    std::shared_ptr<SharedEngine> shared_;
    CommandSender* sender_ = nullptr;  // none if the line is closed
    bool every_line_ = false;
    std::uint8_t line_ = 0;
};

/// Binds ping() and send() to a kind of line. To each by itself, and not to what they have in common alone: nanobind
/// finds out in 10 ns whether an object is of a type that its class derives from, and at once whether it is of its own.
template <class Handle, class... Bases>
void bind_sending(nanobind::class_<Handle, Bases...>& bound) {
    namespace nb = nanobind;
    using namespace nb::literals;
    bound
        .def(
            "ping", [](Handle& self) { return self.ping(); }, nb::sig("def ping(self) -> Status"),
            "Send a ping to the audio thread, which answers with a Pong.\n\n"
            "Never blocks. Returns Status.FULL when the command ring is full: the ping is dropped and counted.\n"
            "Any thread may call it: it holds the GIL while it pushes. Raises ClosedError, ForkedError, DeviceError.")
        .def(
            "send",
            [](Handle& self, nb::handle message, nb::handle at, nb::handle late, nb::handle timeout) {
                return self.send(message, at, late, timeout);
            },
            "message"_a.none(), "at"_a.none() = nb::none(), nb::kw_only(), "late"_a.none() = "apply",
            "timeout"_a.none() = nb::none(),
            nb::sig("def send(self, message: object, at: typing.SupportsIndex | None = None, *, "
                    "late: typing.Literal['apply', 'drop'] = 'apply', timeout: float | None = None) -> Status"),
            "Send a message to the audio thread, without a wait unless ``timeout`` says so.\n\n"
            "at: the frame at which it applies, not a sample before; None: as soon as it is read. late: 'apply' it at\n"
            "once when it comes after its frame, or 'drop' it; both are counted. timeout: None returns Status.FULL\n"
            "when the ring is full (it is dropped and counted); seconds wait so long for room, without the GIL, and\n"
            "raise Full.\n\n"
            "Any thread may call it. Raises ArgumentError, ArgumentTypeError, ClosedError, ForkedError, DeviceError.");
}

}  // namespace cueline::python
