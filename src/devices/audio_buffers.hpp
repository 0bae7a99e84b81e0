// audio_buffers.hpp: locked memory for one planar block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include <cueline/audio.hpp>

#include "system/locked_pages.hpp"

namespace cueline {

/// Memory for a block of one format, silent at first. [control thread]
class AudioBuffers {
  public:
    explicit AudioBuffers(const Format& format)
        : pages_{format.channels * (sizeof(float*) + format.blocksize * sizeof(float))},
          channels_{new (pages_.bytes().data()) float*[format.channels], format.channels} {
        const std::size_t samples = std::size_t{format.channels} * format.blocksize;
        auto* sample = new (pages_.bytes().data() + channels_.size_bytes()) float[samples]{};
        for (float*& channel : channels_) {
            channel = sample;
            sample += format.blocksize;
        }
    }

    /// The first `frames` frames of the block. [audio thread, wait-free]
    [[nodiscard]] AudioBlock block(std::uint32_t frames) const noexcept CUELINE_NONBLOCKING {
        return {.channels = channels_, .frames = frames};
    }

    [[nodiscard]] bool locked() const noexcept { return pages_.granted(); }

  private:
    LockedPages pages_;  // the channels' pointers, and then their samples
    std::span<float*> channels_;
};

}  // namespace cueline
