// The messages of messages.py, written by `cueline header`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/buffer.hpp>
#include <cueline/message.hpp>

namespace looper {

/// Gives a pad its stems, 0 for none, and the loop of all their frames. The processor owns the stems from now on.
struct LoadPad {
    static constexpr cueline::Kind kind = 256;
    std::uint32_t pad;  ///< from 0 to 215
    std::array<cueline::BufferHandle, 5> stems;
};
static_assert(sizeof(LoadPad) == 24);
static_assert(offsetof(LoadPad, pad) == 0);
static_assert(offsetof(LoadPad, stems) == 4);

/// Stops a pad and releases its stems.
struct UnloadPad {
    static constexpr cueline::Kind kind = 257;
    std::uint32_t pad;  ///< from 0 to 215
};
static_assert(sizeof(UnloadPad) == 4);
static_assert(offsetof(UnloadPad, pad) == 0);

/// Moves a pad's loop to the frames from `start` to before `end`. An end of 0 is the end of the stems.
struct SetLoop {
    static constexpr cueline::Kind kind = 258;
    std::uint32_t pad;  ///< from 0 to 215
    std::uint32_t start;
    std::uint32_t end;
};
static_assert(sizeof(SetLoop) == 12);
static_assert(offsetof(SetLoop, pad) == 0);
static_assert(offsetof(SetLoop, start) == 4);
static_assert(offsetof(SetLoop, end) == 8);

/// Sets which stems of a pad sound: bit 0 is the first one.
struct SetStems {
    static constexpr cueline::Kind kind = 259;
    std::uint32_t pad;  ///< from 0 to 215
    std::uint32_t mask;
};
static_assert(sizeof(SetStems) == 8);
static_assert(offsetof(SetStems, pad) == 0);
static_assert(offsetof(SetStems, mask) == 4);

/// Plays a pad from its loop's start, at the next frame that is a multiple of `grid`; 0 is at once.
///
/// It takes the place of a trigger of this pad that waits. The confirmation's value is the number of the voice.
struct Trigger {
    static constexpr cueline::Kind kind = 260;
    std::uint32_t pad;  ///< from 0 to 215
    std::uint32_t grid;
};
static_assert(sizeof(Trigger) == 8);
static_assert(offsetof(Trigger, pad) == 0);
static_assert(offsetof(Trigger, grid) == 4);

/// What a Trigger becomes at its frame. Only the processor schedules it.
struct Start {
    static constexpr cueline::Kind kind = 261;
    std::uint32_t pad;  ///< from 0 to 215
};
static_assert(sizeof(Start) == 4);
static_assert(offsetof(Start, pad) == 0);

/// Stops pads, and cancels their triggers that wait. For `grid`, see Trigger. The value: how many played.
struct StopPads {
    static constexpr cueline::Kind kind = 262;
    std::uint32_t pad;  ///< from 0 to 215
    std::uint32_t count;
    std::uint32_t grid;
};
static_assert(sizeof(StopPads) == 12);
static_assert(offsetof(StopPads, pad) == 0);
static_assert(offsetof(StopPads, count) == 4);
static_assert(offsetof(StopPads, grid) == 8);

/// A pad has ended. Each applied Trigger gets one answer, with the Trigger's `sequence`.
struct PadEnded {
    static constexpr cueline::Kind kind = 263;
    std::uint32_t pad;  ///< from 0 to 215
    std::uint32_t reason;
};
static_assert(sizeof(PadEnded) == 8);
static_assert(offsetof(PadEnded, pad) == 0);
static_assert(offsetof(PadEnded, reason) == 4);

}  // namespace looper
