// engine_block.hpp: what happens in a block: read commands, keep cues until their frame, apply them, render.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/audio_side.hpp>
#include <cueline/buffer.hpp>
#include <cueline/device.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/midi_output.hpp>
#include <cueline/outcome.hpp>
#include <cueline/parameter.hpp>
#include <cueline/process_context.hpp>
#include <cueline/processor.hpp>
#include <cueline/schedule.hpp>

#include "engine/cancel_marks.hpp"
#include "engine/device_loss.hpp"
#include "engine/engine_report.hpp"
#include "engine/fades.hpp"
#include "engine/finite.hpp"
#include "engine/midi_maps.hpp"
#include "engine/processor_values.hpp"
#include "engine/schedule_shares.hpp"
#include "engine/sequences.hpp"
#include "engine/streams.hpp"
#include "engine/transport.hpp"
#include "system/locked_array.hpp"

namespace cueline {

/// Prepares `processor` for blocks of this format. Throws ArgumentError for a format with which no block can be
/// rendered, and what Processor::prepare() throws.
void prepare_processor(Processor& processor, const Format& format);

/// What the device calls. The audio thread owns it. Other threads may use it while no block runs.
class EngineBlock final : public BlockCallback, Scheduler {
  public:
    /// All that is passed by reference must outlive it. Throws EndTakenError if the link has a living audio side.
    EngineBlock(const Link& link, std::uint32_t budget, EngineReport& report, DeviceLoss& loss);

    // Set-up, while no block runs.

    /// Sets the processor that the blocks run, which is prepared for the device's format, with its parameters, its
    /// meters and its slots for buffers, and the streams. Allocates.
    void run(Processor& processor, const Format& format, std::span<const ParameterSpec> parameters,
             std::span<const MeterSpec> meters, BufferSlots buffers, Streams streams = {}, BufferSlots curves = {});

    /// From now on, the blocks send MIDI messages. Allocates.
    void send_midi();

    /// Prepares the processor for another format. If that throws, blocks are silent.
    void prepare(const Format& format) override;

    void lost(std::string_view why) noexcept override;

    /// Returns the fades at a stop and a start.
    [[nodiscard]] Fades& fades() noexcept { return fades_; }

    /// Returns how often it has swept its schedule for cues that were cancelled.
    [[nodiscard]] std::uint64_t sweeps() const noexcept { return schedule_.sweeps(); }

    /// Whether what a block touches, beside this object, is locked in memory.
    [[nodiscard]] bool memory_locked() const noexcept {
        return values_.memory_locked() && clean_inputs_.granted() && midi_room_.granted();
    }

    /// Takes all commands that wait, and makes room in the schedule, so that the next block reads all of them and
    /// refuses no cue. For a device without deadlines. Allocates. While sequences play, the next block ends where the
    /// timeline changes.
    std::uint32_t take_ahead(std::uint32_t frames) override;

    /// From now on, take_ahead() lets `sequences` send what is due. For a device without deadlines.
    void feed_from(Sequences& sequences) noexcept { sequences_ = &sequences; }

    /// Takes the commands that wait on `line`, so that its ring has room. For a device without deadlines. Allocates.
    void take_ahead(std::size_t line) { audio_.take_ahead(line); }

    /// Gives all commands that wait, in the schedule or in a ring, back to the processor. Call it when no block runs
    /// and none will, and before another engine may run the processor. A command that is sent meanwhile may stay in its
    /// ring.
    void close() noexcept;

    // The block.

    /// Reports the block size of the blocks that follow. [audio thread]
    void blocksize_changed(std::uint32_t frames) noexcept CUELINE_NONBLOCKING override;

    /// The next process() applies these messages, each before its frame, after the cues of that frame. [audio thread]
    void take_midi(std::span<const Message> messages) noexcept CUELINE_NONBLOCKING override;

    [[nodiscard]] std::span<const Message> midi_output() noexcept CUELINE_NONBLOCKING override { return midi_sent_; }

    /// How many MIDI messages a block had no room for. [any thread]
    [[nodiscard]] std::uint64_t midi_unsent() const noexcept { return midi_output_.unsent(); }

    /// Fills `block`, which follows the last block. `block_ns` is the monotonic clock at its start. [audio thread]
    void process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override;

