// sampler_processor.hpp: eight pads that play what is published, each the buffer of its slot.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <cueline/processor.hpp>

#include "messages.hpp"

namespace sampler {

/// Why a pad has ended, as messages.py has it.
enum class Reason : std::uint32_t { played, stopped, triggered, empty };  // NOLINT(performance-enum-size): as sent

/// Trigger plays a pad from its buffer's beginning, from the very frame at which it applies; StopPad stops it; LoopPad
/// says whether it goes round. The same messages at the same frames give the same samples, bit for bit, whatever the
/// block size.
///
/// A sound is multiplied by its velocity, its pad's gain, what its pad's pan gives either side, and the master gain. At
/// the centre, and with gains of 1, it is as it was published: a buffer of one channel on both sides, another one's
/// first two left and right. Panned to one side it is 3 dB louder there, so that its power stays the same. Where the
/// device has one channel it gets half of both, and channels beyond the second are silent. Rates are not converted.
///
/// Nothing clicks. A pad that is stopped, or emptied while it sounds, fades within 5 ms from where it was; one that is
/// reloaded goes on in its new buffer, at the place where it was, and crosses over to it likewise. One that is
/// triggered anew begins at once, while the rest of what it was fades. None of that needs the old buffer, which goes
/// back at once. Where a buffer begins, ends or goes round, the sound is its author's.
///
/// PadEnded answers each Trigger, once: stamped with the first frame without it. When the event ring is full it is
/// dropped and counted. What makes no sense (pad 8, a velocity of NaN) is refused: the engine counts it as unhandled.
class SamplerProcessor final : public cueline::Processor {
  public:
    static constexpr std::uint32_t pads = 8;

    // Their numbers, for context.parameter() and context.meter().
    static constexpr std::size_t gain_of(std::size_t pad) noexcept CUELINE_NONBLOCKING { return pad; }
    static constexpr std::size_t pan_of(std::size_t pad) noexcept CUELINE_NONBLOCKING { return pads + pad; }
    static constexpr std::size_t master_gain = std::size_t{2} * pads;
    static constexpr std::size_t master_meter = pads;  // behind those of the pads, which have their pad's number

    /// Pads play on. A tail that fades begins anew, from where it is.
    /// Thread: control, or a helper of the device's, while no block runs.
    void prepare(const cueline::Format& format) override;

    [[nodiscard]] std::uint32_t buffer_slots() const override { return pads; }
    /// `gain 0` to `gain 7` and `master`, 0 to 1; `pan 0` to `pan 7`, -1 (left) to 1.
    [[nodiscard]] std::span<const cueline::ParameterSpec> parameters() const override;
    /// `pad 0` to `pad 7`: the peak of the twentieth of a second before, and the playhead in seconds, 0 when it is
    /// silent. `master`: the peak and the root mean square of all that was heard.
    [[nodiscard]] std::span<const cueline::MeterSpec> meters() const override;

    /// Thread: audio. Real-time: wait-free; no allocation, lock or system call; so is all below.
    bool handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
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
        bool jumped = false;   // what comes next does not follow from what was
        bool attacks = false;  // it has not jumped since its trigger: only what it was before fades
        float velocity = 0;
        std::uint32_t position = 0;  // of the next frame, in the buffer
        cueline::Cause trigger;
        std::uint64_t serial = 0;  // of the buffer that it is heard of, 0 while of none
        std::uint32_t fade_left = 0;
        Stereo last;     // what was heard of it in the frame before
        Stereo tail;     // what was before it jumped, and fades
        float peak = 0;  // since its meter was set

        /// A pad that was stopped still sounds until its tail has faded.
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
    std::uint32_t window_frames_ = 1;  // of the meters
    float peak_ = 0;
    double squares_ = 0;  // the sum of those of both sides
};

}  // namespace sampler
