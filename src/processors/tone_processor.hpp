// tone_processor.hpp: a test tone with parameters, messages and a level meter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <cueline/engine/tone_messages.hpp>
#include <cueline/processor.hpp>

#include "processors/click_voice.hpp"

namespace cueline {

/// Plays the same sine on all channels: 440 Hz, which rises to a gain of 0.2 at the start. The same messages at the
/// same frames give the same samples, bit for bit, at any block size.
///
/// - Parameters: `frequency` (Hz, 0 to half the sample rate) and `gain` (0 to 1). kind::set_tone sets both at a frame.
///   The latest value counts. A change is a ramp of 20 ms, frame by frame, from the present value. At a gain of 0,
///   the frequency jumps. Values in a message are clamped to the range.
/// - kind::click adds a metronome's click. Its first sample is its peak, which marks the exact frame.
/// - Meter `level`: peak and root mean square of each twentieth of a second. These windows are counted in frames and
///   do not depend on blocks. The meter's frame is the first one after the window.
/// - kind::get_level: the processor answers with a kind::level for all that was rendered since the last kind::level.
///   If the event ring is full, this answer is lost, and the next one covers its time too.
class ToneProcessor final : public Processor {
  public:
    static constexpr std::array handled{SetTone::kind, GetLevel::kind, Click::kind};

    /// The tone begins anew, from silence.
    void reset() override;
    /// The tone keeps its phase. Ramps start again from their present values.
    void prepare(const Format& format) override;

    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameters_; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override;
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return handled; }

    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    /// Measures the level of a run of samples.
    struct Loudness {
        float peak = 0;
        double squares = 0;  // the sum of squares
        std::uint64_t samples = 0;

        void add(float sample, std::size_t channels) noexcept CUELINE_NONBLOCKING;
        [[nodiscard]] Level level() const noexcept CUELINE_NONBLOCKING;
    };

    void begin(ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    float next_sample(Parameter& frequency_hz, Parameter& gain) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint64_t phase_step(double hz) const noexcept CUELINE_NONBLOCKING;
    void show_level(float sample, std::uint64_t frame, Meter& meter) noexcept CUELINE_NONBLOCKING;

    double samplerate_ = Format{}.samplerate;
    std::array<ParameterSpec, 2> parameters_;
    bool begun_ = false;
    std::uint64_t phase_ = 0;  // of the next frame, in 2^-64 cycles: it wraps where the cycle does, and never drifts
    std::uint64_t phase_step_ = 0;
    ClickVoice click_;
    Loudness since_last_level_;
    Loudness window_;
    std::uint64_t window_frames_ = 1;
};

}  // namespace cueline
