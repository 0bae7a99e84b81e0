// click_voice.hpp: a metronome's click, which begins at its full height and fades within 20 ms.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <cueline/ring.hpp>

#include "processors/sine.hpp"

namespace cueline {

/// [one thread, wait-free]
class ClickVoice {
  public:
    /// Begins a click with the next frame, and ends the one before. Clamps the frequency to half the sample rate and
    /// the gain to 1. A NaN counts as 0.
    void start(double frequency_hz, double gain, double samplerate) noexcept CUELINE_NONBLOCKING {
        const double cycles = std::isnan(frequency_hz) ? 0 : std::clamp(frequency_hz / samplerate, 0.0, 0.5);
        phase_step_ = static_cast<std::uint64_t>(cycles * 0x1p64);
        phase_ = quarter_cycle;  // the peak, so that the first sample is heard
        gain_ = std::isnan(gain) ? 0 : std::clamp(gain, 0.0, 1.0);
        frames_ = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(samplerate / clicks_a_second));
        frames_left_ = frames_;
    }

    /// Returns the next frame's sample, or 0 if no click sounds.
    double next() noexcept CUELINE_NONBLOCKING {
        if (frames_left_ == 0) return 0;
        const double left = static_cast<double>(frames_left_--) / frames_;
        const double sample = gain_ * left * left * sine(phase_);
        phase_ += phase_step_;
        return sample;
    }

  private:
    static constexpr double clicks_a_second = 50;  // 20 ms each

    std::uint64_t phase_ = 0;
    std::uint64_t phase_step_ = 0;
    double gain_ = 0;
    std::uint32_t frames_ = 1;
    std::uint32_t frames_left_ = 0;
};

}  // namespace cueline
