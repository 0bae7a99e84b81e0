// The messages of messages.py, written by `cueline header`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <cueline/message.hpp>

namespace sampler {

/// Plays a pad from its beginning, at a velocity from 0 to 1.
struct Trigger {
    static constexpr cueline::Kind kind = 256;
    std::uint32_t pad;
    float velocity;
};
static_assert(sizeof(Trigger) == 8);
static_assert(offsetof(Trigger, pad) == 0);
static_assert(offsetof(Trigger, velocity) == 4);

/// Stops a pad, without a click.
struct StopPad {
    static constexpr cueline::Kind kind = 257;
    std::uint32_t pad;
};
static_assert(sizeof(StopPad) == 4);
static_assert(offsetof(StopPad, pad) == 0);

/// Sets whether a pad loops (1) or plays to its end (0), now and whenever it is triggered.
struct LoopPad {
    static constexpr cueline::Kind kind = 258;
    std::uint32_t pad;
    std::uint32_t loops;
};
static_assert(sizeof(LoopPad) == 8);
static_assert(offsetof(LoopPad, pad) == 0);
static_assert(offsetof(LoopPad, loops) == 4);

/// A pad has ended. Each accepted Trigger gets one answer, with the Trigger's `sequence`.
struct PadEnded {
    static constexpr cueline::Kind kind = 259;
    std::uint32_t pad;
    std::uint32_t reason;
};
static_assert(sizeof(PadEnded) == 8);
static_assert(offsetof(PadEnded, pad) == 0);
static_assert(offsetof(PadEnded, reason) == 4);

}  // namespace sampler
