// parts_processor.cpp: hands commands to parts, and mixes what they render.
#include "processors/parts_processor.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <utility>

#include <cueline/engine/processor_controls.hpp>
#include <cueline/error.hpp>

#include "processors/balance.hpp"

namespace cueline {

namespace {

constexpr double highest_gain = 4;
constexpr ParameterSpec gain_of_strip{
    .name = "gain", .lowest = 0, .highest = highest_gain, .default_value = 1, .unit = {}, .ramp_s = 0.02};
constexpr ParameterSpec pan_of_strip{
    .name = "pan", .lowest = -1, .highest = 1, .default_value = 0, .unit = {}, .ramp_s = 0.02};
constexpr ParameterSpec mute_of_strip{
    .name = "mute", .lowest = 0, .highest = 1, .default_value = 0, .unit = {}, .ramp_s = 0.02};

/// Calls `call`, and begins what it throws with the part's name.
template <class Call>
void with_name(const std::string& part, Call call) {
    const auto text = [&](const std::exception& error) { return "part '" + part + "': " + error.what(); };
    try {
        call();
    } catch (const ArgumentError& error) {
        throw ArgumentError{text(error)};
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument{text(error)};
    } catch (const std::runtime_error& error) {
        throw std::runtime_error{text(error)};
    }
}

std::uint32_t sum(std::uint32_t some, std::uint32_t more) {
    return some + std::min(more, std::numeric_limits<std::uint32_t>::max() - some);
}

template <class Spec>
std::uint32_t places_of(const Spec& spec) {
    if constexpr (requires { spec.count; }) return spec.count;
    return 1;
}

/// Brings the messages that a part schedules back to that part.
class PartScheduler final : public Scheduler {
  public:
    PartScheduler(ProcessContext context, std::size_t number) noexcept CUELINE_NONBLOCKING : context_{context},
                                                                                             flags_{to_part(number)} {}

    Scheduled schedule(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING override {
        Message to_it = message;
        to_it.flags = flags_;
        return context_.schedule(to_it, frame);
    }
    bool cancel(Cause cause) noexcept CUELINE_NONBLOCKING override { return context_.cancel(cause); }

  private:
    ProcessContext context_;
    std::uint8_t flags_;
};

}  // namespace

/// How loud a part is in a segment, on each output.
class PartsProcessor::Strip {
  public:
    Strip(const Part& part, ProcessContext& context) noexcept CUELINE_NONBLOCKING
        : gain_{part.gain ? &context.parameter(*part.gain) : nullptr},
          pan_{part.pan ? &context.parameter(*part.pan) : nullptr},
          mute_{part.mute ? &context.parameter(*part.mute) : nullptr} {}

    [[nodiscard]] bool moves() const noexcept CUELINE_NONBLOCKING {
        return moves(gain_) || moves(pan_) || moves(mute_);
    }

    /// The factor for a frame of the segment and an output.
    [[nodiscard]] float at(std::size_t frame, std::size_t output, std::size_t outputs) const noexcept
        CUELINE_NONBLOCKING {
        const double gain = value(gain_, frame, 1) * (1 - value(mute_, frame, 0));
        return static_cast<float>(gain) * pan_gain(static_cast<float>(value(pan_, frame, 0)), output, outputs);
    }

  private:
    static bool moves(const Parameter* parameter) noexcept CUELINE_NONBLOCKING {
        return parameter != nullptr && parameter->moves();
    }
    static double value(const Parameter* parameter, std::size_t frame, double without) noexcept CUELINE_NONBLOCKING {
        return parameter == nullptr ? without : parameter->at(frame);
    }

