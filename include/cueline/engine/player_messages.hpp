// player_messages.hpp: the messages of the player.
#pragma once

#include <cstdint>

#include <cueline/message.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind play_buffer = 68;   ///< command: play the buffer of a slot
inline constexpr Kind stop_buffer = 69;   ///< command: stop the buffer of a slot
inline constexpr Kind buffer_ended = 70;  ///< event: the buffer of a slot has ended
}  // namespace kind

struct PlayBuffer {
    static constexpr Kind kind = cueline::kind::play_buffer;
    std::uint32_t slot;
    float gain;         ///< from 0 to 1, full scale
    std::uint8_t loop;  ///< 0: play once; otherwise repeat
};

struct StopBuffer {
    static constexpr Kind kind = cueline::kind::stop_buffer;
    std::uint32_t slot;
};

/// Its message carries the frame after the last one that played, and the sequence of the play_buffer.
struct BufferEnded {
    static constexpr Kind kind = cueline::kind::buffer_ended;
    std::uint32_t slot;
};

}  // namespace cueline
