// tone_processor.cpp: phase, ramps and sine of the test tone, one frame after the other.
#include "tone_processor.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cueline {

namespace {

constexpr std::uint32_t ramps_a_second = 50;  // 20 ms each

/// The sine of a phase in 2^-64 cycles, off by less than 1e-9. It is ours, and not the C library's, so that the audio
/// thread asks nobody for it, and gets the same bits on every system.
double sine(std::uint64_t phase) noexcept CUELINE_NONBLOCKING {
    constexpr std::uint64_t half = std::uint64_t{1} << 63U;
    constexpr std::uint64_t quarter = half / 2;
    // The half of the cycle around 1/2 mirrors the one around 0: within a quarter of 0 the series is short.
    const std::uint64_t folded = phase + quarter < half ? phase : half - phase;
    const double x = static_cast<double>(static_cast<std::int64_t>(folded)) * (2 * std::numbers::pi * 0x1p-64);
    const double x2 = x * x;
    // Taylor's series, up to the thirteenth power.
    double sum = 1 - x2 * (1.0 / (12 * 13));
    sum = 1 - x2 * (1.0 / (10 * 11)) * sum;
    sum = 1 - x2 * (1.0 / (8 * 9)) * sum;
    sum = 1 - x2 * (1.0 / (6 * 7)) * sum;
    sum = 1 - x2 * (1.0 / (4 * 5)) * sum;
    sum = 1 - x2 * (1.0 / (2 * 3)) * sum;
    return x * sum;
}

}  // namespace

void ToneProcessor::prepare(const Format& format) {
    samplerate_ = format.samplerate;
    ramp_frames_ = std::max<std::uint32_t>(1, format.samplerate / ramps_a_second);
    const double target_hz = std::min(frequency_hz_.target(), highest_hz());
    frequency_hz_.set(std::min(frequency_hz_.value(), highest_hz()));
    frequency_hz_.go_to(target_hz, ramp_frames_);
    gain_.go_on(ramp_frames_);
    phase_step_ = phase_step();
}

bool ToneProcessor::handle(const Message& command, Context& context) noexcept CUELINE_NONBLOCKING {
    switch (command.kind) {
        case kind::set_tone:
            set(command.as<SetTone>());
            return true;
        case kind::get_level:
            if (context.events().send(kind::level, loudness_.level(), command.sequence) == Status::ok) loudness_ = {};
            return true;
        default:
            return false;
    }
}

void ToneProcessor::set(const SetTone& wanted) noexcept CUELINE_NONBLOCKING {
    if (!std::isnan(wanted.frequency_hz)) {
        const double hz = std::clamp<double>(wanted.frequency_hz, 0, highest_hz());
        if (gain_.value() == 0) {
            frequency_hz_.set(hz);  // nobody hears it jump
            phase_step_ = phase_step();
        } else {
            frequency_hz_.go_to(hz, ramp_frames_);
        }
    }
    if (!std::isnan(wanted.gain)) gain_.go_to(std::clamp<double>(wanted.gain, 0, 1), ramp_frames_);
}

void ToneProcessor::render(const AudioBlock& block, Context&) noexcept CUELINE_NONBLOCKING {
    for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
        const float sample = next_sample();
        for (float* const channel : block.channels) channel[frame] = sample;
        loudness_.take(sample, block.channels.size());
    }
}

float ToneProcessor::next_sample() noexcept CUELINE_NONBLOCKING {
    const auto sample = static_cast<float>(gain_.next() * sine(phase_));
    if (frequency_hz_.moves()) {
        frequency_hz_.next();
        phase_step_ = phase_step();
    }
    phase_ += phase_step_;
    return sample;
}

/// From one frame to the next. Half the sample rate is half a cycle: 2^63.
std::uint64_t ToneProcessor::phase_step() const noexcept CUELINE_NONBLOCKING {
    return static_cast<std::uint64_t>(frequency_hz_.value() / samplerate_ * 0x1p64);
}

void ToneProcessor::Loudness::take(float sample, std::size_t channels) noexcept CUELINE_NONBLOCKING {
    peak = std::max(peak, std::abs(sample));
    squares += static_cast<double>(sample) * sample * static_cast<double>(channels);
    samples += channels;
}

Level ToneProcessor::Loudness::level() const noexcept CUELINE_NONBLOCKING {
    if (samples == 0) return {};
    return {.peak = peak, .rms = static_cast<float>(std::sqrt(squares / static_cast<double>(samples)))};
}

}  // namespace cueline
