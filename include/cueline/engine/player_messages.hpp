// player_messages.hpp: the messages of the player.
#pragma once

#include <cstdint>
#include <limits>

#include <cueline/buffer.hpp>
#include <cueline/message.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind play_buffer = first_processor + 4;   ///< command: start a voice
inline constexpr Kind stop_buffer = first_processor + 5;   ///< command: stop all voices of a slot
inline constexpr Kind buffer_ended = first_processor + 6;  ///< event: a voice has ended by itself
inline constexpr Kind set_voice = first_processor + 7;     ///< command: change a voice
inline constexpr Kind stop_voice = first_processor + 8;    ///< command: stop a voice
inline constexpr Kind set_slot = first_processor + 9;      ///< command: set a slot's attack and release
}  // namespace kind

inline constexpr std::uint32_t max_player_slots = 2'048;
inline constexpr float highest_voice_gain = 4;
inline constexpr float highest_voice_rate = 64;    ///< frames of the buffer for each frame of the output
inline constexpr float longest_voice_fade_s = 60;  ///< of an attack or a release

/// Starts a voice. The sequence of this command on its line is the voice's name. It is refused as unknown if it sets a
/// slot beside a handle, `unload` without a handle, or `loop_start` or `loop_end` without `loop`.
struct PlayBuffer {
    static constexpr Kind kind = cueline::kind::play_buffer;
    std::uint16_t slot = 0;
    std::uint16_t choke_group = 0;  ///< the voice stops the others of its group; 0: no group
    std::uint8_t loop = 0;          ///< 0: play once; otherwise repeat from loop_start to loop_end
    std::uint8_t unload = 0;        ///< not 0: release `handle` when the voice has ended
    float gain = 1;                 ///< from 0 to 4; 1 leaves the samples as they are
    float pan = 0;                  ///< from -1, the first output only, to 1, the second output only
    float rate = 1;                 ///< frames of the buffer for each frame of the output, above 0 and up to 64
    std::uint32_t start = 0;        ///< the first frame to play
    std::uint32_t loop_start = 0;
    std::uint32_t loop_end = 0;  ///< the frame after the loop; 0: the buffer's end
    BufferHandle handle = 0;     ///< of Engine::load_buffer(), to play that instead of the slot; 0: the slot
};

/// Stops all voices of a slot: each begins its release.
struct StopBuffer {
    static constexpr Kind kind = cueline::kind::stop_buffer;
    std::uint32_t slot;
};

/// A voice has reached the end of its buffer, or has lost its buffer. Its message carries the frame after the last one
/// that played, and the sequence of the play_buffer.
struct BufferEnded {
    static constexpr Kind kind = cueline::kind::buffer_ended;
    std::uint32_t slot;
    BufferHandle handle = 0;  ///< of the play_buffer; if it is not 0, the slot is 0
};

/// What a SetVoice does to the loop.
namespace looping {
inline constexpr std::uint8_t keep = 0;
inline constexpr std::uint8_t off = 1;  ///< play on to the end of the buffer
inline constexpr std::uint8_t on = 2;   ///< loop from loop_start to loop_end
}  // namespace looping

/// Changes a voice that was started on the same line. A number that is NaN leaves its value as it is. It is refused as
/// unknown if it sets `loop_start` or `loop_end`, and `loop` is not looping::on.
struct SetVoice {
    static constexpr Kind kind = cueline::kind::set_voice;
    std::uint32_t voice;  ///< the sequence of its play_buffer
    float gain = std::numeric_limits<float>::quiet_NaN();
    float pan = std::numeric_limits<float>::quiet_NaN();
    float rate = std::numeric_limits<float>::quiet_NaN();
    std::uint32_t loop_start = 0;
    std::uint32_t loop_end = 0;
    std::uint8_t loop = looping::keep;
};

/// Begins the release of a voice that was started on the same line. Its loop goes on meanwhile.
struct StopVoice {
    static constexpr Kind kind = cueline::kind::stop_voice;
    std::uint32_t voice;  ///< the sequence of its play_buffer
};

/// Sets how the slot's voices begin, from the next one on, and how they end. A number that is NaN leaves its value as
/// it is.
struct SetSlot {
    static constexpr Kind kind = cueline::kind::set_slot;
    std::uint16_t slot;
    float attack_s = std::numeric_limits<float>::quiet_NaN();   ///< from 0 to 60; 0 at first
    float release_s = std::numeric_limits<float>::quiet_NaN();  ///< from 0 to 60; 0.005 at first
};

}  // namespace cueline
