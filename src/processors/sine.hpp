// sine.hpp: the sine of a phase that wraps as a cycle does.
#pragma once

#include <cstdint>
#include <numbers>

#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::uint64_t half_cycle = std::uint64_t{1} << 63U;
inline constexpr std::uint64_t quarter_cycle = half_cycle / 2;

/// The sine of a phase in 2^-64 cycles, off by less than 1e-9. It is ours, and not the C library's, so that the audio
/// thread asks nobody for it, and gets the same bits on every system. Thread: any. Real-time: wait-free.
inline double sine(std::uint64_t phase) noexcept CUELINE_NONBLOCKING {
    // The half of the cycle around 1/2 mirrors the one around 0: within a quarter of 0 the series is short.
    const std::uint64_t folded = phase + quarter_cycle < half_cycle ? phase : half_cycle - phase;
    const double x = static_cast<double>(static_cast<std::int64_t>(folded)) * (2 * std::numbers::pi * 0x1p-64);
    const double x2 = x * x;
    // Taylor's series, up to the thirteenth power.
    double sum = 1 - x2 * (1.0 / (12 * 13));
    sum = 1 - x2 * (1.0 / (10 * 11)) * sum;
    sum = 1 - x2 * (1.0 / (8 * 9)) * sum;
    sum = 1 - x2 * (1.0 / (6 * 7)) * sum;
    sum = 1 - x2 * (1.0 / (4 * 5)) * sum;
    sum = 1 - x2 * (1.0 / (2 * 3)) * sum;
    return x * sum;
}

}  // namespace cueline
