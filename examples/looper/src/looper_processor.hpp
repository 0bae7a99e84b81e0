// looper_processor.hpp: 216 pads that loop, played by 32 voices.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/processor.hpp>

#include "messages.hpp"

namespace looper {

/// Why a pad has ended; the same as in messages.py.
enum class Reason : std::uint32_t { stopped, triggered, exclusive, stolen, unloaded };  // NOLINT(*-enum-size): as sent

/// The looper. Each pad has up to five stems, which are buffers without a slot: one message carries all five, so they
/// change at one frame, and a cancelled load gives them back. A pad loops from its loop's start until it is stopped.
/// The same messages at the same frames give the same samples, bit for bit, at any block size.
///
/// A trigger of a pad that sounds starts its voice again. Otherwise the pad gets the first voice that is free. If none
/// is, it gets one that was stopped and still fades, or else one that plays: of these, the one that started first. A
/// pad that loses its voice ends as stolen.
///
/// A sample is the sum of the stems, read between two frames, then the isolator, then the gain. The isolator divides at
/// 250 Hz and 2.5 kHz, with gentle slopes. At levels of 1, it changes nothing, bit for bit. If a voice jumps, what was
/// heard last fades in 5 ms; the attack of a trigger is exact. A loop that comes round is not faded: its author is
/// responsible for clicks. If a loop moves away from the playhead, the playhead jumps to its start. Channels beyond the
/// second are silent.
class LooperProcessor final : public cueline::Processor {
  public:
    static constexpr std::uint32_t pads = 216;
    static constexpr std::uint32_t voices = 32;
    static constexpr std::uint32_t stems = 5;
    static constexpr std::uint32_t shortest_loop = 4;  // frames: the highest speed, so that one step goes round once

    /// The arrays of parameters, one for each. A parameter more follows: if `exclusive` is 1, a pad that starts ends
    /// all others.
    enum Knob : std::uint8_t { gain, speed, low, mid, high, knobs };
    static constexpr std::size_t address_of(std::size_t knob, std::size_t pad) noexcept CUELINE_NONBLOCKING {
        return knob * pads + pad;
    }

    /// All pads are empty.
    void reset() override;
    void prepare(const cueline::Format& format) override;
    /// All stems of all pads, and those of 40 loads that are under way.
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return stems * (pads + 40); }
    [[nodiscard]] std::span<const cueline::ParameterSpec> parameters() const override;
    /// `pads`: the peak of the last fiftieth of a second, and the playhead in frames; both 0 if the pad is silent.
    [[nodiscard]] std::span<const cueline::MeterSpec> meters() const override;
    [[nodiscard]] std::optional<std::span<const cueline::Kind>> kinds() const override;
    [[nodiscard]] std::span<const std::string_view> reasons() const override;

    // The audio thread calls all functions below. They are wait-free.
    cueline::Outcome handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override;
    void discarded(const cueline::Message& command, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override;
    void render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
        CUELINE_NONBLOCKING override;

  private:
    using Stems = std::array<cueline::BufferHandle, stems>;
    using Stereo = std::array<float, 2>;

    struct Pad {
        Stems stems{};
        std::uint32_t mask = ~0U;  // of the stems that sound
        std::uint32_t frames = 0;  // of the shortest stem; 0: the pad is empty
        std::uint32_t start = 0;   // of the loop
        std::uint32_t end = 0;     // behind its last frame
        cueline::Cause waiting;    // the trigger that waits for its frame; sequence 0: none
    };

    /// Two one-pole low-passes a band edge, for one channel.
    struct Isolator {
        float low1 = 0, low2 = 0, mid1 = 0, mid2 = 0;
    };

    struct Voice {
        std::uint32_t pad = 0;
        bool plays = false;
        bool jumped = false;   // the next sample does not continue the last one
        bool attacks = false;  // no jump since the trigger: the new sound begins at full level
        std::uint32_t fade_left = 0;
        double position = 0;        // of the next frame in the stems
        std::uint64_t started = 0;  // counts the starts
        cueline::Cause trigger;
        std::array<Isolator, 2> isolators;
        Stereo last{};   // the last sample that was heard
        Stereo tail{};   // what fades
        float peak = 0;  // since the last meter reading

        /// A stopped voice sounds until its tail has faded. Then it is free.
        [[nodiscard]] bool sounds() const noexcept CUELINE_NONBLOCKING { return plays || jumped || fade_left > 0; }
    };

    struct Levels {
        float gain;
        double speed;
        float low, mid, high;
    };

    /// The stems of a pad that sound.
    struct Sources {
        std::array<const cueline::Buffer*, stems> buffers{};
        std::size_t count = 0;
        [[nodiscard]] Stereo at(std::uint32_t frame) const noexcept CUELINE_NONBLOCKING;
    };

    cueline::Outcome load(const LoadPad& wanted, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    cueline::Outcome move_loop(const SetLoop& wanted) noexcept CUELINE_NONBLOCKING;
    cueline::Outcome start(std::uint32_t number, const cueline::Message& command,
                           cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    std::uint32_t stop(std::uint32_t first, std::uint32_t count, Reason reason,
                       cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    static void end(Voice& voice, Reason reason, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void jump(std::uint32_t number) noexcept CUELINE_NONBLOCKING;
    Voice& voice_for(std::uint32_t number) noexcept CUELINE_NONBLOCKING;
    void render(Voice& voice, const cueline::AudioBlock& block, std::uint32_t first, std::uint32_t frames,
                cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    static Sources sources_of(const Pad& pad, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    Stereo faded(Voice& voice, Stereo heard) const noexcept CUELINE_NONBLOCKING;
    Stereo next_sample(Voice& voice, const Sources& sources, const Levels& levels) const noexcept CUELINE_NONBLOCKING;
    float isolated(Isolator& isolator, float sample, const Levels& levels) const noexcept CUELINE_NONBLOCKING;

    std::array<Pad, pads> pads_;
    std::array<Voice, voices> voices_;
    std::uint64_t starts_ = 0;
    std::uint32_t fade_frames_ = 1;
    std::uint32_t window_frames_ = 1;  // frames between two meter readings
    float low_step_ = 0;               // of the isolator's low-passes
    float mid_step_ = 0;
};

}  // namespace looper
