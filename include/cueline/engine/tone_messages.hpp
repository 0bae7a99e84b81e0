// tone_messages.hpp: the messages of the tone processor.
#pragma once

#include <cueline/message.hpp>

namespace cueline {

namespace kind {
inline constexpr Kind set_tone = 64;   ///< command: ramp to this frequency and gain
inline constexpr Kind get_level = 65;  ///< command: answer with a level
inline constexpr Kind level = 66;      ///< event: the answer to a get_level
inline constexpr Kind click = 67;      ///< command: play a click
}  // namespace kind

/// NaN leaves a value of the tone as it is.
struct SetTone {
    static constexpr Kind kind = cueline::kind::set_tone;
    float frequency_hz;  ///< from 0 to half the sample rate
    float gain;          ///< from 0 to 1, full scale
};

struct GetLevel {
    static constexpr Kind kind = cueline::kind::get_level;
};

/// Measured over all channels, from the frame of the previous level up to the frame of this one.
struct Level {
    static constexpr Kind kind = cueline::kind::level;
    float peak;  ///< full scale is 1
    float rms;
};

struct Click {
    static constexpr Kind kind = cueline::kind::click;
    float frequency_hz;  ///< from 0 to half the sample rate
    float gain;          ///< from 0 to 1, full scale
};

}  // namespace cueline
