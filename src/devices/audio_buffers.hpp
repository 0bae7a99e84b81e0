// audio_buffers.hpp: the memory of one planar block, held in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include <cueline/audio.hpp>

#include "system/locked_memory.hpp"

namespace cueline {

/// Room for a block of this format, zero to begin with, on pages of its own.
class AudioBuffers {
  public:
    /// Thread: control. Allocates.
    explicit AudioBuffers(const Format& format)
        : bytes_{whole_pages(format.channels * (sizeof(float*) + format.blocksize * sizeof(float)))},
          memory_{static_cast<std::byte*>(::operator new(bytes_, std::align_val_t{page_bytes}))},
          locked_{{memory_.get(), bytes_}},
          channels_{new (memory_.get()) float*[format.channels], format.channels} {
        const std::size_t samples = std::size_t{format.channels} * format.blocksize;
        auto* sample = new (memory_.get() + channels_.size_bytes()) float[samples]{};
        for (float*& channel : channels_) {
            channel = sample;
            sample += format.blocksize;
        }
    }

    /// The first `frames` frames of it. Thread: audio. Real-time: wait-free.
    [[nodiscard]] AudioBlock block(std::uint32_t frames) const noexcept CUELINE_NONBLOCKING {
        return {.channels = channels_, .frames = frames};
    }

    [[nodiscard]] bool locked() const noexcept { return locked_.granted(); }

  private:
    struct Free {
        void operator()(std::byte* memory) const noexcept { ::operator delete(memory, std::align_val_t{page_bytes}); }
    };
    static std::size_t whole_pages(std::size_t bytes) noexcept {
        return (bytes + page_bytes - 1) / page_bytes * page_bytes;
    }

    std::size_t bytes_;
    std::unique_ptr<std::byte, Free> memory_;  // the channels' pointers, and then their samples
    LockedMemory locked_;
    std::span<float*> channels_;
};

}  // namespace cueline
