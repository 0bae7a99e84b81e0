// engine_messages.hpp: the messages between the control side and the engine itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/message.hpp>
#include <cueline/tempo_map.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind ping = 1;                ///< command: answer with a pong
inline constexpr Kind pong = 2;                ///< event: the answer to a ping
inline constexpr Kind device_lost = 3;         ///< event: the device ended by itself
inline constexpr Kind format_changed = 4;      ///< event: the device's blocks have another format now
inline constexpr Kind applied = 5;             ///< confirmation: the command took effect
inline constexpr Kind refused = 6;             ///< confirmation or event: the command did not take effect
inline constexpr Kind cancel = 7;              ///< command: cancel one cue
inline constexpr Kind cancel_all = 8;          ///< command: cancel the cues that were sent before
inline constexpr Kind transaction = 9;         ///< command: the header of commands that belong together
inline constexpr Kind publish_buffer = 10;     ///< command: put a buffer into a slot
inline constexpr Kind not_finite = 11;         ///< event: samples were NaN or infinite
inline constexpr Kind unload_buffer = 12;      ///< command: release a buffer without a slot
inline constexpr Kind start_stream = 13;       ///< command: a playback plays, a recording records
inline constexpr Kind stop_stream = 14;        ///< command: a playback is silent, a recording ends
inline constexpr Kind clear_playback = 15;     ///< command: drop what waits in a playback
inline constexpr Kind set_tempo = 16;          ///< command: the timeline has another tempo
inline constexpr Kind ramp_tempo = 17;         ///< command: the timeline's tempo moves to another one
inline constexpr Kind set_signature = 18;      ///< command: the timeline has another time signature
inline constexpr Kind start_timeline = 19;     ///< command: the timeline's beats go on
inline constexpr Kind stop_timeline = 20;      ///< command: the timeline stands still
inline constexpr Kind locate = 21;             ///< command: the timeline goes to a beat
inline constexpr Kind set_loop = 22;           ///< command: a region of the timeline repeats
inline constexpr Kind automate = 23;           ///< command: a parameter follows a segment of an automation
inline constexpr Kind hold_automation = 24;    ///< command: the parameter stays at the value that it has
inline constexpr Kind cancel_automation = 25;  ///< command: what an automation does from a place on is cancelled
}  // namespace kind

struct Ping {
    static constexpr Kind kind = cueline::kind::ping;
    std::uint64_t sent_ns;  ///< the monotonic clock when the ping was sent
};

/// Its message carries the ping's sequence, and the frame at which the audio thread answered.
struct Pong {
    static constexpr Kind kind = cueline::kind::pong;
    std::uint64_t sent_ns;   ///< copied from the ping
    std::uint64_t block_ns;  ///< the monotonic clock at the start of the block that answered
};

/// Its message carries the frame after the last block.
struct DeviceLost {
    static constexpr Kind kind = cueline::kind::device_lost;
    std::uint64_t lost_ns;  ///< the monotonic clock when the loss was noticed
};

/// A Format, as a message carries it.
struct FormatChanged {
    static constexpr Kind kind = cueline::kind::format_changed;
    std::uint32_t samplerate;
    std::uint32_t inputs;
    std::uint32_t outputs;
    std::uint32_t blocksize;
};

/// Why a command did not take effect. Numbers from first_own_reason on are the processor's: see outcome.hpp.
enum class Reason : std::uint32_t {  // NOLINT(performance-enum-size): a field of 4 bytes
    late = 1,                        ///< it was read after its frame with drop_if_late, or scheduled too late
    schedule_full = 2,               ///< it was a cue, and the schedule was full
    cancelled = 3,                   ///< a cancel reached it first
    unknown = 4,                     ///< the processor does not handle this message, or rejected its values
};

/// Its message carries the frame at which the command took effect.
struct Applied {
    static constexpr Kind kind = cueline::kind::applied;
    bool late;            ///< whether that was after the command's frame
    std::uint32_t value;  ///< what the processor returned with Outcome::applied(), or 0
};

/// Its message carries the frame at which the command was refused.
struct Refused {
    static constexpr Kind kind = cueline::kind::refused;
    std::uint64_t wanted_frame;  ///< the command's frame; for a beat: the frame where the timeline has it, or 0
    Reason reason;
};

struct Cancel {
    static constexpr Kind kind = cueline::kind::cancel;
    std::uint32_t sequence;  ///< of a command of the same line; a transaction's sequence stands for all of it
};

inline constexpr std::size_t cancel_all_lines = 9;  ///< of one cancel_all; several of them in a transaction cover more

struct CancelAll {
    static constexpr Kind kind = cueline::kind::cancel_all;
    std::uint32_t first_line;
    /// By line, from first_line on: cancel the cues up to and including this sequence; 0: cancel none of this line.
    std::array<std::uint32_t, cancel_all_lines> up_to;
};
static_assert(sizeof(CancelAll) == payload_bytes);

inline constexpr std::size_t max_members = 256;  ///< of a transaction

/// The header of a transaction. Its members are the next commands on the same line. Its frame and flags apply to all.
struct Transaction {
    static constexpr Kind kind = cueline::kind::transaction;
    std::uint32_t members;  ///< a greater number stands for max_members
};

