// monotonic.hpp: the one clock: the time since boot, as Python's time.monotonic_ns() tells it.
#pragma once

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

}  // namespace cueline
