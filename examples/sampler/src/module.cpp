// module.cpp: hands the processor to Python, and nothing else.
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
        "A new processor, for cueline.AudioEngine(processor=...).");
}