/// Samples of the processor or of the inputs were NaN or infinite, and became 0. At most one comes in a block. Its
/// message carries the frame of the first such sample.
struct NotFinite {
    static constexpr Kind kind = cueline::kind::not_finite;
    std::uint32_t samples;  ///< how many such samples the processor rendered, over all outputs
    std::uint32_t inputs;   ///< how many came from the device, over all inputs
};

/// Engine::publish() sends it. The audio side refuses a handle that no publish() made.
struct PublishBuffer {
    static constexpr Kind kind = cueline::kind::publish_buffer;
    std::uint32_t slot;
    std::uint32_t handle;  ///< no_buffer: empty the slot
};

/// Any sender may send it. Its confirmation has the value 1 if the buffer was loaded, and 0 if it was not.
struct UnloadBuffer {
    static constexpr Kind kind = cueline::kind::unload_buffer;
    std::uint32_t handle;  ///< that Engine::load_buffer() returned
};

/// Playback::start() and Recording::start() send it. The first command that names a stream also hands it over: the
/// audio side refuses a handle that is not offered. If the stream has ended, StartStream, StopStream and ClearPlayback
/// are refused.
struct StartStream {
    static constexpr Kind kind = cueline::kind::start_stream;
    std::uint32_t handle;
};

struct StopStream {
    static constexpr Kind kind = cueline::kind::stop_stream;
    std::uint32_t handle;
};

struct ClearPlayback {
    static constexpr Kind kind = cueline::kind::clear_playback;
    std::uint64_t up_to;  ///< index of the first frame that stays
    std::uint32_t handle;
};

// The timeline's commands. Any sender may send them, also as cues. Each is refused as unknown if a value is outside the
// range that timeline.hpp names.

struct SetTempo {
    static constexpr Kind kind = cueline::kind::set_tempo;
    double tempo;  ///< quarter notes a minute
};

/// A ramp waits while the timeline stands still. The next change of the tempo ends it.
struct RampTempo {
    static constexpr Kind kind = cueline::kind::ramp_tempo;
    double tempo;  ///< quarter notes a minute, at the end
    double length;
    RampOver over;  ///< the unit of the length, over which the tempo moves evenly
};

/// A bar begins at the beat at which the command applies.
struct SetSignature {
    static constexpr Kind kind = cueline::kind::set_signature;
    std::uint32_t beats;  ///< the upper number, of the notes that the lower one names
    std::uint32_t unit;   ///< the lower number, a power of two
};

struct StartTimeline {
    static constexpr Kind kind = cueline::kind::start_timeline;
};

struct StopTimeline {
    static constexpr Kind kind = cueline::kind::stop_timeline;
};

/// The timeline goes to a beat. Cues whose beats it skips are late.
struct Locate {
    static constexpr Kind kind = cueline::kind::locate;
    double beat;
};

/// When the timeline comes to the end of the region, it goes to the region's start. If both are 0, no region repeats.
struct SetLoop {
    static constexpr Kind kind = cueline::kind::set_loop;
    double start;  ///< a beat
    double end;    ///< a beat, the first one outside
};

// Automation. Any sender may send these, also as cues. An automation is named by the sequence of the command that began
// it, on its line.

/// How a value moves. The rules are those of the AudioParam of the Web Audio specification.
enum class Shape : std::uint8_t {
    step = 0,         ///< it jumps
    linear = 1,       ///< in equal steps
    exponential = 2,  ///< in equal ratios. From or to 0, or across 0: it stays, and jumps at the end
    target = 3,       ///< it approaches a value, ever more slowly
    curve = 4,        ///< along the values of a buffer, with straight lines between them
};

/// From the point where the command applies, a parameter follows this rule. It begins with the value that it has at
/// that point, which for a beat may lie between two frames. A write of the parameter ends its automation, and so does
/// another automation. Later commands of the automation that ended are refused as cancelled. In beats, a segment ends
/// only when another segment or a write takes its place, because the timeline may go back.
struct Automate {
    static constexpr Kind kind = cueline::kind::automate;
    double value = 0;              ///< at the end; of a target: what it approaches
    double end = 0;                ///< of a ramp or a curve: a frame, or a beat. If it has passed, the value jumps
    double constant = 0;           ///< of a target: its time constant in seconds, from 0 to longest_time_constant_s
    std::uint32_t automation = 0;  ///< 0: this command begins one
    std::uint32_t buffer = 0;      ///< of a curve: a handle of load_curve(), released when it is over
    std::uint16_t parameter = 0;   ///< its address
    Shape shape = Shape::step;
    std::uint8_t in_beats = 0;  ///< other than 0: `end` is a beat, and the value is a function of the beat
};
static_assert(sizeof(Automate) == payload_bytes);

inline constexpr double longest_time_constant_s = 3600;

/// If the automation is over, the command does nothing.
struct HoldAutomation {
    static constexpr Kind kind = cueline::kind::hold_automation;
    std::uint32_t automation = 0;
    std::uint16_t parameter = 0;  ///< its address
};

/// If the parameter is now in a ramp or a curve that ends at `from` or later, it gets back the value that it had where
/// that ramp or curve began. If the automation is over, the command does nothing. To cancel parts that wait, cancel
/// their commands.
struct CancelAutomation {
    static constexpr Kind kind = cueline::kind::cancel_automation;
    double from = 0;  ///< a frame, or a beat if the automation is one in beats
    std::uint32_t automation = 0;
    std::uint16_t parameter = 0;  ///< its address
};

}  // namespace cueline
