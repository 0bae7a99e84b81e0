// processor_controls.cpp: checks a processor's declarations, and sets and reads parameters and meters.
#include <cueline/engine/processor_controls.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <thread>
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

/// Refuses an empty name, and a name that is used twice. `what` and `whose` are words for the error.
template <class Names>
void require_names(const Names& names, const std::string& what, const std::string& whose) {
    std::set<std::string_view> known;
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (name->empty()) refuse_nameless(what, whose, name - names.begin());
        if (!known.insert(*name).second) refuse_second(what, whose, *name);
    }
}

/// Refuses a spec without elements, and more than `most` elements in all.
template <class Spec>
void require_counts(std::span<const Spec> specs, std::size_t most, const std::string& what) {
    std::uint64_t all = 0;
    for (const Spec& spec : specs) {
        require(spec.count > 0,
                what + " " + quoted(spec.name) + " must have a count from 1 to " + std::to_string(most) + ", got 0");
        all += spec.count;
    }
    require(all <= most, "a processor can have at most " + std::to_string(most) + " " + what + "s, and declares " +
                             std::to_string(all));
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

[[noreturn]] void refuse_address(const std::string& what, std::size_t address, std::size_t declared) {
    throw ArgumentError{"no " + what + " " + std::to_string(address) + ": the processor declares " +
                        std::to_string(declared)};
}

void require_sound_streams(std::span<const StreamSpec> streams, const std::string& what) {
    require(streams.size() <= max_streams, "a processor can have at most " + std::to_string(max_streams) + " " + what +
                                               "s, and declares " + std::to_string(streams.size()));
    require_names(names_of(streams), what, "a processor");
    for (const StreamSpec& stream : streams) {
        require(stream.channels > 0 && stream.channels <= max_channels,
                what + " " + quoted(stream.name) + " must have 1 to " + std::to_string(max_channels) +
                    " channels, got " + std::to_string(stream.channels));
    }
}

bool is_inside(const ParameterSpec& spec, double value) {
    return value >= spec.lowest && value <= spec.highest;  // NaN is not
}

}  // namespace

void ProcessorControls::check(const Processor& processor) {
    const std::span<const ParameterSpec> parameters = processor.parameters();
    const std::span<const MeterSpec> meters = processor.meters();
    require_counts(parameters, max_parameters, "parameter");
    require_names(names_of(parameters), "parameter", "a processor");
    std::ranges::for_each(parameters, &require_sound);
    require_counts(meters, max_meters, "meter");
    require_names(names_of(meters), "meter", "a processor");
    for (const MeterSpec& meter : meters) {
        const std::string named = "meter " + quoted(meter.name);
        require(!meter.fields.empty() && meter.fields.size() <= max_meter_fields,
                named + " must have 1 to " + std::to_string(max_meter_fields) + " fields, got " +
                    std::to_string(meter.fields.size()));
        require_names(meter.fields, "field", named);
    }
    require_sound_streams(processor.playbacks(), "playback");
    require_sound_streams(processor.recordings(), "recording");
    for (const StreamSpec& recording : processor.recordings()) {
        require(recording.name != "inputs" && recording.name != "outputs",
                "a recording of a processor must have another name than " + quoted(recording.name) +
                    ", which is the engine's");
    }
}

void ProcessorControls::declare(const Processor& processor) {
    check(processor);
    const std::span<const ParameterSpec> parameters = processor.parameters();
    const std::span<const MeterSpec> meters = processor.meters();
    require(elements(parameters) <= link_.parameters().size() && elements(meters) <= link_.meters().size(),
            "the link has room for " + std::to_string(link_.parameters().size()) + " parameters and " +
                std::to_string(link_.meters().size()) + " meters, and the processor declares " +
                std::to_string(elements(parameters)) + " and " + std::to_string(elements(meters)));
    parameter_specs_.assign(parameters.begin(), parameters.end());
    meter_specs_.assign(meters.begin(), meters.end());
    const std::span<const StreamSpec> playbacks = processor.playbacks();
    playback_specs_.assign(playbacks.begin(), playbacks.end());
    const std::span<const StreamSpec> recordings = processor.recordings();
    recording_specs_.assign(recordings.begin(), recordings.end());
    parameters_ = link_.parameters().first(elements(parameters));
    meters_ = link_.meters().first(elements(meters));
    for (std::size_t index = 0; index < parameter_specs_.size(); ++index) {
        for (std::uint32_t element = 0; element < parameter_specs_[index].count; ++element) {
            parameters_.set_default(spec_of_parameter_.size(), parameter_specs_[index].default_value);
            spec_of_parameter_.push_back(static_cast<std::uint16_t>(index));
        }
    }
}

