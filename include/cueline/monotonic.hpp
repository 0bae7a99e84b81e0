// monotonic.hpp: the one clock, the time since boot as Python's time.monotonic_ns() tells it, and frames by it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::uint64_t ns_per_second = 1'000'000'000;

/// Thread: any but inside a block: the clock may be a system call where the kernel offers no other way.
inline std::uint64_t monotonic_ns() noexcept {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

/// How long `frames` frames last. Exact to the nanosecond, for years of frames.
/// Thread: any. Real-time: wait-free.
constexpr std::uint64_t duration_ns(std::uint64_t frames, std::uint32_t samplerate) noexcept CUELINE_NONBLOCKING {
    return frames / samplerate * ns_per_second + frames % samplerate * ns_per_second / samplerate;
}

/// How many frames begin in `ns` nanoseconds, to the nearest: of a duration_ns() the frames that it was made of.
/// Thread: any. Real-time: wait-free.
constexpr std::uint64_t frames_in(std::uint64_t ns, std::uint32_t samplerate) noexcept CUELINE_NONBLOCKING {
    return ns / ns_per_second * samplerate + (ns % ns_per_second * samplerate + ns_per_second / 2) / ns_per_second;
}

/// When a frame is rendered: what the first frame of a block and the clock as the block began say of all others.
struct BlockTime {
    std::uint64_t frame = 0;
    std::uint64_t ns = 0;          ///< the monotonic clock
    std::uint32_t samplerate = 0;  ///< 0 stands for no block yet

    /// The clock at `frame`. Thread: any. Real-time: wait-free.
    [[nodiscard]] constexpr std::uint64_t time_at(std::uint64_t wanted_frame) const noexcept CUELINE_NONBLOCKING {
        if (wanted_frame >= frame) return ns + duration_ns(wanted_frame - frame, samplerate);
        return ns - std::min(ns, duration_ns(frame - wanted_frame, samplerate));
    }

    /// The frame at `wanted_ns`, the nearest; 0 for a time before it. Thread: any. Real-time: wait-free.
    [[nodiscard]] constexpr std::uint64_t frame_at(std::uint64_t wanted_ns) const noexcept CUELINE_NONBLOCKING {
        if (wanted_ns >= ns) return frame + frames_in(wanted_ns - ns, samplerate);
        return frame - std::min(frame, frames_in(ns - wanted_ns, samplerate));
    }
};

}  // namespace cueline
