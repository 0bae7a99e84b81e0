// audio.hpp: the format of the audio, and one block of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/ring.hpp>

namespace cueline {

/// How a device delivers its blocks.
struct Format {
    std::uint32_t samplerate = 48000;  ///< frames per second
    std::uint32_t inputs = 0;          ///< channels from the device
    std::uint32_t outputs = 2;         ///< channels to the device
    std::uint32_t blocksize = 128;     ///< frames per block; the last block of an offline render may be shorter

    friend bool operator==(const Format&, const Format&) = default;
};

inline constexpr std::size_t max_channels = 64;  // for the inputs, and for the outputs

/// One block: planar, `frames` samples per channel, full scale -1 to 1. A processor reads the inputs, and fills the
/// outputs.
struct AudioBlock {
    std::span<const float* const> inputs{};  // NOLINT(readability-redundant-member-init): it may be left out
    std::span<float* const> outputs;
    std::uint32_t frames = 0;
    std::uint64_t frame = 0;  ///< index of the block's first frame, counted since the engine was made

    /// The samples of one input. `index` must be below inputs.size().
    [[nodiscard]] std::span<const float> input(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return {inputs[index], frames};
    }

    /// The samples of one output. `index` must be below outputs.size().
    [[nodiscard]] std::span<float> output(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return {outputs[index], frames};
    }
};

}  // namespace cueline
