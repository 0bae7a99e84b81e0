// tone_processor.cpp: renders the test tone, frame by frame.
#include "processors/tone_processor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "processors/sine.hpp"

namespace cueline {

namespace {

constexpr double ramp_s = 0.02;
constexpr std::uint32_t windows_a_second = 20;  // for the meter

enum ParameterNumber : std::uint8_t { frequency_number, gain_number };

constexpr std::array<std::string_view, 2> level_fields{"peak", "rms"};
constexpr std::array<MeterSpec, 1> meter_specs{{{.name = "level", .unit = {}, .fields = level_fields}}};

}  // namespace

void ToneProcessor::reset() {
    begun_ = false;
    phase_ = 0;
    click_ = {};
    since_last_level_ = {};
}

void ToneProcessor::prepare(const Format& format) {
    samplerate_ = format.samplerate;
    window_frames_ = std::max<std::uint32_t>(1, format.samplerate / windows_a_second);
    window_ = {};
    parameters_ = {{
        {.name = "frequency",
         .lowest = 0,
         .highest = samplerate_ / 2,
         .default_value = 440,
         .unit = "Hz",
         .ramp_s = ramp_s},
        {.name = "gain", .lowest = 0, .highest = 1, .default_value = 0.2, .unit = {}, .ramp_s = ramp_s},
    }};
}

std::span<const MeterSpec> ToneProcessor::meters() const {
    return meter_specs;
}

/// Lets the gain rise from 0 to its value. Call it before any other use of the gain.
void ToneProcessor::begin(ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (begun_) return;
    begun_ = true;
    context.parameter(gain_number).start_from(0);
}

Outcome ToneProcessor::handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    begin(context);
    switch (command.kind) {
        case kind::set_tone: {
            const auto wanted = command.as<SetTone>();
            context.parameter(frequency_number).go_to(wanted.frequency_hz);
            context.parameter(gain_number).go_to(wanted.gain);
            return true;
        }
        case kind::click: {
            const auto click = command.as<Click>();
            click_.start(click.frequency_hz, click.gain, samplerate_);
            return true;
        }
        case kind::get_level: {
            const Status sent = context.events().send(kind::level, since_last_level_.level(), command);
            if (sent == Status::ok) since_last_level_ = {};
            return true;
        }
        default:
            return false;
    }
}

void ToneProcessor::render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    begin(context);
    Parameter& frequency_hz = context.parameter(frequency_number);
    Parameter& gain = context.parameter(gain_number);
    phase_step_ = phase_step(frequency_hz.value());  // the format may have changed
    for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
        const float sample = next_sample(frequency_hz, gain);
        for (float* const channel : block.outputs) channel[frame] = sample;
        since_last_level_.add(sample, block.outputs.size());
        show_level(sample, block.frame + frame, context.meter(0));
    }
}

float ToneProcessor::next_sample(Parameter& frequency_hz, Parameter& gain) noexcept CUELINE_NONBLOCKING {
    if (frequency_hz.moves() && !frequency_hz.automated() && gain.value() == 0) {
        frequency_hz.jump_to(frequency_hz.target());  // the jump is inaudible
        phase_step_ = phase_step(frequency_hz.value());
    }
    const auto sample = static_cast<float>(gain.next() * sine(phase_) + click_.next());
    if (frequency_hz.moves()) phase_step_ = phase_step(frequency_hz.next());
    phase_ += phase_step_;
    return sample;
}

/// The phase between two frames, at most half a cycle. The limit is for a later format with a lower sample rate: the
/// range of the parameter comes from the first format.
std::uint64_t ToneProcessor::phase_step(double hz) const noexcept CUELINE_NONBLOCKING {
    return static_cast<std::uint64_t>(std::min(hz / samplerate_, 0.5) * 0x1p64);
}

void ToneProcessor::show_level(float sample, std::uint64_t frame, Meter& meter) noexcept CUELINE_NONBLOCKING {
    window_.add(sample, 1);
    if (window_.samples < window_frames_) return;
    const Level level = window_.level();
    meter.set({level.peak, level.rms}, frame + 1);
    window_ = {};
}

void ToneProcessor::Loudness::add(float sample, std::size_t channels) noexcept CUELINE_NONBLOCKING {
    peak = std::max(peak, std::abs(sample));
    squares += static_cast<double>(sample) * sample * static_cast<double>(channels);
    samples += channels;
}

Level ToneProcessor::Loudness::level() const noexcept CUELINE_NONBLOCKING {
    if (samples == 0) return {};
    return {.peak = peak, .rms = static_cast<float>(std::sqrt(squares / static_cast<double>(samples)))};
}

}  // namespace cueline
