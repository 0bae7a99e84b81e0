// cfunc_processor.cpp: passes blocks to C functions, and publishes their audio, meters and events.
#include "processors/cfunc_processor.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace cueline {

CFuncProcessor::CFuncProcessor(const CFunctions& functions, std::vector<OwnParameter> parameters,
                               std::vector<OwnMeter> meters, std::uint32_t slots, std::vector<std::string> reasons)
    : functions_{functions},
      own_parameters_{std::move(parameters)},
      own_meters_{std::move(meters)},
      slots_{slots},
      own_reasons_{std::move(reasons)},
      reasons_{own_reasons_.begin(), own_reasons_.end()},
      samples_{std::min(slots, max_buffer_slots)},  // the engine refuses more
      buffers_{3 * samples_.size()} {
    for (const OwnParameter& own : own_parameters_) {
        parameter_specs_.push_back({.name = own.name,
                                    .lowest = own.lowest,
                                    .highest = own.highest,
                                    .default_value = own.default_value,
                                    .unit = own.unit,
                                    .ramp_s = own.ramp_s,
                                    .count = own.count});
        if (own.count == 1) ++single_parameters_;
    }
    for (const OwnMeter& own : own_meters_) fields_.emplace_back(own.fields.begin(), own.fields.end());
    for (std::size_t index = 0; index < own_meters_.size(); ++index) {
        meter_specs_.push_back({.name = own_meters_[index].name,
                                .unit = own_meters_[index].unit,
                                .fields = fields_[index],
                                .count = own_meters_[index].count});
    }
    // Not more than an engine accepts: it refuses the others by their number, after prepare().
    const std::size_t numbers = std::min(elements<MeterSpec>(meter_specs_), max_meters) * max_meter_fields;
    meter_pages_ = LockedPages{numbers * sizeof(double)};
    meter_values_ = {reinterpret_cast<double*>(meter_pages_.bytes().data()), numbers};
    std::ranges::uninitialized_value_construct(meter_values_);
}

void CFuncProcessor::reset() {
    std::ranges::fill(meter_values_, 0.0);
}

void CFuncProcessor::prepare(const Format& format) {
    samplerate_ = format.samplerate;
    const std::size_t values = single_parameters_ * format.blocksize;
    const std::size_t array_values =
        2 *
        (std::min(elements<ParameterSpec>(parameter_specs_), max_parameters + single_parameters_) - single_parameters_);
    const std::size_t inputs = std::size_t{format.inputs} * format.blocksize;
    const std::size_t outputs = std::size_t{format.outputs} * format.blocksize;
    block_pages_ = {};  // frees the old locked pages before it locks new ones
    block_pages_ = LockedPages{(values + array_values) * sizeof(double) + (inputs + outputs) * sizeof(float)};
    std::byte* const memory = block_pages_.bytes().data();
    parameter_values_ = {reinterpret_cast<double*>(memory), values};
    array_values_ = {parameter_values_.data() + values, array_values};
    inputs_ = {reinterpret_cast<float*>(memory + (values + array_values) * sizeof(double)), inputs};
    outputs_ = {inputs_.data() + inputs, outputs};
    std::ranges::uninitialized_value_construct(parameter_values_);
    std::ranges::uninitialized_value_construct(array_values_);
    std::ranges::uninitialized_value_construct(inputs_);
    std::ranges::uninitialized_value_construct(outputs_);
    locked_state_.emplace(std::span{static_cast<std::byte*>(functions_.state), functions_.state_bytes});
}

Outcome CFuncProcessor::handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (functions_.handle == nullptr) return false;
    const std::uint64_t frame = context.events().frame();
    const std::int64_t code =
        functions_.handle(&command, frame, samplerate_, events_.data(), cues_.data(), functions_.state);
    send_events(context, frame, command);
    const Scheduled scheduled = schedule_cues(context);
    const auto value = static_cast<std::uint32_t>(code >> 32);
    switch (static_cast<std::uint32_t>(code)) {
        case 1:
            return scheduled == Scheduled::ok ? Outcome::applied(value) : Outcome{scheduled};
        case 2:
            return Outcome::refused(value);
        case 3:
            return scheduled;
        default:
            return false;
    }
}

void CFuncProcessor::discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (functions_.discarded == nullptr) return;
    functions_.discarded(&command, context.events().frame(), samplerate_, functions_.state);
}

