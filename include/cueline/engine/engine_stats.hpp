// engine_stats.hpp: the counts of an engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <cueline/device.hpp>
#include <cueline/link.hpp>

namespace cueline {

/// Counts of the commands that were sent for a frame. A transaction counts as one, but `pending` counts each member.
struct CueStats {
    std::uint64_t pending = 0;       ///< waiting in the schedule at the end of the last block
    std::uint64_t late = 0;          ///< applied after their frame, because they were read after it
    std::uint64_t dropped_late = 0;  ///< read after their frame, and dropped because of delivery::drop_if_late
    std::uint64_t refused = 0;       ///< refused because the schedule was full
    std::uint64_t cancelled = 0;
};

/// Counts of a line's three rings, for all its owners.
struct LineStats {
    RingStats commands;
    RingStats events;
    RingStats confirmations;
};

/// Counts of an engine's buffers.
struct BufferStats {
    std::uint64_t published = 0;  ///< accepted so far, into slots or without one
    std::uint64_t refused = 0;    ///< refused because as many as the limit were in use
    std::uint32_t in_use = 0;     ///< made, on their way to the audio thread, in slots, loaded, or on their way back
    std::uint32_t limit = 0;   ///< how many can be in use: max_buffers() of the slots, and Processor::loaded_buffers()
    std::uint32_t curves = 0;  ///< curves of automations in use, at most max_curves; the counts above leave them out
    std::uint64_t bytes = 0;   ///< of memory that the buffers take
    std::uint64_t bytes_locked = 0;  ///< of these, the locked ones: the system limits them
    bool memory_locked = true;       ///< whether all of these bytes are locked
};

/// Counts of the events of sequences.
struct SequenceCounts {
    std::uint64_t playing = 0;   ///< sequences that are not over
    std::uint64_t played = 0;    ///< events that were applied
    std::uint64_t late = 0;      ///< events that came after their beat, or too late to be sent
    std::uint64_t left_out = 0;  ///< of these, the ones that were not sent
    std::uint64_t refused = 0;   ///< events that were refused: by the processor, or because the schedule was full
    std::uint64_t refused_by_processor = 0;  ///< of these, the ones for a reason of the processor
};

/// Counts of an engine since it was made, and of line 0. Each number is read by itself while the audio goes on.
struct EngineStats : LineStats {
    std::string device;
    std::uint64_t blocks = 0;
    std::uint64_t frames = 0;
    std::uint64_t unhandled = 0;            ///< commands that the engine and the processor did not handle
    std::uint64_t refused = 0;              ///< commands that the processor refused, for a reason of its own
    std::uint64_t refused_unconfirmed = 0;  ///< of these, and of those refused as late, the ones without confirmation
    std::uint64_t not_finite = 0;           ///< samples of the processor that were NaN or infinite, and became 0
    std::uint64_t not_finite_inputs = 0;    ///< the same, of the inputs
    DeviceStats device_stats;               ///< memory_locked covers the engine's own memory too
    std::vector<LineStats> lines;           ///< by number, from line 0 up to the last line that was ever open
    CueStats cues;
    BufferStats buffers;
    SequenceCounts sequences;
    MidiStats midi;             ///< of the device, and what the engine dropped
    std::uint32_t streams = 0;  ///< open, or on their way back from the audio thread: at most max_streams
};

}  // namespace cueline