const ParameterSpec& ProcessorControls::spec_of_parameter(std::size_t address) const {
    if (address >= spec_of_parameter_.size()) refuse_address("parameter", address, spec_of_parameter_.size());
    return parameter_specs_[spec_of_parameter_[address]];
}

void ProcessorControls::require_inside(std::size_t address, double value) const {
    const ParameterSpec& spec = spec_of_parameter(address);
    if (is_inside(spec, value)) return;
    std::string name{spec.name};
    if (spec.count > 1) {
        std::size_t first = address;
        while (first > 0 && spec_of_parameter_[first - 1] == spec_of_parameter_[address]) --first;
        name.append("[").append(std::to_string(address - first)).append("]");
    }
    throw ArgumentError{name + " must be from " + shown(spec.lowest) + " to " + shown(spec.highest) +
                        (spec.unit.empty() ? "" : " ") + std::string{spec.unit} + ", got " + shown(value)};
}

void ProcessorControls::set(std::size_t address, double value) {
    require_inside(address, value);
    parameters_.write(address, value);
}

void ProcessorControls::set(std::size_t first, std::span<const double> values, std::ptrdiff_t step) {
    if (values.empty()) return;
    const auto address_of = [&](std::size_t index) {
        return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(first) + static_cast<std::ptrdiff_t>(index) * step);
    };
    // Usually, all are of one array: then one range holds for all, and the check is a vector loop.
    const ParameterSpec& spec = spec_of_parameter(first);
    if (&spec_of_parameter(address_of(values.size() - 1)) == &spec) {
        bool inside = true;
        for (const double value : values) inside = is_inside(spec, value) && inside;
        for (std::size_t index = 0; !inside && index < values.size(); ++index) {
            require_inside(address_of(index), values[index]);
        }
    } else {
        for (std::size_t index = 0; index < values.size(); ++index) require_inside(address_of(index), values[index]);
    }
    if (step == 1) {
        parameters_.write(first, values);
    } else {
        for (std::size_t index = 0; index < values.size(); ++index) parameters_.write(address_of(index), values[index]);
    }
}

double ProcessorControls::get(std::size_t address) const {
    static_cast<void>(spec_of_parameter(address));
    return parameters_.get(address);
}

MeterValue ProcessorControls::read(std::size_t address) const {
    if (address >= meters_.size()) refuse_address("meter", address, meters_.size());
    MeterValue value;
    // Each call fails only if the processor set the meter during each of many tries.
    while (!meters_[address].read(value)) std::this_thread::yield();
    return value;
}

void ProcessorControls::read(std::size_t first, std::size_t fields, std::span<double> numbers) const {
    require(fields >= 1 && fields <= max_meter_fields,
            "fields must be from 1 to " + std::to_string(max_meter_fields) + ", got " + std::to_string(fields));
    const std::size_t count = numbers.size() / fields;
    if (first > meters_.size() || count > meters_.size() - first) {
        refuse_address("meter", first + count - 1, meters_.size());
    }
    static_assert(offsetof(MeterValue, fields) == 0, "the fields are the first words of a meter");
    std::array<std::uint64_t, max_meter_fields> words{};
    const std::span<std::uint64_t> wanted = std::span{words}.first(fields);
    for (std::size_t element = 0; element < count; ++element) {
        while (!meters_[first + element].read_words(wanted)) std::this_thread::yield();
        for (std::size_t field = 0; field < fields; ++field) {
            numbers[field * count + element] = std::bit_cast<double>(wanted[field]);
        }
    }
}

}  // namespace cueline
