// probe.cpp: an extension module with a processor of its own, and with ways to offer it wrongly. Plain C API: what any
// binding tool is made of.
#include <Python.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <cueline/python.hpp>

namespace {

std::atomic<int> alive = 0;

struct Say {
    static constexpr cueline::Kind kind = 300;
    double number;
};
struct Said {
    static constexpr cueline::Kind kind = 301;
    double number;
    std::uint64_t at;
};

/// Is applied with `value`, or refused for the reason with that number, or applied with `value` at `frame`.
struct Ask {
    static constexpr cueline::Kind kind = 302;
    std::uint32_t how;
    std::uint32_t value;
    std::uint64_t frame;
};

/// Adds the first sample of a loaded buffer from now on, and releases the one before; 0: adds nothing.
struct Hold {
    static constexpr cueline::Kind kind = 303;
    cueline::BufferHandle sound;
};

/// Renders its parameter plus, at frame N, the first sample in slot N modulo the number of slots, plus the next sample
/// of its playback, and records that. Says what it is told to say, and shows how many times.
class Probe final : public cueline::Processor {
  public:
    explicit Probe(bool fails = false, std::uint32_t slots = 1) : fails_{fails}, slots_{slots} { ++alive; }
    ~Probe() override { --alive; }

    void prepare(const cueline::Format& format) override {
        if (fails_ || format.blocksize == 512) throw std::runtime_error{"the probe has no tables to prepare"};
        if (format.blocksize == 1024) throw 42;
    }
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return slots_ == 1 ? 3 : 0; }
    [[nodiscard]] std::span<const cueline::ParameterSpec> parameters() const override { return parameters_; }
    [[nodiscard]] std::span<const cueline::MeterSpec> meters() const override { return meters_; }
    [[nodiscard]] std::span<const cueline::StreamSpec> playbacks() const override { return streams_; }
    [[nodiscard]] std::span<const cueline::StreamSpec> recordings() const override { return streams_; }

    cueline::Outcome handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override {
        if (command.kind == Ask::kind) return answer(command.as<Ask>(), context);
        if (command.kind == Hold::kind) {
            context.release_buffer(held_);
            held_ = command.as<Hold>().sound;
            return held_ == 0 || context.loaded_buffer(held_) != nullptr;
        }
        if (command.kind != Say::kind) return false;
        const std::uint64_t frame = context.events().frame();
        const Said said{command.as<Say>().number, frame};
        context.events().send(Said::kind, said, command);
        context.meter(0).set({++times_, said.number}, frame);
        return true;
    }

    void render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override {
        const cueline::Buffer* const held = context.loaded_buffer(held_);
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const cueline::Buffer* const buffer = context.buffer((block.frame + frame) % slots_);
            const double level = context.parameter(0).next();
            const float offset =
                (buffer == nullptr ? 0.0F : buffer->sample(0, 0)) + (held == nullptr ? 0.0F : held->sample(0, 0));
            for (float* const channel : block.outputs) channel[frame] = static_cast<float>(level) + offset;
        }
        const cueline::ProcessorPlayback grains = context.playback(0);
        const cueline::PlaybackRun<> run = grains.waiting(block.frames);
        for (std::size_t frame = 0; frame < run.frames; ++frame) block.outputs[0][frame] += run.sample(frame, 0);
        grains.pop(block.frames);
        context.recording(0).write(block.outputs, block.frame, block.frames);
    }

    [[nodiscard]] std::span<const std::string_view> reasons() const override { return reasons_; }

    void discarded(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override {
        if (command.kind == Say::kind) context.events().send(Said::kind, Said{-1, 0}, command);
    }

  private:
    static cueline::Outcome answer(const Ask& ask, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
        if (ask.how == 0) return cueline::Outcome::applied(ask.value);
        if (ask.how == 1) return cueline::Outcome::refused(cueline::first_own_reason + ask.value);
        return context.schedule(cueline::Message::of(Ask{0, ask.value, 0}), ask.frame);
    }

    static constexpr std::array<std::string_view, 2> reasons_{"stale source", "no voice is free"};
    static constexpr std::array<std::string_view, 2> fields_{"times", "number"};
    std::array<cueline::ParameterSpec, 1> parameters_{{{.name = "level", .default_value = 0.5, .ramp_s = 0}}};
    std::array<cueline::StreamSpec, 1> streams_{{{.name = "grains"}}};
    std::array<cueline::MeterSpec, 1> meters_{{{.name = "said", .fields = fields_}}};
    bool fails_;
    std::uint32_t slots_;
    double times_ = 0;
    cueline::BufferHandle held_ = 0;
};

PyObject* processor(PyObject*, PyObject*) {
    return cueline::processor_capsule(std::make_shared<Probe>(), "probe");
}

PyObject* processor_with_slots(PyObject*, PyObject* arguments) {
    unsigned slots = 0;
    if (PyArg_ParseTuple(arguments, "I", &slots) == 0) return nullptr;
    return cueline::processor_capsule(std::make_shared<Probe>(false, slots), "probe with slots");
}

PyObject* processor_that_fails(PyObject*, PyObject*) {
    return cueline::processor_capsule(std::make_shared<Probe>(true), "failing probe");
}

PyObject* nothing(PyObject*, PyObject*) {
    return cueline::processor_capsule(nullptr, "nothing");
}

PyObject* nameless(PyObject*, PyObject*) {
    return cueline::processor_capsule(std::make_shared<Probe>(), "\xff\xfe");
}

PyObject* how_many_live(PyObject*, PyObject*) {
    return PyLong_FromLong(alive);
}

PyObject* layout(PyObject*, PyObject*) {
    return PyUnicode_FromString(cueline::processor_layout().c_str());
}

