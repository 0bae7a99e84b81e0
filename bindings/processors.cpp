// processors.cpp: takes processors out of capsules, and makes capsules of C functions.
#include "processors.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <cueline/engine/open_processor.hpp>
#include <cueline/processor_offer.hpp>
#include <cueline/python.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "processors/cfunc_processor.hpp"
#include "processors/player_processor.hpp"
#include "system/utf8.hpp"
#include "without_gil.hpp"

namespace cueline::python {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

OwnedProcessor taken_out(nb::handle capsule) {
    const char* const name = PyCapsule_GetName(capsule.ptr());
    if (name == nullptr || std::string_view{name} != processor_capsule_name) {
        raise("ArgumentError", "a processor's capsule must be named '" + std::string{processor_capsule_name} +
                                   "', got " + (name == nullptr ? "one without a name" : "'" + valid_utf8(name) + "'") +
                                   ": make it with cueline::processor_capsule()");
    }
    return open_processor(*static_cast<const ProcessorOffer*>(PyCapsule_GetPointer(capsule.ptr(), name)));
}

using DescribedParameter = std::tuple<std::string, double, double, double, std::string, double, std::uint32_t>;
using Meter = std::tuple<std::string, std::string, std::vector<std::string>, std::uint32_t>;

/// Deletes a processor, and then releases the Python object that keeps its C functions alive. With or without the GIL.
struct DeleteAndRelease {
    nb::handle keep;

    void operator()(Processor* processor) const {
        delete processor;
        if (shutting_down()) return;  // the object goes with the process
        const nb::gil_scoped_acquire with_gil;
        keep.dec_ref();
    }
};

nb::object capsule_of(std::shared_ptr<Processor> processor, std::string name) {
    auto capsule = nb::steal(processor_capsule(std::move(processor), std::move(name)));
    if (!capsule.is_valid()) throw nb::python_error{};
    return capsule;
}

/// Returns a capsule of a processor that calls the functions at these addresses. `keep` lives as long as the processor.
nb::object cfunc_processor(std::uintptr_t render, std::uintptr_t handle, std::uintptr_t discarded, std::uintptr_t state,
                           std::size_t state_bytes, const std::vector<DescribedParameter>& parameters,
                           const std::vector<Meter>& meters, std::uint32_t slots, std::vector<std::string> reasons,
                           std::string name, nb::object keep) {
    std::vector<CFuncProcessor::OwnParameter> own_parameters(parameters.size());
    std::ranges::transform(parameters, own_parameters.begin(), [](const DescribedParameter& parameter) {
        const auto& [its_name, lowest, highest, default_value, unit, ramp_s, count] = parameter;
        return CFuncProcessor::OwnParameter{its_name, lowest, highest, default_value, unit, ramp_s, count};
    });
    std::vector<CFuncProcessor::OwnMeter> own_meters(meters.size());
    std::ranges::transform(meters, own_meters.begin(), [](const Meter& meter) {
        const auto& [its_name, unit, fields, count] = meter;
        return CFuncProcessor::OwnMeter{its_name, unit, fields, count};
    });
    // NOLINTBEGIN(performance-no-int-to-ptr,*-reinterpret-cast): Python passes addresses as numbers
    const CFunctions functions{.render = reinterpret_cast<CFunctions::Render>(render),
                               .handle = reinterpret_cast<CFunctions::Handle>(handle),
                               .discarded = reinterpret_cast<CFunctions::Discarded>(discarded),
                               .state = reinterpret_cast<void*>(state),
                               .state_bytes = state_bytes};
    // NOLINTEND(performance-no-int-to-ptr,*-reinterpret-cast)
    auto* const made =
        new CFuncProcessor{functions, std::move(own_parameters), std::move(own_meters), slots, std::move(reasons)};
    std::shared_ptr<Processor> processor{made, DeleteAndRelease{keep.release()}};
    return capsule_of(std::move(processor), std::move(name));
}

/// Returns a capsule of a player.
nb::object player_processor(std::int64_t slots, std::int64_t voices) {
    return capsule_of(std::make_shared<PlayerProcessor>(slots, voices), "player");
}

OwnedProcessor single_processor_of(nb::handle given) {
    if (PyCapsule_CheckExact(given.ptr())) return taken_out(given);
    return open_processor(nb::cast<std::string>(given));
}

}  // namespace

OwnedProcessor processor_of(nb::handle given) {
    if (!PyList_CheckExact(given.ptr())) return single_processor_of(given);
    std::vector<OwnedProcessor> parts;  // given as pairs
    for (const nb::handle part : nb::borrow<nb::list>(given)) {
        parts.push_back(single_processor_of(part[1]).named(nb::cast<std::string>(part[0])));
    }
    return open_parts(std::move(parts));
}

void bind_processors(nb::module_& module) {
    module.def("_cfunc_processor", &cfunc_processor, "render"_a, "handle"_a, "discarded"_a, "state"_a, "state_bytes"_a,
               "parameters"_a, "meters"_a, "slots"_a, "reasons"_a, "name"_a, "keep"_a);
    module.def("_player_processor", &player_processor, "slots"_a, "voices"_a);
    module.attr("MAX_PLAYER_SLOTS") = max_player_slots;
    module.attr("HIGHEST_VOICE_GAIN") = highest_voice_gain;
    module.attr("HIGHEST_VOICE_RATE") = highest_voice_rate;
    module.attr("LONGEST_VOICE_FADE_S") = longest_voice_fade_s;
}

}  // namespace cueline::python
