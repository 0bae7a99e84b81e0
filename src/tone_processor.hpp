// tone_processor.hpp: a test tone: a sine on all channels, set by messages, and how loud it was.
#pragma once

#include <cstdint>

#include <cueline/processor.hpp>

#include <cueline/ramp.hpp>

namespace cueline {

/// A sine, the same on all channels: 440 Hz, rising to a gain of 0.2 as it begins. The same messages at the same frames
/// give the same samples, bit for bit, whatever the block size.
///
/// It knows kind::set_tone and kind::get_level. What is set is reached in 20 ms, frame by frame, from wherever a ramp
/// under way has come to; where the gain is 0, a frequency is set at once. Out of range (0 to half the sample rate, 0
/// to 1) or infinite means the end of the range that is nearest. A level that the event ring had no room for is part of
/// the next one.
class ToneProcessor final : public Processor {
  public:
    /// The tone goes on from the phase it had. Ramps under way begin anew, from where they are.
    void prepare(const Format& format) override;

    bool handle(const Message& command, Context& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, Context& context) noexcept CUELINE_NONBLOCKING override;

  private:
    /// What was rendered since the last level that was told.
    struct Loudness {
        float peak = 0;
        double squares = 0;  // their sum
        std::uint64_t samples = 0;

        void take(float sample, std::size_t channels) noexcept CUELINE_NONBLOCKING;
        [[nodiscard]] Level level() const noexcept CUELINE_NONBLOCKING;
    };

    void set(const SetTone& wanted) noexcept CUELINE_NONBLOCKING;
    float next_sample() noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] double highest_hz() const noexcept CUELINE_NONBLOCKING { return samplerate_ / 2; }
    [[nodiscard]] std::uint64_t phase_step() const noexcept CUELINE_NONBLOCKING;

    double samplerate_ = Format{}.samplerate;
    std::uint32_t ramp_frames_ = 1;
    Ramp frequency_hz_{440, 440};
    Ramp gain_{0, 0.2F};       // as a message would have it
    std::uint64_t phase_ = 0;  // of the next frame, in 2^-64 cycles: it wraps as a cycle does, and never drifts
    std::uint64_t phase_step_ = 0;
    Loudness loudness_;
};

}  // namespace cueline
