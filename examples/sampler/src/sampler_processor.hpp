// sampler_processor.hpp: eight pads. Each plays the buffer that was published in its slot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <cueline/processor.hpp>

#include "messages.hpp"

namespace sampler {

/// Why a pad has ended; the same as in messages.py.
enum class Reason : std::uint32_t { played, stopped, triggered, empty };  // NOLINT(performance-enum-size): as sent

/// The sampler. Trigger plays a pad from its buffer's beginning, at the exact frame of the command. StopPad stops it.
/// LoopPad sets whether it loops. The same messages at the same frames give the same samples, bit for bit, at any block
/// size.
///
/// Each sample is multiplied by the velocity, the pad's gain, the pad's pan for that side, and the master gain. With
/// gains of 1 and the pan at the centre, the sound is unchanged. A mono buffer plays on both sides; of other buffers,
/// the first two channels play left and right. The pan keeps the power constant: a sound panned to one side is 3 dB
/// louder there. A device with one channel gets the mean of both sides. Channels beyond the second are silent. Sample
/// rates are not converted.
///
/// Nothing clicks. A pad that is stopped or emptied fades from its last sample in 5 ms. A pad that is reloaded
/// continues at the same position in the new buffer, and crossfades to it in 5 ms. A pad that is triggered again begins
/// at once, while its old sound fades. No fade needs the old buffer, which returns at once. Where a buffer begins, ends
/// or loops, its author is responsible for clicks.
///
/// PadEnded answers each Trigger once. Its frame is the first without that sound. If the event ring is full, it is
/// dropped and counted. Commands with invalid values (pad 8, a velocity of NaN) are refused; the engine counts them as
/// unhandled.
class SamplerProcessor final : public cueline::Processor {
  public:
    static constexpr std::uint32_t pads = 8;

    // Indices for context.parameter() and context.meter().
    static constexpr std::size_t gain_of(std::size_t pad) noexcept CUELINE_NONBLOCKING { return pad; }
    static constexpr std::size_t pan_of(std::size_t pad) noexcept CUELINE_NONBLOCKING { return pads + pad; }
    static constexpr std::size_t master_gain = std::size_t{2} * pads;
    static constexpr std::size_t master_meter = pads;  // after the meters of the pads

    /// All pads fall silent.
    void reset() override;
    /// Pads continue to play. A fade under way begins again from its last sample.
    /// [control thread or device helper, while no block runs]
    void prepare(const cueline::Format& format) override;

    [[nodiscard]] std::uint32_t buffer_slots() const override { return pads; }
    /// `gain 0` to `gain 7` and `master`, 0 to 1; `pan 0` to `pan 7`, -1 (left) to 1.
    [[nodiscard]] std::span<const cueline::ParameterSpec> parameters() const override;
    /// `pad 0` to `pad 7`: the peak of the last twentieth of a second, and the playhead in seconds (0 if silent).
    /// `master`: the peak and the root mean square of the output.
    [[nodiscard]] std::span<const cueline::MeterSpec> meters() const override;

    // The audio thread calls all functions below. They are wait-free.
    cueline::Outcome handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override;
    void render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override;

  private:
    struct Stereo {
        float left = 0;
        float right = 0;
    };

    struct Pad {
        bool plays = false;
        bool loops = false;
        bool jumped = false;   // the next sample does not continue the last one
        bool attacks = false;  // no jump since the trigger: the new sound begins at full level, only the old one fades
        float velocity = 0;
        std::uint32_t position = 0;  // of the next frame in the buffer
        cueline::Cause trigger;
        std::uint64_t serial = 0;  // of the buffer that it plays, 0 before the first frame
        std::uint32_t fade_left = 0;
        Stereo last;     // the last sample that was heard
        Stereo tail;     // the last sample before the jump, which fades
        float peak = 0;  // since the last meter reading

        /// A stopped pad still sounds until its tail has faded.
        [[nodiscard]] bool sounds() const noexcept CUELINE_NONBLOCKING { return plays || jumped || fade_left > 0; }
    };

    using Buffers = std::array<const cueline::Buffer*, pads>;

    bool obey(const Trigger& wanted, const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    bool obey(const StopPad& wanted, const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    bool obey(const LoopPad& wanted, const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    void look_at_buffer(std::size_t number, const cueline::Buffer* buffer, std::uint64_t frame,
                        cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    Stereo next_frame(const Buffers& buffers, std::uint64_t frame, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    [[nodiscard]] Stereo next_sample(Pad& pad, const cueline::Buffer* buffer) const noexcept CUELINE_NONBLOCKING;
    void end(std::size_t number, Reason reason, std::uint64_t frame, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    void show_meters(std::uint64_t frame, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;

    std::array<Pad, pads> pads_;
    double samplerate_ = cueline::Format{}.samplerate;
    std::uint32_t fade_frames_ = 1;
    std::uint32_t window_frames_ = 1;  // frames between two meter readings
    float peak_ = 0;
    double squares_ = 0;  // the sum of the squares of both sides
};

}  // namespace sampler