/// A processor as an extension would offer it that was compiled against another cueline.
PyObject* processor_of_another(PyObject*, PyObject* arguments) {
    unsigned interface = 0;
    const char* version = nullptr;
    const char* its_layout = nullptr;
    if (PyArg_ParseTuple(arguments, "Iss", &interface, &version, &its_layout) == 0) return nullptr;
    static std::string version_kept;
    static std::string layout_kept;
    version_kept = version;
    layout_kept = its_layout;
    cueline::ProcessorOffer* const offer = cueline::offer_processor(std::make_shared<Probe>(), "probe");
    offer->processor_interface = interface;
    offer->version = version_kept.c_str();
    offer->layout = layout_kept.c_str();
    return PyCapsule_New(offer, cueline::processor_capsule_name, [](PyObject* capsule) {
        cueline::withdraw(
            static_cast<cueline::ProcessorOffer*>(PyCapsule_GetPointer(capsule, cueline::processor_capsule_name)));
    });
}

PyObject* capsule_of_another_kind(PyObject*, PyObject*) {
    static int thing = 0;
    return PyCapsule_New(&thing, "somebody.else", nullptr);
}

std::unique_ptr<cueline::OfferedLine> line;

PyObject* open_line(PyObject*, PyObject* engine) {
    line = cueline::open_offered_line(engine);
    return line == nullptr ? nullptr : PyLong_FromLong(line->number());
}

PyObject* close_line(PyObject*, PyObject*) {
    line.reset();
    Py_RETURN_NONE;
}

const char* name_of(cueline::Sent sent) {
    if (sent == cueline::Sent::ok) return "ok";
    return sent == cueline::Sent::full ? "full" : "closed";
}

/// Sends one command on the open line, from a thread of its own, while this one holds the GIL.
PyObject* say(PyObject*, PyObject* arguments) {
    double number = 0;
    unsigned long long frame = 0;
    int confirm = 0;
    if (PyArg_ParseTuple(arguments, "d|Kp", &number, &frame, &confirm) == 0) return nullptr;
    const cueline::Delivery delivery{.frame = frame,
                                     .flags = confirm == 0 ? std::uint8_t{0} : cueline::delivery::confirm};
    cueline::Sent sent{};
    std::thread{[&] { sent = line->send(Say{number}, delivery); }}.join();
    return PyUnicode_FromString(name_of(sent));
}

/// The same with try_send().
PyObject* try_to_say(PyObject*, PyObject* number) {
    return PyUnicode_FromString(name_of(line->try_send(Say{PyFloat_AsDouble(number)})));
}

/// Counts commands that were given up.
PyObject* give_up(PyObject*, PyObject* commands) {
    line->count_dropped(PyLong_AsUnsignedLongLong(commands));
    Py_RETURN_NONE;
}

/// Returns the sequence of the oldest confirmation of the open line, or None.
PyObject* confirmed(PyObject*, PyObject*) {
    cueline::Message confirmation;
    if (line->receive_confirmation(confirmation) != cueline::Status::ok) Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(confirmation.sequence);
}

/// Returns what the open line has received: the number of a Said, or None.
PyObject* heard(PyObject*, PyObject*) {
    cueline::Message event;
    if (line->receive(event) != cueline::Status::ok) Py_RETURN_NONE;
    return PyFloat_FromDouble(event.as<Said>().number);
}

/// Returns now(), and the frame of the last block, or None before the first.
PyObject* times(PyObject*, PyObject*) {
    const auto last = line->last_block();
    if (!last) return Py_BuildValue("KO", static_cast<unsigned long long>(line->now()), Py_None);
    return Py_BuildValue("KK", static_cast<unsigned long long>(line->now()),
                         static_cast<unsigned long long>(last->frame));
}

PyMethodDef methods[] = {
    {"open_line", &open_line, METH_O, "Open a line of an engine, and return its number."},
    {"close_line", &close_line, METH_NOARGS, "Close it."},
    {"say", &say, METH_VARARGS, "Send a Say on it, for this frame, and with a confirmation or without."},
    {"try_to_say", &try_to_say, METH_O, "Send a Say on it, or count nothing."},
    {"give_up", &give_up, METH_O, "Count that many dropped commands of it."},
    {"confirmed", &confirmed, METH_NOARGS, "What was confirmed on it."},
    {"heard", &heard, METH_NOARGS, "What it has received."},
    {"times", &times, METH_NOARGS, "What it says about frames."},
    {"processor", &processor, METH_NOARGS, "A capsule of a new processor."},
    {"processor_with_slots", &processor_with_slots, METH_VARARGS, "One with this number of slots for buffers."},
    {"processor_that_fails", &processor_that_fails, METH_NOARGS, "One whose prepare() throws."},
    {"nothing", &nothing, METH_NOARGS, "An attempt to offer none."},
    {"nameless", &nameless, METH_NOARGS, "One whose name is no text."},
    {"how_many_live", &how_many_live, METH_NOARGS, "How many processors have not been destroyed."},
    {"layout", &layout, METH_NOARGS, "The layout that this was compiled against."},
    {"processor_of_another", &processor_of_another, METH_VARARGS, "With this interface, version and layout."},
    {"capsule_of_another_kind", &capsule_of_another_kind, METH_NOARGS, "Not a processor's."},
    {nullptr, nullptr, 0, nullptr},
};
PyModuleDef definition = {PyModuleDef_HEAD_INIT, "probe", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit_probe() {
    PyObject* const module = PyModule_Create(&definition);
#ifdef Py_GIL_DISABLED
    if (module != nullptr) PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
    return module;
}
