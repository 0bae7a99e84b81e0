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
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <cueline/error.hpp>
#include <cueline/message.hpp>

#include "baseline.hpp"
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

// --- Messages ----------------------------------------------------------------------------------------------------

nb::bytes payload(const Message& message) {
    return nb::bytes{message.payload.data(), message.payload.size()};
}

/// What nanobind would look up for every call. Set once, as the types are bound, and kept to the end of the process.
struct Bound {
    std::array<PyObject*, 3> statuses{};  ///< Status.OK, FULL and EMPTY, by their numbers
    nb::handle message;
    nb::handle pong;
};
Bound bound;

/// As Python has it. Needs the GIL, as all here.
nb::object to_python(cueline::Status status) {
    return nb::borrow(bound.statuses.at(static_cast<std::size_t>(status)));
}

template <class Type>
nb::object instance_of(nb::handle type, const Type& value) {
    nb::object instance = nb::inst_alloc(type);
    new (nb::inst_ptr<Type>(instance)) Type{value};
    nb::inst_mark_ready(instance);
    return instance;
}

/// As Python has it: a Pong for a pong.
nb::object to_python(const Message& message) {
    if (message.kind == cueline::kind::pong) return instance_of(bound.pong, PongMessage{message});
    return instance_of(bound.message, message);
}

nb::bytes state(const Message& message) {
    return nb::bytes{&message, sizeof message};
}

