// stream.hpp: what playbacks and recordings have in common.
//
// A playback goes to the audio thread, and a recording comes from it. Each is a span ring whose places are frames, in
// memory of its own. A frame is one sample for each channel. An index counts the frames of a stream from 0. The
// engine's frames are other numbers.
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

enum class StreamPhase : std::uint64_t {  // NOLINT(performance-enum-size): a word of a seqlock
    idle = 0,                             ///< it was not started, or it is a playback that was stopped
    running = 1,
    stopped = 2,         ///< the end of a recording
    new_samplerate = 3,  ///< the end of both: the device has another samplerate now
};

/// Whether a stream in this phase stays in it.
constexpr bool has_ended(StreamPhase phase) noexcept CUELINE_NONBLOCKING {
    return phase >= StreamPhase::stopped;
}

}  // namespace cueline