/// Returns what became of the first cue that could not be scheduled.
Scheduled CFuncProcessor::schedule_cues(ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    Scheduled outcome = Scheduled::ok;
    for (Message& cue : cues_) {
        if (cue.kind == kind::none) continue;
        const Scheduled scheduled = context.schedule(cue, cue.frame);
        if (outcome == Scheduled::ok) outcome = scheduled;
        cue = {};
    }
    return outcome;
}

void CFuncProcessor::find_buffers(const ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (std::size_t slot = 0; slot < samples_.size(); ++slot) {
        const Buffer* const buffer = context.buffer(slot);
        const Buffer found = buffer == nullptr ? Buffer{} : *buffer;
        samples_.all()[slot] = found.interleaved.data();
        const std::span<std::uint64_t> numbers = buffers_.all().subspan(3 * slot, 3);
        numbers[0] = found.frames;
        numbers[1] = found.channels;
        numbers[2] = found.serial;
    }
}

/// The function gets straight lines for the elements of arrays. If an automation moves one, these are short, and begin
/// at the same frames at every block size that is a multiple of theirs.
void CFuncProcessor::render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const bool bends = array_bends(context);
    find_buffers(context);
    for (std::uint32_t done = 0; done < block.frames;) {
        const auto until_line = static_cast<std::uint32_t>(line_frames - (block.frame + done) % line_frames);
        const std::uint32_t frames = bends ? std::min(block.frames - done, until_line) : block.frames - done;
        render_piece(block, done, frames, context);
        done += frames;
    }
}

/// Renders `frames` frames, of which the first has the index `first` in the block.
void CFuncProcessor::render_piece(const AudioBlock& block, std::uint32_t first, std::uint32_t frames,
                                  ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t frame = block.frame + first;
    fill_parameters(first, frames, context);
    float* input = inputs_.data();
    for (const float* const channel : block.inputs) input = std::copy_n(channel + first, frames, input);
    functions_.render(inputs_.data(), static_cast<std::uint32_t>(block.inputs.size()), outputs_.data(),
                      static_cast<std::uint32_t>(block.outputs.size()), frames, frame, samplerate_,
                      parameter_values_.data(), array_values_.data(), meter_values_.data(), events_.data(),
                      samples_.all().data(), buffers_.all().data(), functions_.state);
    const float* sample = outputs_.data();
    for (float* const channel : block.outputs) {
        std::copy_n(sample, frames, channel + first);
        sample += frames;
    }
    for (std::size_t address = 0; address < meter_values_.size() / max_meter_fields; ++address) {
        const double* const numbers = meter_values_.data() + address * max_meter_fields;
        context.meter(address).set(std::span{numbers, max_meter_fields}, frame + frames);
    }
    send_events(context, frame, {});
}

bool CFuncProcessor::array_bends(ProcessContext& context) const noexcept CUELINE_NONBLOCKING {
    std::size_t address = 0;
    for (const ParameterSpec& spec : parameter_specs_) {
        if (spec.count > 1) {
            for (const Parameter& parameter : context.parameters(address, spec.count)) {
                if (parameter.automated() && parameter.moves()) return true;
            }
        }
        address += spec.count;
    }
    return false;
}

void CFuncProcessor::fill_parameters(std::uint32_t first, std::uint32_t frames, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    std::span<double> values = parameter_values_;
    std::span<double> pairs = array_values_;
    std::size_t address = 0;
    for (const ParameterSpec& spec : parameter_specs_) {
        if (spec.count == 1) {
            context.parameter(address).fill(values.first(frames), first);
            values = values.subspan(frames);
        } else {
            for (const Parameter& parameter : context.parameters(address, spec.count)) {
                const double value = parameter.at(first);
                pairs[0] = value;
                pairs[1] = parameter.moves() ? (parameter.at(first + frames) - value) / frames : 0;
                pairs = pairs.subspan(2);
            }
        }
        address += spec.count;
    }
}

void CFuncProcessor::send_events(ProcessContext& context, std::uint64_t frame, Cause cause) noexcept
    CUELINE_NONBLOCKING {
    for (const Message& event : events_) {
        if (event.kind == kind::none) continue;
        // If the event ring is full, the event is dropped and counted.
        context.events().send_at(event.frame == 0 ? frame : event.frame, event.kind, event.payload,
                                 event.sequence == 0 ? cause : Cause{event});
    }
    events_.fill({});
}

}  // namespace cueline
