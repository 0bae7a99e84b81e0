// processor_controls.cpp: checks a processor's declarations, and sets and reads parameters and meters.
#include <cueline/engine/processor_controls.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/error.hpp>

namespace cueline {

namespace {

/// Returns the shortest text that reads back as this number.
std::string shown(double value) {
    std::array<char, 32> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

std::string quoted(std::string_view name) {
    return std::string{"'"}.append(name).append("'");  // with + instead, g++ 12 warns wrongly at -O3
}

void require(bool holds, const std::string& refusal) {
    if (!holds) throw ArgumentError{refusal};
}

[[noreturn]] void refuse_nameless(const std::string& what, const std::string& whose, std::ptrdiff_t index) {
    throw ArgumentError{whose + ": " + what + " " + std::to_string(index) + " has no name"};
}

[[noreturn]] void refuse_second(const std::string& what, const std::string& whose, std::string_view name) {
    throw ArgumentError{whose + " declares two " + what + "s named " + quoted(name)};
}

/// Refuses more than `most` names, an empty name, and a name that is used twice. `what` and `whose` are words for the
/// error.
template <class Names>
void require_names(const Names& names, std::size_t most, const std::string& what, const std::string& whose) {
    require(names.size() <= most, whose + " can have at most " + std::to_string(most) + " " + what +
                                      "s, and declares " + std::to_string(names.size()));
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (name->empty()) refuse_nameless(what, whose, name - names.begin());
        if (std::find(names.begin(), name, *name) != name) refuse_second(what, whose, *name);
    }
}

template <class Spec>
std::vector<std::string_view> names_of(std::span<const Spec> specs) {
    std::vector<std::string_view> names;
    for (const Spec& spec : specs) names.push_back(spec.name);
    return names;
}

void require_sound(const ParameterSpec& spec) {
    const std::string named = "parameter " + quoted(spec.name);
    require(std::isfinite(spec.lowest) && std::isfinite(spec.highest) && spec.lowest <= spec.default_value &&
                spec.default_value <= spec.highest,
            named + " must have a lowest value, a default and a highest one, in this order, got " + shown(spec.lowest) +
                ", " + shown(spec.default_value) + " and " + shown(spec.highest));
    require(
        spec.ramp_s >= 0 && spec.ramp_s <= max_ramp_s,
        named + " must have a ramp from 0 to " + std::to_string(max_ramp_s) + " seconds, got " + shown(spec.ramp_s));
}

/// Returns the spec at `index`. Throws ArgumentError if there is none.
template <class Spec>
const Spec& at(const std::vector<Spec>& specs, std::size_t index, const char* what) {
    if (index < specs.size()) return specs[index];
    throw ArgumentError{std::string{"no "} + what + " " + std::to_string(index) + ": the processor declares " +
                        std::to_string(specs.size())};
}

}  // namespace

void ProcessorControls::declare(const Processor& processor) {
    const std::span<const ParameterSpec> parameters = processor.parameters();
    const std::span<const MeterSpec> meters = processor.meters();
    require_names(names_of(parameters), max_parameters, "parameter", "a processor");
    std::ranges::for_each(parameters, &require_sound);
    require_names(names_of(meters), max_meters, "meter", "a processor");
    for (const MeterSpec& meter : meters) {
        const std::string named = "meter " + quoted(meter.name);
        require(!meter.fields.empty(),
                named + " must have 1 to " + std::to_string(max_meter_fields) + " fields, got 0");
        require_names(meter.fields, max_meter_fields, "field", named);
    }

    parameter_specs_.assign(parameters.begin(), parameters.end());
    meter_specs_.assign(meters.begin(), meters.end());
    for (std::size_t index = 0; index < parameter_specs_.size(); ++index) {
        link_->parameters()[index].set_default(parameter_specs_[index].default_value);
    }
}

void ProcessorControls::set(std::size_t index, double value) {
    const ParameterSpec& spec = at(parameter_specs_, index, "parameter");
    const bool inside = value >= spec.lowest && value <= spec.highest;  // NaN is not
    if (!inside) {
        throw ArgumentError{std::string{spec.name} + " must be from " + shown(spec.lowest) + " to " +
                            shown(spec.highest) + (spec.unit.empty() ? "" : " ") + std::string{spec.unit} + ", got " +
                            shown(value)};
    }
    link_->parameters()[index].write(value);
}

double ProcessorControls::get(std::size_t index) const {
    at(parameter_specs_, index, "parameter");
    return link_->parameters()[index].get();
}

MeterValue ProcessorControls::read(std::size_t index) {
    at(meter_specs_, index, "meter");
    MeterValue value;
    link_->meters()[index].read(value);
    return value;
}

}  // namespace cueline
