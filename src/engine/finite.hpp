// finite.hpp: replaces samples that are no numbers, which would damage loudspeakers and what comes after.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

#include <cueline/audio.hpp>

namespace cueline {

/// Whether `sample` is neither NaN nor an infinity.
constexpr bool is_finite(float sample) noexcept CUELINE_NONBLOCKING {
    constexpr std::uint32_t exponent = 0x7F80'0000;
    return (std::bit_cast<std::uint32_t>(sample) & exponent) != exponent;
}

constexpr bool all_finite(std::span<const float> samples) noexcept CUELINE_NONBLOCKING {
    std::uint32_t not_finite = 0;
    for (const float sample : samples)
        not_finite |= is_finite(sample) ? 0U : 1U;  // no early exit, so that it is a vector loop
    return not_finite == 0;
}

/// Samples of a block that were replaced, and the first frame that has one.
struct Replaced {
    std::uint32_t samples = 0;
    std::uint32_t first_frame = std::numeric_limits<std::uint32_t>::max();
};

/// Copies `samples` to `copy`, with 0 in place of those that are not finite. The first of them is frame `first` of the
/// block. [audio thread, wait-free]
inline void copy_finite(std::span<const float> samples, float* copy, std::uint32_t first, Replaced& replaced) noexcept
    CUELINE_NONBLOCKING {
    for (std::uint32_t frame = 0; frame < samples.size(); ++frame) {
        copy[frame] = is_finite(samples[frame]) ? samples[frame] : 0;
        if (is_finite(samples[frame])) continue;
        ++replaced.samples;
        replaced.first_frame = std::min(replaced.first_frame, first + frame);
    }
}

/// Sets the samples of the outputs of `block` that are not finite to 0. [audio thread, wait-free]
inline Replaced replace_not_finite(const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
    Replaced replaced;
    for (std::size_t index = 0; index < block.outputs.size(); ++index) {
        const std::span<float> channel = block.output(index);
        if (all_finite(channel)) continue;
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            if (is_finite(channel[frame])) continue;
            channel[frame] = 0;
            ++replaced.samples;
            replaced.first_frame = std::min(replaced.first_frame, frame);
        }
    }
    return replaced;
}

}  // namespace cueline
