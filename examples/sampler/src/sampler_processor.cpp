// sampler_processor.cpp: renders the pads, frame by frame.
#include "sampler_processor.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <cueline/visit.hpp>

namespace sampler {

namespace {

constexpr std::uint32_t fades_a_second = 200;   // 5 ms each
constexpr std::uint32_t windows_a_second = 20;  // one meter reading per window

using Names = std::array<std::string_view, SamplerProcessor::pads>;
constexpr Names gain_names{"gain 0", "gain 1", "gain 2", "gain 3", "gain 4", "gain 5", "gain 6", "gain 7"};
constexpr Names pan_names{"pan 0", "pan 1", "pan 2", "pan 3", "pan 4", "pan 5", "pan 6", "pan 7"};
constexpr Names pad_names{"pad 0", "pad 1", "pad 2", "pad 3", "pad 4", "pad 5", "pad 6", "pad 7"};
constexpr std::array<std::string_view, 2> pad_fields{"peak", "playhead"};
constexpr std::array<std::string_view, 2> master_fields{"peak", "rms"};

constexpr auto parameter_specs = [] {
    std::array<cueline::ParameterSpec, SamplerProcessor::master_gain + 1> specs{};
    for (std::size_t pad = 0; pad < SamplerProcessor::pads; ++pad) {
        specs.at(SamplerProcessor::gain_of(pad)) = {.name = gain_names.at(pad), .lowest = 0, .default_value = 1};
        specs.at(SamplerProcessor::pan_of(pad)) = {.name = pan_names.at(pad), .lowest = -1, .default_value = 0};
    }
    specs.at(SamplerProcessor::master_gain) = {.name = "master", .lowest = 0, .default_value = 1};
    return specs;
}();

constexpr auto meter_specs = [] {
    std::array<cueline::MeterSpec, SamplerProcessor::master_meter + 1> specs{};
    for (std::size_t pad = 0; pad < SamplerProcessor::pads; ++pad) {
        specs.at(pad) = {.name = pad_names.at(pad), .unit = {}, .fields = pad_fields};
    }
    specs.at(SamplerProcessor::master_meter) = {.name = "master", .unit = {}, .fields = master_fields};
    return specs;
}();

}  // namespace

std::span<const cueline::ParameterSpec> SamplerProcessor::parameters() const {
    return parameter_specs;
}

std::span<const cueline::MeterSpec> SamplerProcessor::meters() const {
    return meter_specs;
}

void SamplerProcessor::reset() {
    pads_ = {};
    peak_ = 0;
    squares_ = 0;
}

void SamplerProcessor::prepare(const cueline::Format& format) {
    samplerate_ = format.samplerate;
    fade_frames_ = std::max<std::uint32_t>(1, format.samplerate / fades_a_second);
    window_frames_ = std::max<std::uint32_t>(1, format.samplerate / windows_a_second);
    for (Pad& pad : pads_) pad.jumped = pad.jumped || pad.fade_left > 0;
}

cueline::Outcome SamplerProcessor::handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    const auto obeyed = [&](const auto& wanted) noexcept
        CUELINE_NONBLOCKING { return wanted.pad < pads && obey(wanted, command, context); };
    return cueline::Messages<Trigger, StopPad, LoopPad>::visit(command, obeyed);
}

bool SamplerProcessor::obey(const Trigger& wanted, const cueline::Message& command,
                            cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const bool makes_sense = wanted.velocity >= 0 && wanted.velocity <= 1;  // false for NaN
    if (!makes_sense) return false;
    Pad& pad = pads_[wanted.pad];
    if (pad.plays) end(wanted.pad, Reason::triggered, context.events().frame(), context);
    if (pad.sounds()) {
        pad.jumped = true;
    } else {  // the pad is silent, so a jump of its gain and pan is not heard
        for (const std::size_t number : {gain_of(wanted.pad), pan_of(wanted.pad)}) {
            context.parameter(number).jump_to(context.parameter(number).target());
        }
    }
    pad.plays = true;
    pad.attacks = true;
    pad.velocity = wanted.velocity;
    pad.position = 0;
    pad.trigger = command;
    pad.serial = 0;
    return true;
}

bool SamplerProcessor::obey(const StopPad& wanted, const cueline::Message&, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    if (pads_[wanted.pad].plays) end(wanted.pad, Reason::stopped, context.events().frame(), context);
    return true;
}

bool SamplerProcessor::obey(const LoopPad& wanted, const cueline::Message&, cueline::ProcessContext&) noexcept
    CUELINE_NONBLOCKING {
    pads_[wanted.pad].loops = wanted.loops != 0;
    return true;
}

void SamplerProcessor::render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    Buffers buffers{};
    for (std::size_t number = 0; number < pads; ++number) {
        buffers[number] = context.buffer(number);
        look_at_buffer(number, buffers[number], block.frame, context);
    }
    for (std::size_t channel = 2; channel < block.outputs.size(); ++channel) {
        std::ranges::fill(block.output(channel), 0.0F);
    }
    std::uint64_t window_end = block.frame - block.frame % window_frames_ + window_frames_;
    for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
        const Stereo heard = next_frame(buffers, block.frame + frame, context);
        if (block.outputs.size() == 1) {
            block.outputs[0][frame] = (heard.left + heard.right) / 2;
        } else {
            block.outputs[0][frame] = heard.left;
            block.outputs[1][frame] = heard.right;
        }
        if (block.frame + frame + 1 < window_end) continue;
        show_meters(window_end, context);
        window_end += window_frames_;
    }
}