  private:
    void set_prepared(const Format& format);
    void take_commands();
    [[nodiscard]] bool may_move_timeline(const Message& command) const noexcept CUELINE_NONBLOCKING;
    std::uint64_t next_move(std::uint64_t first) noexcept;
    void report_format(const Format& format) noexcept CUELINE_NONBLOCKING;
    void accept(std::span<Message> whole) noexcept CUELINE_NONBLOCKING;
    void accept_cue(std::span<Message> whole, bool cancelled) noexcept CUELINE_NONBLOCKING;
    void accept_beat(std::span<Message> whole, bool cancelled) noexcept CUELINE_NONBLOCKING;
    void apply_whole(std::span<const Message> whole, bool late) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool has_room_for(std::span<const Message> whole) noexcept CUELINE_NONBLOCKING;
    void refuse_whole(std::span<const Message> whole, Reason reason) noexcept CUELINE_NONBLOCKING;
    void refuse(const Message& command, Reason reason) noexcept CUELINE_NONBLOCKING;
    void note(const Message& command) noexcept CUELINE_NONBLOCKING;
    void discard(const Message& command) noexcept CUELINE_NONBLOCKING;
    void discard_unread() noexcept;
    void apply_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING;
    void apply_due_frames(std::uint64_t frame) noexcept CUELINE_NONBLOCKING;
    void apply_due_beats(std::uint64_t frame) noexcept CUELINE_NONBLOCKING;
    void apply_beat(std::span<Schedule::Cue> whole, std::uint64_t frame, std::optional<TimelinePoint> point) noexcept
        CUELINE_NONBLOCKING;
    [[nodiscard]] bool waits_for_beats() const noexcept CUELINE_NONBLOCKING {
        return schedule_.has_beats() || transport_.loops();
    }
    [[nodiscard]] std::uint64_t next_frame() noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint64_t next_midi(const AudioBlock& block) const noexcept CUELINE_NONBLOCKING;
    void apply_midi(const AudioBlock& block, std::uint64_t frame) noexcept CUELINE_NONBLOCKING;
    void apply(const Message& command, bool late, std::uint16_t behind) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] Outcome handle(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] Outcome hand_over(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] Outcome handle_mapped(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING;
    void carry_out(const MidiMaps::Move& move, const Message& midi, std::uint16_t behind) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] Outcome apply_own(const Message& command) noexcept CUELINE_NONBLOCKING;
    void report_outcome(const Message& command, Outcome outcome, bool late) noexcept CUELINE_NONBLOCKING;
    Scheduled schedule(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING override;
    bool cancel(Cause cause) noexcept CUELINE_NONBLOCKING override;
    [[nodiscard]] bool apply_to_timeline(const Message& command) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] Outcome apply_to_automations(const Message& command) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint64_t frame_of(const Message& command) noexcept CUELINE_NONBLOCKING;
    void cancel(const Message& command) noexcept CUELINE_NONBLOCKING;
    void cancel_all(const Message& command) noexcept CUELINE_NONBLOCKING;
    void carry_out_cancels() noexcept CUELINE_NONBLOCKING;
    void forget(const Schedule::Cue& cue) noexcept CUELINE_NONBLOCKING;
    Replaced render(const AudioBlock& block, std::uint32_t max_frames) noexcept CUELINE_NONBLOCKING;

    EngineReport* report_;
    DeviceLoss* loss_;
    Sequences* sequences_ = nullptr;
    Processor* processor_ = nullptr;
    AudioSide audio_;
    BufferSlots buffers_;
    BufferSlots curves_;  // of automations
    Streams streams_;
    ProcessorValues values_;
    ProcessContext context_{audio_.events()};
    Schedule schedule_;
    Transport transport_;
    std::array<Schedule::Cue, 1 + max_members> due_;  // a cue of a beat, with its members
    std::optional<TimelinePoint> point_;  // of the cue that is being applied, if it is one of a beat and in time
    CancelMarks cancel_marks_;
    bool swept_for_room_ = false;  // in this block
    bool moves_wait_ = false;      // the schedule may have commands that may_move_timeline() finds

    /// The command that the processor handles now, as far as schedule() uses it.
    struct Handling {
        Cause command;
        std::uint16_t behind = 0;  // see Schedule::Cue
        bool scheduled = false;
    };
    Handling* handling_ = nullptr;
    bool discarding_ = false;  // the processor is in discarded()
    ScheduleShares shares_;
    std::span<const Message> midi_;  // of this block, and not applied yet
    MidiMaps midi_maps_;
    LockedArray<Message> midi_room_;
    MidiOutput midi_output_;
    std::span<const Message> midi_sent_;  // of the last block
    std::uint32_t most_cancels_;          // of the processor, in a block
    std::uint32_t cancels_left_ = 0;      // in this block

    // Where the channels of a segment begin.
    std::array<const float*, max_channels> input_segment_{};
    std::array<float*, max_channels> output_segment_{};
    LockedArray<float> clean_inputs_;  // copies of inputs with samples that are not finite
    std::uint64_t block_ns_ = 0;
    std::optional<Format> prepared_;  // without one, blocks are silent
    std::optional<Format> reported_;
    Fades fades_;
};

}  // namespace cueline
