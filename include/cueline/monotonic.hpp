// monotonic.hpp: the monotonic clock, which is Python's time.monotonic_ns(), and its relation to frames.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::uint64_t ns_per_second = 1'000'000'000;

/// [any thread, but not in a block: on some kernels the clock is a system call]
inline std::uint64_t monotonic_ns() noexcept {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

/// How long `frames` frames last. Exact to the nanosecond, for years of frames.
constexpr std::uint64_t duration_ns(std::uint64_t frames, std::uint32_t samplerate) noexcept CUELINE_NONBLOCKING {
    return frames / samplerate * ns_per_second + frames % samplerate * ns_per_second / samplerate;
}

/// The number of frames in `ns` nanoseconds, rounded to the nearest. The inverse of duration_ns().
constexpr std::uint64_t frames_in(std::uint64_t ns, std::uint32_t samplerate) noexcept CUELINE_NONBLOCKING {
    return ns / ns_per_second * samplerate + (ns % ns_per_second * samplerate + ns_per_second / 2) / ns_per_second;
}

/// The clock at the first frame of one block, from which the times of all other frames follow.
struct BlockTime {
    std::uint64_t frame = 0;
    std::uint64_t ns = 0;          ///< the monotonic clock
    std::uint32_t samplerate = 0;  ///< 0: there was no block yet

    /// The clock at `wanted_frame`.
    [[nodiscard]] constexpr std::uint64_t time_at(std::uint64_t wanted_frame) const noexcept CUELINE_NONBLOCKING {
        if (wanted_frame >= frame) return ns + duration_ns(wanted_frame - frame, samplerate);
        return ns - std::min(ns, duration_ns(frame - wanted_frame, samplerate));
    }

    /// The frame nearest to `wanted_ns`; 0 for a time before frame 0.
    [[nodiscard]] constexpr std::uint64_t frame_at(std::uint64_t wanted_ns) const noexcept CUELINE_NONBLOCKING {
        if (wanted_ns >= ns) return frame + frames_in(wanted_ns - ns, samplerate);
        return frame - std::min(frame, frames_in(ns - wanted_ns, samplerate));
    }
};

}  // namespace cueline
