// python.hpp: for extension modules: a processor as Python hands it on. It needs Python's headers, and no binding tool.
#pragma once

#include <Python.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <cueline/processor_offer.hpp>

namespace cueline {

/// A capsule for `cueline.AudioEngine(processor=...)`. It holds a share in the processor, and so does each engine that
/// has it: the processor is destroyed with the last share, on a control thread, which may be without the GIL. It can
/// have one engine at a time. `name` is what the engine's `processor` says.
/// Thread: control, with the GIL. Allocates.
/// Returns a new reference; nullptr, with a Python error set, when that failed.
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

}  // namespace cueline
