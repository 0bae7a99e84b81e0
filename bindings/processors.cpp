// processors.cpp: takes processors out of capsules, and puts those of C functions into some.
#include "processors.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <cueline/processor_offer.hpp>
#include <cueline/python.hpp>

#include <cueline/engine/open_processor.hpp>
#include "bindings.hpp"
#include "errors.hpp"
#include "processors/cfunc_processor.hpp"
#include "processors/taken_processor.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

/// Another's text, whatever its bytes are.
std::string printable(const char* text) {
    const auto decoded =
        nb::steal<nb::str>(PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(std::strlen(text)), "backslashreplace"));
    return decoded.c_str();
}

NamedProcessor taken_out(nb::handle capsule) {
    const char* const name = PyCapsule_GetName(capsule.ptr());
    if (name == nullptr || std::string_view{name} != processor_capsule_name) {
        raise("ArgumentError", "a processor's capsule is called '" + std::string{processor_capsule_name} +
                                   "', and this one " + (name == nullptr ? "nothing" : "'" + printable(name) + "'") +
                                   ": make it by cueline::processor_capsule()");
    }
    const auto* const offer = static_cast<const ProcessorOffer*>(PyCapsule_GetPointer(capsule.ptr(), name));
    std::shared_ptr<Processor> processor = take_processor(*offer);
    return {std::move(processor), offer->name == nullptr ? "" : printable(offer->name)};
}

using Parameter = std::tuple<std::string, double, double, double, std::string, double>;
using Meter = std::tuple<std::string, std::string, std::vector<std::string>>;

/// Keeps what C functions need to live, and lets go of it where the processor ends: with or without the GIL.
class KeepingProcessor {
  public:
    KeepingProcessor(nb::object kept, const CFunctions& functions, std::vector<CFuncProcessor::OwnParameter> parameters,
                     std::vector<CFuncProcessor::OwnMeter> meters)
        : kept_{kept.release()}, processor_{functions, std::move(parameters), std::move(meters)} {}
    ~KeepingProcessor() {
        if (shutting_down()) return;  // it goes with the process
        const nb::gil_scoped_acquire with_gil;
        kept_.dec_ref();
    }
    KeepingProcessor(const KeepingProcessor&) = delete;
    KeepingProcessor& operator=(const KeepingProcessor&) = delete;

    [[nodiscard]] CFuncProcessor& processor() { return processor_; }

  private:
    nb::handle kept_;
    CFuncProcessor processor_;
};

/// A capsule of a processor that calls the functions at these addresses; `keep` lives as long as it does.
nb::object cfunc_processor(std::uintptr_t render, std::uintptr_t handle, std::uintptr_t state, std::size_t state_bytes,
                           const std::vector<Parameter>& parameters, const std::vector<Meter>& meters, std::string name,
                           nb::object keep) {
    std::vector<CFuncProcessor::OwnParameter> own_parameters(parameters.size());
    std::ranges::transform(parameters, own_parameters.begin(), [](const Parameter& parameter) {
        const auto& [its_name, lowest, highest, default_value, unit, ramp_s] = parameter;
        return CFuncProcessor::OwnParameter{its_name, lowest, highest, default_value, unit, ramp_s};
    });
    std::vector<CFuncProcessor::OwnMeter> own_meters(meters.size());
    std::ranges::transform(meters, own_meters.begin(), [](const Meter& meter) {
        const auto& [its_name, unit, fields] = meter;
        return CFuncProcessor::OwnMeter{its_name, unit, fields};
    });
    // NOLINTBEGIN(performance-no-int-to-ptr,*-reinterpret-cast): that is how Python has them
    const CFunctions functions{.render = reinterpret_cast<CFunctions::Render>(render),
                               .handle = reinterpret_cast<CFunctions::Handle>(handle),
                               .state = reinterpret_cast<void*>(state),
                               .state_bytes = state_bytes};
    // NOLINTEND(performance-no-int-to-ptr,*-reinterpret-cast)
    const auto owner = std::make_shared<KeepingProcessor>(std::move(keep), functions, std::move(own_parameters),
                                                          std::move(own_meters));
    auto capsule = nb::steal(processor_capsule({owner, &owner->processor()}, std::move(name)));
    if (!capsule.is_valid()) throw nb::python_error{};
    return capsule;
}

}  // namespace

NamedProcessor processor_of(nb::handle given) {
    if (PyCapsule_CheckExact(given.ptr())) return taken_out(given);
    auto name = nb::cast<std::string>(given);
    std::shared_ptr<Processor> processor = open_processor(name);
    return {std::move(processor), std::move(name)};
}

void bind_processors(nb::module_& module) {
    module.def("_cfunc_processor", &cfunc_processor, "render"_a, "handle"_a, "state"_a, "state_bytes"_a, "parameters"_a,
               "meters"_a, "name"_a, "keep"_a);
}

}  // namespace cueline::python
