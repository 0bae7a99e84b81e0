// exponential.hpp: e^x, e^x - 1, and their inverses, without the C library.
//
// The C library's functions have no bound on their time, and give other bits on other systems.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include <cueline/ring.hpp>

namespace cueline {

/// 1 / n!, from n = 15 down to 1.
inline constexpr auto expm1_series = [] {
    std::array<double, 15> series{};
    double factorial = 1;
    for (std::size_t n = 1; n <= series.size(); ++n)
        series[series.size() - n] = 1 / (factorial *= static_cast<double>(n));
    return series;
}();

/// e^x is `scale` times 1 + `small`.
struct ScaledExponential {
    double scale = 1;  // a power of two
    double small = 0;  // from -0.3 to 0.42
};

/// An `x` below -700 counts as -700, one above 700 as 700, and NaN as 0. [any thread, wait-free]
constexpr ScaledExponential scaled_exponential(double x) noexcept CUELINE_NONBLOCKING {
    if (x != x) return {};
    x = std::clamp(x, -700.0, 700.0);
    // e^x is 2^power e^rest, and the rest is at most half of ln 2. The high part of ln 2 has few digits, so that its
    // product with the power is exact.
    constexpr double ln2_high = 0x1.62e42feep-1;  // NOLINT(modernize-use-std-numbers): see above
    constexpr double ln2_low = 0x1.a39ef35793c76p-33;
    const auto power = static_cast<std::int64_t>(x / std::numbers::ln2 + (x < 0 ? -0.5 : 0.5));
    const double rest = (x - static_cast<double>(power) * ln2_high) - static_cast<double>(power) * ln2_low;
    double sum = 0;  // Taylor's series of (e^rest - 1) / rest, up to the fourteenth power
    for (const double coefficient : expm1_series) sum = coefficient + rest * sum;
    return {std::bit_cast<double>(static_cast<std::uint64_t>(1023 + power) << 52U), rest * sum};
}

/// Returns e^x. Its relative error is below 1e-15. [any thread, wait-free]
constexpr double exp(double x) noexcept CUELINE_NONBLOCKING {
    const auto [scale, small] = scaled_exponential(x);
    return scale * small + scale;
}

/// Returns e^x - 1. Its relative error is below 1e-15, also near 0. [any thread, wait-free]
constexpr double expm1(double x) noexcept CUELINE_NONBLOCKING {
    const auto [scale, small] = scaled_exponential(x);
    return scale * small + (scale - 1);
}

/// Returns ln(2^power (1 + near)), for a `near` from -0.3 to 0.42. [any thread, wait-free]
constexpr double log_near_1(double near, std::int64_t power) noexcept CUELINE_NONBLOCKING {
    // ln(1 + x) is 2 artanh(x / (2 + x)).
    const double part = near / (2 + near);
    const double square = part * part;
    double sum = 0;  // the series of artanh(part) / part, up to the twenty-fourth power
    for (int term = 25; term > 0; term -= 2) sum = 1.0 / term + square * sum;
    return 2 * part * sum + static_cast<double>(power) * std::numbers::ln2;
}

/// Returns ln(x) for an `x` above 0 that is finite and not denormal. Its relative error is below 1e-15. Near 1, a
/// rounding error in `x` grows: use log1p() there. [any thread, wait-free]
constexpr double log(double x) noexcept CUELINE_NONBLOCKING {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    auto power = static_cast<std::int64_t>(bits >> 52U) - 1023;
    auto mantissa = std::bit_cast<double>((bits & 0xF'FFFF'FFFF'FFFFU) | std::uint64_t{1023} << 52U);
    if (mantissa > std::numbers::sqrt2) {
        mantissa /= 2;
        ++power;
    }
    return log_near_1(mantissa - 1, power);
}

/// Returns ln(1 + x) for an `x` above -1 that is finite. Its relative error is below 1e-15, also near 0.
/// [any thread, wait-free]
constexpr double log1p(double x) noexcept CUELINE_NONBLOCKING {
    return x < -0.25 || x > 0.4 ? log(1 + x) : log_near_1(x, 0);
}

}  // namespace cueline
