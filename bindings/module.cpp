// module.cpp: cueline._core: the engine and its messages as Python sees them. Translation only.
//
// Threads. A call that pushes or pops holds the GIL throughout, and that is what makes any number of Python threads
// one producer and one consumer. On a build without a GIL the two ft_mutex of EngineHandle do the same; they are
// the control side's alone. Calls that may wait (start, stop, close, render) let go of the GIL. The audio thread
// takes no part in any of this.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "engine.hpp"
#include "fork_generation.hpp"
#include "offline_device.hpp"
#include "open_device.hpp"
#include "range.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using cueline::Message;

/// A message whose kind is pong, so that Python can tell by its type.
struct PongMessage : Message {};

/// Raises `cueline.errors.<name>`.
[[noreturn]] void raise(const char* name, const std::string& text) {
    const nb::object type = nb::module_::import_("cueline.errors").attr(name);
    PyErr_SetString(type.ptr(), text.c_str());
    throw nb::python_error{};
}

// --- Letting go of the GIL ---------------------------------------------------------------------------------------

// When Python ends, a daemon thread that asks for the GIL back is ended on the spot, in the middle of our C++, which
// the language does not survive. So before Python ends, shut_down() waits until none is without it, and from then on
// nobody lets go of it. (From 3.14 on such threads are hung instead; this does no harm there.)
std::atomic<bool> shutting_down = false;
std::atomic<int> threads_without_gil = 0;

/// A forked child has one thread, whatever its parent had. Called with the GIL.
void forget_the_parents_threads() {
    static unsigned generation = cueline::fork_generation();
    if (generation == cueline::fork_generation()) return;
    generation = cueline::fork_generation();
    threads_without_gil = 0;
}

class WithoutGil {
  public:
    WithoutGil() {
        if (shutting_down.load()) return;
        forget_the_parents_threads();
        ++threads_without_gil;
        state_ = PyEval_SaveThread();
    }
    ~WithoutGil() {
        if (state_ == nullptr) return;
        PyEval_RestoreThread(state_);
        --threads_without_gil;
    }
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    PyThreadState* state_ = nullptr;
};

void shut_down() {
    using namespace std::chrono_literals;
    shutting_down = true;
    forget_the_parents_threads();
    for (auto waited = 0ms; threads_without_gil > 0 && waited < 5000ms; waited += 1ms) {
        const nb::gil_scoped_release released;
        std::this_thread::sleep_for(1ms);
    }
}

// --- Arguments ---------------------------------------------------------------------------------------------------

/// The number that `value` stands for; one too large for us is out of any range of ours.
std::int64_t integer(const char* name, nb::handle value, const cueline::Range& range) {
    if (PyIndex_Check(value.ptr()) == 0) {
        raise("ArgumentTypeError", std::string{name} + " must be an integer, got " + nb::repr(value).c_str());
    }
    const nb::object index = nb::steal(PyNumber_Index(value.ptr()));
    if (!index.is_valid()) throw nb::python_error{};
    int overflow = 0;
    const std::int64_t number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow != 0) cueline::refuse(name, range, nb::repr(index).c_str());
    return number;
}

std::optional<std::string> device_name(nb::handle value) {
    if (value.is_none()) return std::nullopt;
    std::string name;
    if (!nb::try_cast(value, name)) {
        raise("ArgumentTypeError", std::string{"device must be a name or None, got "} + nb::repr(value).c_str());
    }
    return name;
}

// --- The engine --------------------------------------------------------------------------------------------------

class EngineHandle {
  public:
    EngineHandle(nb::handle device, nb::handle samplerate, nb::handle blocksize, nb::handle channels, nb::handle budget)
        : format_{cueline::checked_format(integer("samplerate", samplerate, cueline::samplerate_range),
                                          integer("blocksize", blocksize, cueline::blocksize_range),
                                          integer("channels", channels, cueline::channels_range))} {
        const std::int64_t messages = integer("budget", budget, cueline::budget_range);
        std::unique_ptr<cueline::Device> opened = cueline::open_device(device_name(device), format_);
        offline_ = dynamic_cast<cueline::OfflineDevice*>(opened.get());
        name_ = opened->name();
        engine_ = std::make_unique<cueline::Engine>(std::move(opened), std::make_unique<cueline::SilenceProcessor>(),
                                                    messages);
    }

    /// Python may be at its end here: the GIL is kept. The audio thread does not need it to stop.
    ~EngineHandle() {
        if (forked()) static_cast<void>(engine_.release());  // the parent's: its thread and locks are not here
    }
    EngineHandle(const EngineHandle&) = delete;
    EngineHandle& operator=(const EngineHandle&) = delete;

    cueline::Status ping() {
        require_open();
        const nb::ft_lock_guard lock{sending_};
        return engine_->control().ping();
    }

    nb::object receive_msg() {
        require_open();
        Message message;
        {
            const nb::ft_lock_guard lock{receiving_};
            if (engine_->control().receive(message) == cueline::Status::empty) return nb::none();
        }
        if (message.kind == cueline::kind::pong) return nb::cast(PongMessage{message});
        return nb::cast(message);
    }

