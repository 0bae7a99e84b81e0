// sender.hpp: how Python sends commands and receives events: what an engine and a line have in common.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>
#include <cueline/message.hpp>

#include "handled_kinds.hpp"
#include "no_gil_mutex.hpp"
#include "timeout.hpp"

namespace cueline::python {

/// Checks `at`, a frame, a MusicalTime or None, and `late`, "apply" or "drop". Raises ArgumentError, ArgumentTypeError.
Delivery checked_delivery(nanobind::handle at, nanobind::handle late);

/// Checks `late` and returns it as a command's flags. Raises ArgumentError, ArgumentTypeError.
std::uint8_t checked_late(nanobind::handle late);

class SenderHandle;

/// An engine with its confirmations. The engine object, its lines, parameters and meters share it.
struct SharedEngine {
    std::unique_ptr<Engine> engine;
    std::deque<HandledKinds> kinds;               // by part; the first is that of all parts, or of the only processor
    NoGilMutex opening;                           // guards `open`
    std::array<SenderHandle*, max_lines> open{};  // by line
    // Held while a thread moves reports to Python. Another thread would find that the report is gone, and its
    // confirmation does not have it yet.
    // It is the first of all mutexes, and Python's own, because it is held while Python stores them.
    nanobind::ft_mutex collecting;
    // By line, for all its owners: confirmations that were requested and not yet received.
    std::array<std::atomic<std::size_t>, max_lines> pending_confirmations{};
    // The same for lines of extensions. The confirmations of a line go to its owner, whoever sent the command. So a
    // line passes from Python to an extension, or back, only when none are pending: see the two functions.
    std::array<std::atomic<std::size_t>, max_lines> offered_confirmations{};
    // By line, for all its owners: events that a caller who waited for others left, and that had no room any more; and
    // those that came while the line was closing.
    std::array<std::atomic<std::uint64_t>, max_lines> discarded_events{};
    std::atomic<std::uint64_t> raised_refusals = 0;  // commands refused with an exception

    /// Raises ArgumentError if there is no such part; 0 stands for all.
    [[nodiscard]] const HandledKinds& kinds_of(std::size_t part) const;

    /// The kind and payload of `object`, which must be a message that a user may send and the processor handles.
    [[nodiscard]] Message checked_command(nanobind::handle object);

    /// Opens a line for Python, or for an extension. The caller holds `opening`. Throws LinesTakenError.
    [[nodiscard]] Line open_line(Events events);
    [[nodiscard]] Line open_offered_line(Events events);
};

/// What a call still has to send.
struct Left {
    bool is_cue = false;       ///< whether the next command is one
    std::size_t commands = 1;  ///< how many there are
    std::size_t places = 1;    ///< how many of them the ring must take at once
    bool raises = false;       ///< whether the call raises Full even if it does not wait
};

/// The commands of a call that found no room, while it tries again. They are counted as dropped when the call ends by
/// an exception or gives up, or when the line is closed meanwhile; each once.
class Unsent {
  public:
    /// `left` must outlive it.
    Unsent(SenderHandle& line, const Left& left);
    /// Counts what is left: the call ends with an exception.
    ~Unsent() { give_up(true); }
    Unsent(const Unsent&) = delete;
    Unsent& operator=(const Unsent&) = delete;

    /// Call it after each attempt. `sent`: nothing is left.
    void update(bool sent);

    /// Counts what is left. `raises`: the call then raises an exception. The second call does nothing.
    void give_up(bool raises);

  private:
    SenderHandle* line_;
    const Left* left_;
    std::size_t commands_;  // of line_->unsent_
};

/// Python's PendingSend: a command that a task tries to send until there is room.
class PendingSend {
  public:
    /// `line` must outlive it. Raises what send() raises for these arguments.
    PendingSend(nanobind::handle_t<SenderHandle> line, nanobind::handle message, nanobind::handle at,
                nanobind::handle late);

    /// Returns whether the command was sent, now or before. Returns false while another thread tries. Raises what
    /// send() raises.
    bool try_send();

    /// Counts the command as dropped if there was no room for it, and no other thread tries. The destructor does the
    /// same.
    void give_up();

