// sinc_table.hpp: the values of a buffer between its frames, by a windowed sinc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>

#include <cueline/ring.hpp>

#include "system/locked_array.hpp"

namespace cueline {

/// Kernels for rates up to 1 and for eight ranges of higher rates, up to 4, each with a lower cutoff. A kernel of the
/// first kind has 32 taps, the others have 64. Each has 256 phases, and the coefficients between two phases are
/// interpolated. docs/player.md has the noise that a test measured. Julius O. Smith describes the method: "Digital
/// Audio Resampling".
class SincTable {
  public:
    static constexpr std::uint32_t least_taps = 32;
    static constexpr std::uint32_t most_taps = 64;
    static constexpr std::uint64_t one_frame = std::uint64_t{1} << 32U;  // in the units of steps and positions

    /// The coefficients of one kernel, phase after phase.
    struct Kernel {
        const float* rows;
        std::uint32_t taps;
    };

    /// Computes all kernels. Throws std::bad_alloc. [control threads]
    SincTable();

    /// Returns the table that all players of this process share. The first call makes it. Throws std::bad_alloc.
    /// [control threads]
    static std::shared_ptr<const SincTable> shared();

    /// The kernel for a voice that moves by `step` in each frame. [audio thread]
    [[nodiscard]] const Kernel& kernel(std::uint64_t step) const noexcept CUELINE_NONBLOCKING {
        std::size_t index = 0;
        while (index + 1 < kernels && step > highest_step[index]) ++index;
        return kernels_[index];
    }

    /// How many frames of the window of a kernel lie before the position's own frame.
    static constexpr std::uint32_t frames_before(std::uint32_t taps) noexcept CUELINE_NONBLOCKING {
        return taps / 2 - 1;
    }

    /// Writes the kernel's coefficients for a position's fraction, in 2^-32 frames. [audio thread]
    static void coefficients(const Kernel& kernel, std::uint32_t fraction, float* into) noexcept CUELINE_NONBLOCKING;

    /// Returns the sum of the products. `taps` is that of a kernel. [audio thread]
    static float sum(const float* coefficients, const float* samples, std::uint32_t taps) noexcept CUELINE_NONBLOCKING;

    /// The same for both channels of interleaved samples. [audio thread]
    static std::array<float, 2> sum_pairs(const float* coefficients, const float* samples, std::uint32_t taps) noexcept
        CUELINE_NONBLOCKING;

  private:
    static constexpr std::size_t kernels = 9;
    static constexpr std::uint32_t phase_bits = 8;
    static constexpr std::uint32_t phases = 1U << phase_bits;

    // 2^(k / 4), for k from 0 to 8.
    static constexpr std::array<double, kernels> highest_rate = [] {
        constexpr double quarter = 1.189207115002721;  // the fourth root of 2
        constexpr double half = std::numbers::sqrt2;
        return std::array{1.0, quarter, half, half * quarter, 2.0, 2 * quarter, 2 * half, 2 * half * quarter, 4.0};
    }();
    static constexpr std::array<std::uint64_t, kernels> highest_step = [] {
        std::array<std::uint64_t, kernels> steps{};
        for (std::size_t index = 0; index < kernels; ++index) {
            steps[index] = static_cast<std::uint64_t>(highest_rate[index] * static_cast<double>(one_frame));
        }
        return steps;
    }();

    static void fill(std::span<float> rows, std::uint32_t taps, double cutoff);

    LockedArray<float> values_;
    std::array<Kernel, kernels> kernels_{};
};

}  // namespace cueline