    void start() {
        require_open();
        const WithoutGil without_gil;
        engine_->start();
    }

    void stop() {
        require_same_process();
        const WithoutGil without_gil;
        engine_->stop();
    }

    void close() {
        if (forked() || closed_.exchange(true)) return;
        const WithoutGil without_gil;
        engine_->stop();
    }

    void render_into(const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& audio) {
        require_open();
        require_offline();
        if (rendering_.exchange(true)) {
            raise("DeviceError", "this engine is rendering already: one render() at a time");
        }
        const Rendering rendering{rendering_};
        std::span<float> rest{audio.data(), audio.size()};
        while (!rest.empty()) {
            require_open();  // another thread, or a signal handler, may have closed it between two rounds
            if (shutting_down) raise("ClosedError", "Python is ending: there is nobody to render for");
            const std::size_t round = std::min(rest.size(), samples_a_round());
            {
                const WithoutGil without_gil;
                engine_->start();
                offline_->render(rest.first(round));
            }
            if (PyErr_CheckSignals() != 0) throw nb::python_error{};
            rest = rest.subspan(round);
        }
    }

    void require_offline() const {
        if (offline_ != nullptr) return;
        raise("DeviceError", "render() needs the offline device, and this engine runs on the " + name_ +
                                 " device, which makes its own blocks: use AudioEngine('offline')");
    }

