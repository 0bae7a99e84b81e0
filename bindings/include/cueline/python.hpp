// python.hpp: hands a processor from an extension module to Python. It needs Python's headers and no binding library.
#pragma once

#include <Python.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

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

}  // namespace cueline
