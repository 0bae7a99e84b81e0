// tone_processor.hpp: a test tone: a sine on all channels, set by parameters and messages, and how loud it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/engine/tone_messages.hpp>
#include <cueline/processor.hpp>

#include "processors/click_voice.hpp"

namespace cueline {

/// A sine, the same on all channels: 440 Hz, rising to a gain of 0.2 as it begins. The same messages at the same frames
/// give the same samples, bit for bit, whatever the block size.
///
/// It has the parameters `frequency` (Hz, 0 to half the sample rate) and `gain` (0 to 1), and knows kind::set_tone,
/// which moves both from a frame on: what came last counts. What is set is reached in 20 ms, frame by frame, from
/// wherever a ramp under way has come to; where the gain is 0, the frequency is there at once. In a message, out of
/// range or infinite means the end of the range that is nearest.
///
/// kind::click adds a metronome's click: its first sample is its highest, so that one hears, and sees, the very frame.
///
/// Its meter `level` shows the peak and the root mean square of each twentieth of a second, counted in frames whatever
/// the blocks are; the frame it gives is the one after them. kind::get_level asks for an exact account instead: of all
/// that was rendered since the last kind::level. One that the event ring had no room for is part of the next.
class ToneProcessor final : public Processor {
  public:
    /// The tone goes on from the phase it had. Ramps under way begin anew, from where they are.
    void prepare(const Format& format) override;

    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameters_; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override;

    bool handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    /// How loud a run of samples is.
    struct Loudness {
        float peak = 0;
        double squares = 0;  // their sum
        std::uint64_t samples = 0;

        void take(float sample, std::size_t channels) noexcept CUELINE_NONBLOCKING;
        [[nodiscard]] Level level() const noexcept CUELINE_NONBLOCKING;
    };

    void begin(ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    float next_sample(Parameter& frequency_hz, Parameter& gain) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint64_t phase_step(double hz) const noexcept CUELINE_NONBLOCKING;
    void show_level(float sample, std::uint64_t frame, Meter& meter) noexcept CUELINE_NONBLOCKING;

    double samplerate_ = Format{}.samplerate;
    std::array<ParameterSpec, 2> parameters_;
    bool begun_ = false;
    std::uint64_t phase_ = 0;  // of the next frame, in 2^-64 cycles: it wraps as a cycle does, and never drifts
    std::uint64_t phase_step_ = 0;
    ClickVoice click_;
    Loudness since_last_told_;
    Loudness window_;
    std::uint64_t window_frames_ = 1;
};

}  // namespace cueline
