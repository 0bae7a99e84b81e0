// python.hpp: hands a processor from an extension module to Python, and gets lines of an engine that Python made. It
// needs Python's headers and no binding library.
#pragma once

#include <Python.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <cueline/line_offer.hpp>
#include <cueline/processor_offer.hpp>

namespace cueline {

/// Returns a capsule for `cueline.AudioEngine(processor=...)`, as a new reference; nullptr with a Python error set on
/// failure. The engine's `processor` attribute is `name`.
/// The capsule and its engine share the processor. One engine at a time can use it. The last owner destroys it, on a
/// control thread that may not hold the GIL.
/// [control thread, with the GIL; allocates]
inline PyObject* processor_capsule(std::shared_ptr<Processor> processor, std::string name) noexcept {
    try {
        if (!processor) {
            PyErr_SetString(PyExc_ValueError, "a processor capsule needs a processor, got a null pointer");
            return nullptr;
        }
        ProcessorOffer* const offer = offer_processor(std::move(processor), std::move(name));
        const auto free = [](PyObject* capsule) {
            withdraw(static_cast<ProcessorOffer*>(PyCapsule_GetPointer(capsule, processor_capsule_name)));
        };
        PyObject* const capsule = PyCapsule_New(offer, processor_capsule_name, free);
        if (capsule == nullptr) withdraw(offer);
        return capsule;
    } catch (const std::exception&) {
        return PyErr_NoMemory();
    }
}

/// Opens a line of `engine`, a cueline.AudioEngine or any other object whose __cueline_lines__() returns its capsule.
/// Any thread may then use the line without the GIL. Returns nullptr with a Python error set: cueline.LinesTakenError
/// if all lines are open, ClosedError, ForkedError, AttributeError for another object, RuntimeError for an engine that
/// was compiled against a cueline that does not fit. [control thread, with the GIL; allocates]
inline std::unique_ptr<OfferedLine> open_offered_line(PyObject* engine, Events events = Events::own) noexcept {
    PyObject* const capsule = PyObject_CallMethod(engine, "__cueline_lines__", nullptr);
    if (capsule == nullptr) return nullptr;
    std::unique_ptr<OfferedLine> line;
    const auto* const offer = static_cast<const LineOffer*>(PyCapsule_GetPointer(capsule, line_capsule_name));
    if (offer != nullptr) {
        if (offer->processor_interface != processor_interface || processor_layout() != offer->layout) {
            PyErr_Format(PyExc_RuntimeError,
                         "this extension was compiled against cueline %s, and the engine is cueline %s, which does not "
                         "fit: build the extension again",
                         version, offer->version);
        } else {
            line.reset(offer->open(offer->engine, events));
        }
    }
    Py_DECREF(capsule);
    return line;
}

}  // namespace cueline
