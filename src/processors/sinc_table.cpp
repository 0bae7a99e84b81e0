// sinc_table.cpp: computes the kernels, and applies them.
#include "processors/sinc_table.hpp"

#include <cmath>
#include <mutex>
#include <numbers>
#include <utility>
#include <vector>

#include "system/fork_handlers.hpp"

namespace cueline {

namespace {

constexpr double kaiser_beta = 9;  // about 95 dB

/// The modified Bessel function of order 0, for Kaiser's window.
double bessel_i0(double x) {
    double sum = 1;
    double term = 1;
    for (int k = 1; term > sum * 1e-17; ++k) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/// `t` is in frames, and `width` is half of the window.
double kaiser(double t, double width) {
    const double inside = 1 - (t / width) * (t / width);
    return inside <= 0 ? 0 : bessel_i0(kaiser_beta * std::sqrt(inside)) / bessel_i0(kaiser_beta);
}

double sinc(double x) {
    return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

std::mutex making;
std::weak_ptr<const SincTable> made;

// A fork waits for the mutex, so that the child finds it free. The child finds zeros in locked pages, so it makes a
// table of its own.
// NOLINTNEXTLINE(bugprone-throwing-static-initialization): at_fork() throws nothing
[[maybe_unused]] const bool makes_its_own_in_a_child = at_fork([] { making.lock(); }, [] { making.unlock(); },
                                                               [] {
                                                                   made.reset();
                                                                   making.unlock();
                                                               });

}  // namespace

std::shared_ptr<const SincTable> SincTable::shared() {
    const std::scoped_lock lock{making};
    std::shared_ptr<const SincTable> table = made.lock();
    if (table == nullptr) made = table = std::make_shared<const SincTable>();
    return table;
}

SincTable::SincTable() {
    constexpr auto taps_of = [](std::size_t index) -> std::uint32_t { return index == 0 ? least_taps : most_taps; };
    std::size_t all = 0;
    for (std::size_t index = 0; index < kernels; ++index) all += std::size_t{phases + 1} * taps_of(index);
    values_ = LockedArray<float>{all};
    std::span<float> left = values_.all();
    for (std::size_t index = 0; index < kernels; ++index) {
        const std::uint32_t taps = taps_of(index);
        const std::span<float> rows = left.first(std::size_t{phases + 1} * taps);
        left = left.subspan(rows.size());
        fill(rows, taps, 1 / highest_rate[index]);
        kernels_[index] = {.rows = rows.data(), .taps = taps};
    }
}

/// `cutoff` is a share of half the sample rate. Each phase has a sum of 1, so that silence and offsets are exact.
void SincTable::fill(std::span<float> rows, std::uint32_t taps, double cutoff) {
    std::vector<double> row(taps);
    for (std::uint32_t phase = 0; phase <= phases; ++phase) {
        double sum = 0;
        for (std::uint32_t tap = 0; tap < taps; ++tap) {
            const double t = static_cast<double>(tap) - frames_before(taps) - static_cast<double>(phase) / phases;
            row[tap] = cutoff * sinc(cutoff * t) * kaiser(t, taps / 2.0);
            sum += row[tap];
        }
        for (std::uint32_t tap = 0; tap < taps; ++tap) {
            rows[std::size_t{phase} * taps + tap] = static_cast<float>(row[tap] / sum);
        }
    }
}

namespace {

// Counts are constants and indices have 64 bits, so that compilers use vectors for these loops.

template <std::size_t taps>
void interpolate_rows(const float* row, float between, float* into) noexcept CUELINE_NONBLOCKING {
    const float* const next = row + taps;
    std::array<float, taps> result;  // NOLINT(*-member-init): it shares no memory with the rows
    for (std::size_t tap = 0; tap < taps; ++tap) result[tap] = row[tap] + between * (next[tap] - row[tap]);
    for (std::size_t tap = 0; tap < taps; ++tap) into[tap] = result[tap];
}

/// Sixteen sums side by side, in one order on all machines.
using Sums = std::array<float, 16>;

template <std::size_t count>
Sums sums_of_products(const float* some, const float* others) noexcept CUELINE_NONBLOCKING {
    Sums sums{};
    for (std::size_t first = 0; first < count; first += sums.size()) {
        for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += some[first + lane] * others[first + lane];
    }
    // The two that are left are the even ones and the odd ones.
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += sums[lane + 8];
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += sums[lane + 4];
    for (std::size_t lane = 0; lane < 2; ++lane) sums[lane] += sums[lane + 2];
    return sums;
}

template <std::size_t taps>
std::array<float, 2> pair_of_sums(const float* coefficients, const float* samples) noexcept CUELINE_NONBLOCKING {
    std::array<float, 2 * taps> twice;  // NOLINT(*-member-init): all are written
    for (std::size_t tap = 0; tap < taps; ++tap) twice[2 * tap] = twice[2 * tap + 1] = coefficients[tap];
    const Sums sums = sums_of_products<2 * taps>(twice.data(), samples);
    return {sums[0], sums[1]};
}

}  // namespace

void SincTable::coefficients(const Kernel& kernel, std::uint32_t fraction, float* into) noexcept CUELINE_NONBLOCKING {
    constexpr std::uint32_t rest_bits = 32 - phase_bits;
    const float* const row = kernel.rows + std::size_t{fraction >> rest_bits} * kernel.taps;
    const float between = static_cast<float>(fraction & ((1U << rest_bits) - 1)) * (1.0F / (1U << rest_bits));
    if (kernel.taps == most_taps) {
        interpolate_rows<most_taps>(row, between, into);
    } else {
        interpolate_rows<least_taps>(row, between, into);
    }
}

float SincTable::sum(const float* coefficients, const float* samples, std::uint32_t taps) noexcept CUELINE_NONBLOCKING {
    const Sums sums = taps == most_taps ? sums_of_products<most_taps>(coefficients, samples)
                                        : sums_of_products<least_taps>(coefficients, samples);
    return sums[0] + sums[1];
}

std::array<float, 2> SincTable::sum_pairs(const float* coefficients, const float* samples, std::uint32_t taps) noexcept
    CUELINE_NONBLOCKING {
    return taps == most_taps ? pair_of_sums<most_taps>(coefficients, samples)
                             : pair_of_sums<least_taps>(coefficients, samples);
}

}  // namespace cueline
