// probe.cpp: an extension module with a processor of its own, and with ways to offer it wrongly. Plain C API: what any
// binding tool is made of.
#include <Python.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

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

/// Renders its parameter plus, at frame N, the first sample in slot N modulo the number of slots. Says what it is told
/// to say, and shows how many times.
class Probe final : public cueline::Processor {
  public:
    explicit Probe(bool fails = false, std::uint32_t slots = 1) : fails_{fails}, slots_{slots} { ++alive; }
    ~Probe() override { --alive; }

    void prepare(const cueline::Format& format) override {
        if (fails_ || format.blocksize == 512) throw std::runtime_error{"the probe has no tables to prepare"};
        if (format.blocksize == 1024) throw 42;
    }
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    [[nodiscard]] std::span<const cueline::ParameterSpec> parameters() const override { return parameters_; }
    [[nodiscard]] std::span<const cueline::MeterSpec> meters() const override { return meters_; }

    bool handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override {
        if (command.kind != Say::kind) return false;
        const std::uint64_t frame = context.events().frame();
        const Said said{command.as<Say>().number, frame};
        context.events().send(Said::kind, said, command);
        context.meter(0).set({++times_, said.number}, frame);
        return true;
    }

    void render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override {
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const cueline::Buffer* const buffer = context.buffer((block.frame + frame) % slots_);
            const double level = context.parameter(0).next();
            const float offset = buffer == nullptr ? 0.0F : buffer->sample(0, 0);
            for (float* const channel : block.channels) channel[frame] = static_cast<float>(level) + offset;
        }
    }

  private:
    static constexpr std::array<std::string_view, 2> fields_{"times", "number"};
    std::array<cueline::ParameterSpec, 1> parameters_{{{.name = "level", .default_value = 0.5, .ramp_s = 0}}};
    std::array<cueline::MeterSpec, 1> meters_{{{.name = "said", .fields = fields_}}};
    bool fails_;
    std::uint32_t slots_;
    double times_ = 0;
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

PyMethodDef methods[] = {
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
