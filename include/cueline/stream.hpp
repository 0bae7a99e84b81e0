// stream.hpp: what playbacks and recordings have in common.
//
// A playback goes to the audio thread, and a recording comes from it. Each is a span ring whose places are frames, in
// memory of its own. A frame is one sample for each channel. An index counts the frames of a stream from 0. It is not
// the number of an engine's frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/ring.hpp>
#include <cueline/span_ring.hpp>

namespace cueline {

inline constexpr std::size_t max_streams = 16;  ///< of an engine, playbacks and recordings together

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

/// How many whole frames so many samples are. Most streams have one channel, and a division costs as much as a copy of
/// a hundred bytes.
constexpr std::size_t whole_frames(std::size_t samples, std::size_t channels) noexcept CUELINE_NONBLOCKING {
    return channels == 1 ? samples : samples / channels;
}

/// Copies samples in a row to some places of a ring's storage. No loop over two pieces: for a small block, that costs
/// as much as the copy.
template <class Sample>
void copy_to(std::span<Sample> storage, const RingPlaces& places, const float* from) {
    std::copy_n(from, places.count, storage.data() + places.first);
    if (places.wrapped > 0) std::copy_n(from + places.count, places.wrapped, storage.data());
}

/// Copies the samples at some places of a ring's storage to a row.
template <class Sample>
void copy_from(std::span<const Sample> storage, const RingPlaces& places, float* to) {
    std::copy_n(storage.data() + places.first, places.count, to);
    if (places.wrapped > 0) std::copy_n(storage.data(), places.wrapped, to + places.count);
}

}  // namespace cueline