    const Parameter* gain_;
    const Parameter* pan_;
    const Parameter* mute_;
};

PartsProcessor::PartsProcessor(std::span<const OwnedProcessor> parts) {
    for (const OwnedProcessor& part : parts) parts_.push_back({.name = part.name(), .processor = part.share()});
}

void PartsProcessor::prepare(const Format& format) {
    for (const Part& part : parts_) with_name(part.name, [&] { part.processor->prepare(format); });
    if (!declared_) declare();
    declared_ = true;
    blocksize_ = format.blocksize;
    samples_ = {};  // frees the old locked pages before it locks new ones
    samples_ = LockedArray<float>{std::size_t{format.outputs} * format.blocksize};
}

void PartsProcessor::declare() {
    bool all_say = true;
    for (Part& part : parts_) {
        const Processor& processor = *part.processor;
        with_name(part.name, [&] { ProcessorControls::check(processor); });
        part.places.parameters = add(part, processor.parameters(), parameters_);
        part.gain = add_to_strip(part, gain_of_strip);
        part.pan = add_to_strip(part, pan_of_strip);
        part.mute = add_to_strip(part, mute_of_strip);
        part.places.meters = add(part, processor.meters(), meters_);
        part.places.playbacks = add(part, processor.playbacks(), playbacks_);
        part.places.recordings = add(part, processor.recordings(), recordings_);
        part.places.slots = {.first = slots_, .count = processor.buffer_slots()};
        slots_ = sum(slots_, part.places.slots.count);
        loaded_ = sum(loaded_, processor.loaded_buffers());
        const std::span<const std::string_view> reasons = processor.reasons();
        part.reasons = {.first = static_cast<std::uint32_t>(reasons_.size()),
                        .count = static_cast<std::uint32_t>(reasons.size())};
        reasons_.insert(reasons_.end(), reasons.begin(), reasons.end());
        const std::optional<std::span<const Kind>> kinds = processor.kinds();
        all_say = all_say && kinds;
        if (kinds) handled_.insert(handled_.end(), kinds->begin(), kinds->end());
    }
    if (all_say) kinds_ = handled_;
}

/// Declares what a part declares, and returns where that lies.
template <class Spec>
Places PartsProcessor::add(const Part& part, std::span<const Spec> from, std::vector<Spec>& to) {
    const auto all = [](std::span<const Spec> specs) {
        std::uint32_t places = 0;
        for (const Spec& spec : specs) places += places_of(spec);
        return places;
    };
    const Places places{.first = all(to), .count = all(from)};
    for (const Spec& spec : from) {
        to.push_back(spec);
        to.back().name = named(part, spec.name);
    }
    return places;
}

/// Declares a parameter of a part's strip, and returns its address, or nothing if the part has one of that name.
std::optional<std::uint32_t> PartsProcessor::add_to_strip(const Part& part, ParameterSpec spec) {
    const std::span<const ParameterSpec> own = part.processor->parameters();
    if (std::ranges::find(own, spec.name, &ParameterSpec::name) != own.end()) return std::nullopt;
    return add(part, std::span<const ParameterSpec>{&spec, 1}, parameters_).first;
}

std::string_view PartsProcessor::named(const Part& part, std::string_view name) {
    return names_.emplace_back(part.name + "." + std::string{name});
}

/// Calls `call` with a part's processor and its context. `number` counts from 0.
template <class Call>
void PartsProcessor::call(std::size_t number, const ProcessContext& context, Call call) noexcept {
    PartScheduler scheduler{context, number + 1};
    ProcessContext own = context.part(parts_[number].places, scheduler);
    call(*parts_[number].processor, own);
}

void PartsProcessor::begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (std::size_t number = 0; number < parts_.size(); ++number) {
        call(number, context, [](Processor& processor, ProcessContext& own) noexcept CUELINE_NONBLOCKING {
            processor.begin_block(own);
        });
    }
}

Outcome PartsProcessor::outcome_of(std::size_t number, const Message& command, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    Outcome outcome = false;
    call(number, context, [&](Processor& processor, ProcessContext& own) noexcept CUELINE_NONBLOCKING {
        outcome = processor.handle(command, own);
    });
    if (outcome.result == Outcome::Result::refused && outcome.value >= first_own_reason) {
        // A reason that the part does not name must not get another part's name.
        const Places& named = parts_[number].reasons;
        const bool has_name = outcome.value - first_own_reason < named.count;
        outcome.value = sum(outcome.value, has_name ? named.first : static_cast<std::uint32_t>(reasons_.size()));
    }
    return outcome;
}

Outcome PartsProcessor::handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const std::size_t wanted = part_of(command.flags);
    if (wanted > parts_.size()) return false;
    if (wanted > 0) return outcome_of(wanted - 1, command, context);
    Outcome outcome = false;
    for (std::size_t number = 0; number < parts_.size(); ++number) {
        const Outcome of_part = outcome_of(number, command, context);
        const bool counts_first = outcome.result == Outcome::Result::unknown ||
                                  (of_part.result == Outcome::Result::refused && outcome.result != of_part.result);
        if (counts_first) outcome = of_part;
    }
    return outcome;
}

void PartsProcessor::discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const std::size_t wanted = part_of(command.flags);
    for (std::size_t number = 0; number < parts_.size(); ++number) {
        if (wanted > 0 && wanted != number + 1) continue;
        call(number, context, [&](Processor& processor, ProcessContext& own) noexcept CUELINE_NONBLOCKING {
            processor.discarded(command, own);
        });
    }
}

/// Adds what a part has rendered, or puts it there if the part is the first one.
void PartsProcessor::mix(const AudioBlock& rendered, const Strip& strip, bool is_first,
                         const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
    const std::size_t outputs = block.outputs.size();
    const bool moves = strip.moves();
    for (std::size_t output = 0; output < outputs; ++output) {
        const float* const from = rendered.outputs[output];
        float* const into = block.outputs[output];
        const float still = strip.at(0, output, outputs);
        if (!moves && (still == 0 ? !is_first : is_first && still == 1)) continue;
        // A sample that is not finite is silent where the factor is 0.
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const float factor = moves ? strip.at(frame, output, outputs) : still;
            const float sample = factor == 0 ? 0 : from[frame] * factor;
            into[frame] = is_first ? sample : into[frame] + sample;
        }
    }
}

void PartsProcessor::render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const std::size_t outputs = block.outputs.size();
    std::array<float*, max_channels> scratch;  // NOLINT(*-member-init): as many as are used are written
    for (std::size_t output = 0; output < outputs; ++output) {
        scratch[output] = samples_.all().data() + output * blocksize_;
    }
    for (std::size_t number = 0; number < parts_.size(); ++number) {
        const bool is_first = number == 0;  // it needs no scratch
        const AudioBlock own_block{.inputs = block.inputs,
                                   .outputs = is_first ? block.outputs : std::span{scratch}.first(outputs),
                                   .frames = block.frames,
                                   .frame = block.frame};
        call(number, context, [&](Processor& processor, ProcessContext& own) noexcept CUELINE_NONBLOCKING {
            processor.render(own_block, own);
        });
        mix(own_block, Strip{parts_[number], context}, is_first, block);
    }
}

}  // namespace cueline