    [[nodiscard]] cueline::EngineStats stats() const {
        require_same_process();
        return engine_->stats();
    }
    [[nodiscard]] const cueline::Format& format() const { return format_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool closed() const { return closed_; }

    void require_open() const {
        if (closed_.load(std::memory_order_relaxed)) {
            raise("ClosedError", "this engine is closed: make a new one");
        }
        require_same_process();
    }

  private:
    struct Rendering {
        std::atomic<bool>& flag;
        ~Rendering() { flag = false; }
    };

    [[nodiscard]] bool forked() const { return cueline::fork_generation() != generation_; }

    void require_same_process() const {
        if (forked()) {
            raise("ForkedError",
                  "this engine belongs to the parent process, where its audio thread is: make a new one here");
        }
    }

    /// Whole blocks, about a hundred thousand frames: what a Ctrl-C has to wait for.
    [[nodiscard]] std::size_t samples_a_round() const {
        const std::size_t blocks = std::max<std::size_t>(1, (std::size_t{1} << 17U) / format_.blocksize);
        return blocks * format_.blocksize * format_.channels;
    }

    cueline::Format format_;
    std::string name_;
    std::unique_ptr<cueline::Engine> engine_;
    cueline::OfflineDevice* offline_ = nullptr;  // the engine's device, when it is that
    unsigned generation_ = cueline::fork_generation();
    std::atomic<bool> closed_ = false;
    std::atomic<bool> rendering_ = false;
    nb::ft_mutex sending_;
    nb::ft_mutex receiving_;
};

// --- Messages ----------------------------------------------------------------------------------------------------

nb::bytes payload(const Message& message) {
    return nb::bytes{message.payload.data(), message.payload.size()};
}

bool same(const Message& left, const Message& right) {
    return left.kind == right.kind && left.sequence == right.sequence && left.frame == right.frame &&
           left.payload == right.payload;
}

std::string text(const Message& message) {
    return "Message(kind=" + std::to_string(message.kind) + ", sequence=" + std::to_string(message.sequence) +
           ", frame=" + std::to_string(message.frame) + ")";
}

std::string pong_text(const PongMessage& pong) {
    return "Pong(sequence=" + std::to_string(pong.sequence) + ", frame=" + std::to_string(pong.frame) + ")";
}

void bind_messages(nb::module_& module) {
    nb::enum_<cueline::Status>(module, "Status", nb::is_arithmetic(), "What became of an attempt.")
        .value("OK", cueline::Status::ok)
        .value("FULL", cueline::Status::full, "Refused, nothing changed: the ring holds all it can.")
        .value("EMPTY", cueline::Status::empty, "Nothing to take.");

    nb::class_<Message>(module, "Message", "An event from the audio thread. A value: it does not change.")
        .def_ro("kind", &Message::kind, "What it is: below 256 cueline's own kinds, from there on the user's.")
        .def_ro("sequence", &Message::sequence, "The sequence of the command it answers, or 0.")
        .def_ro("frame", &Message::frame, "The first frame of the block that sent it.")
        .def_prop_ro("payload", &payload, "Its 40 bytes of payload.")
        .def("__eq__", &same, nb::is_operator(), nb::sig("def __eq__(self, other: object, /) -> bool"))
        .def("__hash__",
             [](const Message& message) {
                 return nb::hash(nb::make_tuple(message.kind, message.sequence, message.frame, payload(message)));
             })
        .def("__repr__", &text);

    nb::class_<PongMessage, Message>(module, "Pong", "The audio thread's answer to a ping.")
        .def_prop_ro(
            "sent_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().sent_ns; },
            "time.monotonic_ns() as the ping was sent.")
        .def_prop_ro(
            "block_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().block_ns; },
            "time.monotonic_ns() as the block that answered began, as the device told it.")
        .def("__repr__", &pong_text);
}

void bind_engine(nb::module_& module) {
    using cueline::EngineStats;
    using cueline::RingCounts;

    nb::class_<RingCounts>(module, "RingCounts")
        .def_ro("sent", &RingCounts::sent)
        .def_ro("dropped", &RingCounts::dropped)
        .def_ro("high_water", &RingCounts::high_water);

    nb::class_<EngineStats>(module, "EngineStats")
        .def_ro("blocks", &EngineStats::blocks)
        .def_ro("frames", &EngineStats::frames)
        .def_ro("unhandled", &EngineStats::unhandled)
        .def_ro("commands", &EngineStats::commands)
        .def_ro("events", &EngineStats::events)
        .def_prop_ro("xruns", [](const EngineStats& stats) { return stats.device_stats.xruns; })
        .def_prop_ro("missed_blocks", [](const EngineStats& stats) { return stats.device_stats.missed_blocks; })
        .def_prop_ro("load_mean", [](const EngineStats& stats) { return stats.device_stats.load_mean; })
        .def_prop_ro("load_peak", [](const EngineStats& stats) { return stats.device_stats.load_peak; })
        .def_prop_ro("realtime_priority", [](const EngineStats& stats) { return stats.device_stats.realtime_priority; })
        .def_prop_ro("memory_locked", [](const EngineStats& stats) { return stats.device_stats.memory_locked; });

    nb::class_<EngineHandle>(module, "Engine", nb::is_weak_referenceable(),
                             "A link, the quiet processor and a device, run together.")
        .def(nb::init<nb::handle, nb::handle, nb::handle, nb::handle, nb::handle>(), "device"_a.none(),
             "samplerate"_a.none(), "blocksize"_a.none(), "channels"_a.none(), "budget"_a.none(),
             nb::sig("def __init__(self, device: str | None, samplerate: int, blocksize: int, channels: int, "
                     "budget: int) -> None"))
        .def("ping", &EngineHandle::ping,
             "Send a ping to the audio thread, which answers with a Pong.\n\n"
             "Never blocks. Returns Status.FULL when the command ring is full: the ping is dropped and counted.\n"
             "Any thread may call it: it holds the GIL while it pushes. Raises ClosedError, ForkedError.")
        .def("receive_msg", &EngineHandle::receive_msg, nb::sig("def receive_msg(self) -> Message | None"),
             "Take the oldest message from the audio thread, or return None when there is none.\n\n"
             "Never blocks. Any thread may call it: it holds the GIL while it pops. Raises ClosedError,\n"
             "ForkedError.")
        .def("start", &EngineHandle::start,
             "Let the audio run; nothing to do when it does. Raises ClosedError, ForkedError, DeviceError.")
        .def("stop", &EngineHandle::stop,
             "Let the audio stand still; nothing to do when it does. What is sent meanwhile waits.\n"
             "Raises ForkedError.")
        .def("close", &EngineHandle::close,
             "Stop for good; nothing to do the second time, or in a forked child. stats() still answers.")
        .def("_render_into", &EngineHandle::render_into, "audio"_a.noconvert(),
             nb::sig("def _render_into(self, audio: numpy.typing.NDArray[numpy.float32]) -> None"))
        .def("_require_offline", &EngineHandle::require_offline)
        .def("_require_open", &EngineHandle::require_open)
        .def("_stats", &EngineHandle::stats)
        .def_prop_ro("closed", &EngineHandle::closed, "Whether close() was called.")
        .def_prop_ro("device", &EngineHandle::name, "The device it runs on, by name.")
        .def_prop_ro(
            "samplerate", [](const EngineHandle& self) { return self.format().samplerate; }, "Frames a second.")
        .def_prop_ro(
            "blocksize", [](const EngineHandle& self) { return self.format().blocksize; }, "Frames in a block.")
        .def_prop_ro("channels", [](const EngineHandle& self) { return self.format().channels; }, "Channels of audio.");
}

void translate(const std::exception_ptr& error, void*) {
    try {
        std::rethrow_exception(error);
    } catch (const cueline::ArgumentError& argument) {
        PyErr_SetString(nb::module_::import_("cueline.errors").attr("ArgumentError").ptr(), argument.what());
    } catch (const cueline::DeviceError& device) {
        PyErr_SetString(nb::module_::import_("cueline.errors").attr("DeviceError").ptr(), device.what());
    }
}

}  // namespace

NB_MODULE(_core, module) {
    module.doc() = "The compiled part of cueline. Use it through the package.";
    // At interpreter exit somebody may well still hold an engine, and that is no leak of ours.
    nb::set_leak_warnings(false);
    nb::register_exception_translator(&translate);
    module.attr("RING_CAPACITY") = cueline::CommandRing::capacity;
    bind_messages(module);
    bind_engine(module);
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&shut_down));
}
