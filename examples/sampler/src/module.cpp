// module.cpp: the Python module. Its one function returns a new processor.
#include <nanobind/nanobind.h>

#include <memory>

#include <cueline/python.hpp>

#include "sampler_processor.hpp"

namespace nb = nanobind;

NB_MODULE(_sampler, module) {
    module.def(
        "processor",
        [] {
            auto capsule =
                nb::steal(cueline::processor_capsule(std::make_shared<sampler::SamplerProcessor>(), "sampler"));
            if (!capsule.is_valid()) throw nb::python_error{};
            return capsule;
        },
        "Return a new processor, for cueline.AudioEngine(processor=...).");
}
