// sine.hpp: the sine of a phase that is an integer.
#pragma once

#include <cstdint>
#include <numbers>

#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::uint64_t half_cycle = std::uint64_t{1} << 63U;
inline constexpr std::uint64_t quarter_cycle = half_cycle / 2;

/// The sine of a phase in 2^-64 cycles, with an error below 1e-9. The integer wraps where the cycle wraps. This does
/// not use the C library's sine, which has no bound on its time and gives other bits on other systems.
/// [any thread, wait-free]
inline double sine(std::uint64_t phase) noexcept CUELINE_NONBLOCKING {
    // The half cycle around 1/2 mirrors the half cycle around 0. Within a quarter cycle of 0 the series is short.
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
