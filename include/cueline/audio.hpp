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
    std::uint32_t channels = 2;
    std::uint32_t blocksize = 128;  ///< frames per block; the last block of an offline render may be shorter

    friend bool operator==(const Format&, const Format&) = default;
};

inline constexpr std::size_t max_channels = 64;

/// One block for a processor to fill: planar, `frames` samples per channel, full scale -1 to 1.
struct AudioBlock {
    std::span<float* const> channels;
    std::uint32_t frames = 0;
    std::uint64_t frame = 0;  ///< index of the block's first frame, counted since the engine was made

    /// The samples of one channel. `index` must be below channels.size().
    [[nodiscard]] std::span<float> channel(std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return {channels[index], frames};
    }
};

}  // namespace cueline