  private:
    SenderHandle* line_;
    Message command_;
    Left left_;
    std::optional<Unsent> unsent_;
    bool sent_ = false;
    std::atomic<bool> in_use_ = false;  // by one thread, which may release the GIL meanwhile
};

/// Python's Sender: one sender's connection to an engine. Its methods raise ClosedError, ForkedError or DeviceError if
/// nothing can be sent, and ArgumentError or ArgumentTypeError for a bad argument. Events that came before the line or
/// the engine was closed, or before the device was lost, can still be received; then receiving raises, too.
class SenderHandle {
  public:
    nanobind::object ping();

    /// `seconds`: the timeout, 0 to return at once, or None to wait for ever.
    nanobind::object send(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                          nanobind::handle seconds);

    /// Sends the records of `array` in order. If `array_kind` is a kind, records without a kind get it, and records of
    /// another kind are refused. If one record cannot be sent, none is sent. Returns how many were accepted in time.
    /// The others are counted as dropped; if `seconds` is not 0, the caller raises Full. `part`: see to_part().
    std::size_t send_many(nanobind::handle array, Kind array_kind, nanobind::handle late, nanobind::handle seconds,
                          std::size_t part);

    /// Copies of the records of `array`, each with its kind, as send_many() would send them. Raises what that raises.
    [[nodiscard]] std::vector<Message> checked_records(nanobind::handle array, Kind array_kind, std::size_t part) const;

    /// Raises what send() raises for this message.
    void require_sendable(nanobind::handle message) const;

    /// Sends like send(), with a confirmation. Raises Full if there is no room. No exception, such as Ctrl-C, can come
    /// between sending and expecting: sets `confirmation.sequence`, and adds a weak reference to `expected`, by line
    /// and sequence.
    void send_confirmed(nanobind::handle message, nanobind::handle at, nanobind::handle late, nanobind::handle seconds,
                        nanobind::handle confirmation, const nanobind::dict& expected);

    /// Sends like send(), and returns the command's sequence. Raises Full if there is no room.
    std::uint32_t send_numbered(nanobind::handle message, nanobind::handle at, nanobind::handle late,
                                nanobind::handle seconds);

    /// Sends all of `messages` or none. Returns the transaction's sequence. Raises Full if there is no room. Expects
    /// `confirmation` as send_confirmed() does, unless it is None.
    std::uint32_t send_whole(const nanobind::tuple& messages, nanobind::handle at, nanobind::handle late,
                             nanobind::handle seconds, nanobind::handle confirmation, const nanobind::dict& expected);

    /// Sends all parts of an automation or none: messages of kind::automate, each with a time. Returns the sequence of
    /// the first, which the others name. Expects `confirmation` for the last one. Raises Full if there is no room.
    /// `curves` are arrays of float32, or None. Also raises Full if no more curves can be loaded.
    std::uint32_t send_automation(const nanobind::tuple& messages, const nanobind::tuple& times,
                                  const nanobind::tuple& curves, nanobind::handle seconds,
                                  nanobind::handle confirmation, const nanobind::dict& expected);

    /// Cancels `count` commands from the sequence `first` on, and sends `message`: all of it or nothing. Expects
    /// `confirmation` for the message. Raises Full if there is no room.
    void end_automation(nanobind::handle message, nanobind::handle at, std::uint32_t first, std::uint32_t count,
                        nanobind::handle seconds, nanobind::handle confirmation, const nanobind::dict& expected);

    /// Sends `command` once. Returns false, and counts nothing, if there is no room.
    bool try_send(Message& command);

    nanobind::object cancel(nanobind::handle sequence);
    nanobind::object cancel_all();

    /// Takes the oldest event. Returns None if there is none.
    nanobind::object receive_msg();

    /// Takes the oldest event of one of `kinds`, and leaves the others in their order. If `sequence` is not 0, it must
    /// answer the command with that sequence.
    nanobind::object receive_of(const nanobind::tuple& kinds, std::uint32_t sequence);

    /// Takes the oldest event and appends it to `messages`. Nothing can come in between, such as Ctrl-C. Returns the
    /// event, or None.
    nanobind::object receive_onto(nanobind::list messages);

    /// How many events can be received now.
    [[nodiscard]] std::size_t waiting();

    /// Takes the waiting events, as many as `array` has room for. Returns their number.
    std::size_t receive_into(nanobind::handle array);