/// For pickle: makes `message`, which is not made yet, of what state() said.
template <class Type>
void restore(Type& message, const nb::bytes& state) {
    const auto restored = Message::from_bytes({static_cast<const std::byte*>(state.data()), state.size()});
    if (!restored) {
        raise("ArgumentError",
              "a message is " + std::to_string(sizeof message) + " bytes, got " + std::to_string(state.size()));
    }
    if ((restored->kind == cueline::kind::pong) != std::is_same_v<Type, PongMessage>) {
        raise("ArgumentError", "a Pong, and nothing else, is of kind " + std::to_string(cueline::kind::pong) +
                                   ", got " + std::to_string(restored->kind));
    }
    new (&message) Type{*restored};
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

// --- The engine --------------------------------------------------------------------------------------------------

class EngineHandle {
  public:
    EngineHandle(const std::optional<std::string>& device, std::int64_t samplerate, std::int64_t blocksize,
                 std::int64_t channels, std::int64_t budget)
        : format_{cueline::checked_format(samplerate, blocksize, channels)} {
        std::unique_ptr<cueline::Device> opened = cueline::open_device(device, format_);
        offline_ = dynamic_cast<cueline::OfflineDevice*>(opened.get());
        name_ = opened->name();
        engine_ =
            std::make_unique<cueline::Engine>(std::move(opened), std::make_unique<cueline::SilenceProcessor>(), budget);
    }

    nb::object ping() {
        engine_->require_usable();
        const nb::ft_lock_guard lock{sending_};
        return to_python(engine_->control().ping());
    }

    nb::object receive_msg() {
        engine_->require_usable();
        Message message;
        {
            const nb::ft_lock_guard lock{receiving_};
            if (engine_->control().receive(message) == cueline::Status::empty) return nb::none();
        }
        return to_python(message);
    }

    void start() {
        const WithoutGil without_gil;
        engine_->start();
    }

    void stop() {
        engine_->require_own_process();
        const WithoutGil without_gil;
        engine_->stop();
    }

    void close() {
        const WithoutGil without_gil;
        engine_->close();
    }

    void render_into(const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& audio) {
        require_offline();
        if (rendering_.exchange(true)) {
            raise("DeviceError", "this engine is rendering already: one render() at a time");
        }
        const Rendering rendering{rendering_};
        engine_->start();
        const std::span<float> all{audio.data(), audio.size()};
        for (std::size_t done = 0; done < all.size();) {
            if (shutting_down) raise("ClosedError", "Python is ending: there is nobody to render for");
            const std::span<float> round = all.subspan(done, std::min(all.size() - done, samples_a_round()));
            bool stopped = false;
            {
                const WithoutGil without_gil;
                try {
                    offline_->render(round);
                } catch (const cueline::DeviceError&) {
                    stopped = true;  // by another thread, or a signal handler, since the round before
                }
            }
            engine_->require_usable();
            if (stopped) {
                raise("DeviceError", "stop() ended this render after " + std::to_string(done / format_.channels) +
                                         " of " + std::to_string(all.size() / format_.channels) + " frames");
            }
            if (PyErr_CheckSignals() != 0) throw nb::python_error{};
            done += round.size();
        }
    }

    /// That it can render.
    void require_offline() const {
        engine_->require_usable();
        if (offline_ != nullptr) return;
        raise("DeviceError", "render() needs the offline device, and this engine runs on the " + name_ +
                                 " device, which makes its own blocks: use AudioEngine('offline')");
    }

    [[nodiscard]] cueline::EngineStats stats() const {
        engine_->require_own_process();
        return engine_->stats();
    }
    [[nodiscard]] const cueline::Format& format() const { return format_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool closed() const { return engine_->closed(); }

  private:
    struct Rendering {
        std::atomic<bool>& flag;
        ~Rendering() { flag = false; }
    };

    /// Whole blocks, about a hundred thousand frames: what a Ctrl-C has to wait for.
    [[nodiscard]] std::size_t samples_a_round() const {
        const std::size_t blocks = std::max<std::size_t>(1, (std::size_t{1} << 17U) / format_.blocksize);
        return blocks * format_.blocksize * format_.channels;
    }

    cueline::Format format_;
    std::string name_;
    std::unique_ptr<cueline::Engine> engine_;
    cueline::OfflineDevice* offline_ = nullptr;  // the engine's device, when it is that
    std::atomic<bool> rendering_ = false;
    nb::ft_mutex sending_;
    nb::ft_mutex receiving_;
};

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
        .def("__copy__", [](const nb::object& self) { return self; })
        .def(
            "__deepcopy__", [](const nb::object& self, const nb::handle&) { return self; }, "memo"_a)
        .def("__getstate__", &state)
        .def("__setstate__", &restore<Message>)
        .def("__repr__", &text);

    nb::class_<PongMessage, Message>(module, "Pong", "The audio thread's answer to a ping.")
        .def_prop_ro(
            "sent_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().sent_ns; },
            "time.monotonic_ns() as the ping was sent.")
        .def_prop_ro(
            "block_ns", [](const PongMessage& pong) { return pong.as<cueline::Pong>().block_ns; },
            "time.monotonic_ns() as the block that answered began, as the device told it.")
        .def("__setstate__", &restore<PongMessage>)
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
        .def(nb::init<std::optional<std::string>, std::int64_t, std::int64_t, std::int64_t, std::int64_t>(),
             "device"_a.none(), "samplerate"_a, "blocksize"_a, "channels"_a, "budget"_a)
        .def("ping", &EngineHandle::ping, nb::sig("def ping(self) -> Status"),
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
        .def("_stats", &EngineHandle::stats)
        .def_prop_ro("closed", &EngineHandle::closed, "Whether close() was called.")
        .def_prop_ro("device", &EngineHandle::name, "The device it runs on, by name.")
        .def_prop_ro(
            "samplerate", [](const EngineHandle& self) { return self.format().samplerate; }, "Frames a second.")
        .def_prop_ro(
            "blocksize", [](const EngineHandle& self) { return self.format().blocksize; }, "Frames in a block.")
        .def_prop_ro("channels", [](const EngineHandle& self) { return self.format().channels; }, "Channels of audio.");
}

/// Types are bound once a process, and imported afresh as often as somebody empties sys.modules. Returns whether they
/// were there.
bool reuse_bound_types(nb::module_& module) {
    if (!nb::type<EngineHandle>().is_valid()) return false;
    module.attr("Status") = nb::type<cueline::Status>();
    module.attr("Message") = nb::type<Message>();
    module.attr("Pong") = nb::type<PongMessage>();
    module.attr("RingCounts") = nb::type<cueline::RingCounts>();
    module.attr("EngineStats") = nb::type<cueline::EngineStats>();
    module.attr("Engine") = nb::type<EngineHandle>();
    return true;
}

/// Keeps what was bound alive, whatever becomes of the module, and notes what calls need of it.
void keep_bound_types() {
    for (const nb::handle type :
         {nb::type<cueline::Status>(), nb::type<Message>(), nb::type<PongMessage>(), nb::type<cueline::RingCounts>(),
          nb::type<cueline::EngineStats>(), nb::type<EngineHandle>()}) {
        type.inc_ref();
    }
    for (const cueline::Status status : {cueline::Status::ok, cueline::Status::full, cueline::Status::empty}) {
        bound.statuses.at(static_cast<std::size_t>(status)) = nb::cast(status).release().ptr();
    }
    bound.message = nb::type<Message>();
    bound.pong = nb::type<PongMessage>();
}

void translate(const std::exception_ptr& error, void*) {
    const auto set = [](const char* name, const std::exception& thrown) {
        PyErr_SetString(nb::module_::import_("cueline.errors").attr(name).ptr(), thrown.what());
    };
    try {
        std::rethrow_exception(error);
    } catch (const cueline::ArgumentError& argument) {
        set("ArgumentError", argument);
    } catch (const cueline::DeviceError& device) {
        set("DeviceError", device);
    } catch (const cueline::ClosedError& closed) {
        set("ClosedError", closed);
    } catch (const cueline::ForkedError& forked) {
        set("ForkedError", forked);
    }
}

}  // namespace

NB_MODULE(_core, module) {
    module.doc() = "The compiled part of cueline. Use it through the package.";
    // At interpreter exit somebody may well still hold an engine, and that is no leak of ours.
    nb::set_leak_warnings(false);
    nb::register_exception_translator(&translate);
    module.attr("RING_CAPACITY") = cueline::CommandRing::capacity;
    if (!reuse_bound_types(module)) {
        bind_messages(module);
        bind_engine(module);
        keep_bound_types();
    }
    bind_baseline(module);
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&shut_down));
}