/// Compares the buffer in the pad's slot with the one that the pad plays.
void SamplerProcessor::look_at_buffer(std::size_t number, const cueline::Buffer* buffer, std::uint64_t frame,
                                      cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    Pad& pad = pads_[number];
    if (!pad.plays) return;
    if (buffer == nullptr) {
        end(number, Reason::empty, frame, context);
        return;
    }
    if (pad.serial != 0 && pad.serial != buffer->serial) {
        pad.jumped = true;
        pad.attacks = false;
    }
    pad.serial = buffer->serial;
    if (pad.loops) pad.position %= buffer->frames;
    if (pad.position >= buffer->frames) end(number, Reason::played, frame, context);
}

SamplerProcessor::Stereo SamplerProcessor::next_frame(const Buffers& buffers, std::uint64_t frame,
                                                      cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    Stereo sum;
    for (std::size_t number = 0; number < pads; ++number) {
        Pad& pad = pads_[number];
        if (!pad.sounds()) {
            pad.last = {};
            continue;
        }
        const Stereo sample = next_sample(pad, buffers[number]);
        const double gain = context.parameter(gain_of(number)).next();
        // The pan keeps the power constant. These square roots come within 1 % of a sine and a cosine, and need no
        // call to a mathematical library. A plain root of `place` would be too steep at the ends, and would click.
        const double place = (context.parameter(pan_of(number)).next() + 1) / 2;
        const double right = place * place * (3 - 2 * place);
        const Stereo heard{.left = sample.left * static_cast<float>(gain * std::sqrt(2 * (1 - right))),
                           .right = sample.right * static_cast<float>(gain * std::sqrt(2 * right))};
        pad.peak = std::max({pad.peak, std::abs(heard.left), std::abs(heard.right)});
        sum = {.left = sum.left + heard.left, .right = sum.right + heard.right};
        if (!pad.plays || ++pad.position < buffers[number]->frames) continue;
        pad.position = 0;
        if (!pad.loops) end(number, Reason::played, frame + 1, context);
    }
    const auto master = static_cast<float>(context.parameter(master_gain).next());
    const Stereo heard{.left = sum.left * master, .right = sum.right * master};
    peak_ = std::max({peak_, std::abs(heard.left), std::abs(heard.right)});
    squares_ += static_cast<double>(heard.left) * heard.left + static_cast<double>(heard.right) * heard.right;
    return heard;
}

SamplerProcessor::Stereo SamplerProcessor::next_sample(Pad& pad, const cueline::Buffer* buffer) const noexcept
    CUELINE_NONBLOCKING {
    Stereo sample;
    if (pad.plays) {
        sample.left = pad.velocity * buffer->sample(pad.position, 0);
        sample.right = pad.velocity * buffer->sample(pad.position, buffer->channels == 1 ? 0 : 1);
    }
    if (pad.jumped) {
        pad.tail = pad.last;
        pad.fade_left = fade_frames_;
        pad.jumped = false;
    }
    if (pad.fade_left > 0) {
        const float old = static_cast<float>(pad.fade_left) / static_cast<float>(fade_frames_);
        const float fresh = pad.attacks ? 1 : 1 - old;
        sample.left = sample.left * fresh + pad.tail.left * old;
        sample.right = sample.right * fresh + pad.tail.right * old;
        --pad.fade_left;
    }
    // A bad sample of the buffer must not last as long as the next fade. The engine makes it 0 in the output.
    pad.last = std::isfinite(sample.left) && std::isfinite(sample.right) ? sample : Stereo{};
    return sample;
}

/// Ends a pad at `frame`. If it was cut off and some of it was heard, the rest fades.
void SamplerProcessor::end(std::size_t number, Reason reason, std::uint64_t frame,
                           cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    Pad& pad = pads_[number];
    pad.plays = false;
    pad.jumped = pad.jumped || (reason != Reason::played && pad.serial != 0);
    context.events().send_at(
        frame, PadEnded::kind,
        PadEnded{.pad = static_cast<std::uint32_t>(number), .reason = static_cast<std::uint32_t>(reason)}, pad.trigger);
}

void SamplerProcessor::show_meters(std::uint64_t frame, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (std::size_t number = 0; number < pads; ++number) {
        Pad& pad = pads_[number];
        const double playhead_s = pad.plays ? pad.position / samplerate_ : 0;
        context.meter(number).set({pad.peak, playhead_s}, frame);
        pad.peak = 0;
    }
    const double rms = std::sqrt(squares_ / (2.0 * window_frames_));
    context.meter(master_meter).set({peak_, rms}, frame);
    peak_ = 0;
    squares_ = 0;
}

}  // namespace sampler