    /// Takes a confirmation of this line, of whatever owner. [any thread, under SharedEngine::opening]
    Status receive_confirmation(Message& confirmation);

    [[nodiscard]] std::uint32_t last_sequence();
    [[nodiscard]] std::uint8_t number() const { return line_; }
    [[nodiscard]] LineStats line_stats() const;

    /// How many commands wait for room in the ring, of all threads' calls.
    [[nodiscard]] std::size_t unsent();

    /// Why no block comes that would read commands and answer, to end an error's text with. Empty if blocks come.
    [[nodiscard]] std::string why_no_block() const;

    /// How long a thread that polls sleeps until its next look, in seconds, at most 20 ms: until just after the next
    /// block that can bring something.
    [[nodiscard]] double polling_interval_s() const;

    [[nodiscard]] const std::shared_ptr<SharedEngine>& shared() const { return shared_; }

  protected:
    SenderHandle() = default;
    ~SenderHandle() = default;

    /// Makes this line send with `sender`. If `every_line`, cancel_all() cancels the cues of all lines. Call it once.
    void connect(std::shared_ptr<SharedEngine> shared, Line* line, bool every_line);

    /// Closes this line. What its senders still wait to send is counted as dropped. Its events can still be received.
    /// The caller holds SharedEngine::opening, sending_ and receiving_.
    void disconnect();

    /// The sender of this line. The caller holds sending_ while it uses it. If the line is closed, this throws a C++
    /// exception. It becomes a Python exception after sending_ is free, so that no Python code runs under the lock.
    [[nodiscard]] Line& sender() const {
        if (opened_line_ == nullptr) throw_closed();
        return *opened_line_;
    }

    /// Calls `attempt` until it returns true or the time is over, and returns whether it did. `attempt` keeps `left` up
    /// to date. Other Python threads run between two calls. If it does not return true, what is left is counted as
    /// dropped.
    template <class Attempt>
    bool send_within(Timeout& timeout, const Left& left, Attempt attempt) {
        if (attempt()) return true;
        Unsent unsent{*this, left};
        while (make_room(left) || timeout.sleep(polling_interval_s())) {
            const bool sent = attempt();
            unsent.update(sent);
            if (sent) return true;
        }
        unsent.give_up(timeout.waits() || left.raises);
        return false;
    }

    /// Raises Full if `timeout` waits, else returns Status.FULL.
    [[nodiscard]] nanobind::object no_room(const Timeout& timeout) const;

    /// Makes room for the next command if it is a cue and this is the offline device: see Engine::make_room().
    bool make_room(const Left& left);

    NoGilMutex sending_;
    NoGilMutex receiving_;
    Engine* engine_ = nullptr;  // shared_ owns it

  private:
    friend class Unsent;
    friend class PendingSend;

    [[noreturn]] static void throw_closed();

    /// SharedEngine::checked_command(), with its frame and flags.
    [[nodiscard]] Message checked_command(nanobind::handle object, nanobind::handle at, nanobind::handle late) const;

    [[nodiscard]] PendingBuffer make_curve(nanobind::handle values, nanobind::handle seconds);

    /// Sends all of `commands` or none, and returns the sequence of the first. The parts of an automation name that,
    /// and get their curves.
    std::uint32_t send_together(std::vector<Message>& commands, std::vector<PendingBuffer>& curves,
                                nanobind::handle seconds, nanobind::handle confirmation,
                                const nanobind::dict& expected);

    /// Sends `command`, and sets its sequence. Returns false if there is no room in time: then it is counted as
    /// dropped. `raises`: the caller raises Full then.
    bool send_command(Message& command, Timeout& timeout, bool raises = false);

    /// Takes the next waiting event, and keeps it for a later call unless `wanted` returns true for it.
    template <class Wanted>
    Status take_or_keep(Message& event, Wanted wanted);

    /// Raises if no event can come any more.
    void require_receivable();

    std::shared_ptr<SharedEngine> shared_;
    Line* opened_line_ = nullptr;  // null if the line is closed
    std::size_t unsent_ = 0;       // commands of calls that wait for room; under sending_
    std::deque<Message> kept_;     // events that came before one that a caller waited for; under receiving_
    bool every_line_ = false;
    std::uint8_t line_ = 0;
};

}  // namespace cueline::python
