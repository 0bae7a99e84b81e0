// audio_buffers.hpp: the memory of one planar block, held in place.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include <cueline/audio.hpp>

#include "locked_memory.hpp"

namespace cueline {

/// Room for a block of this format, zero to begin with, on pages of its own.
class AudioBuffers {
  public:
    /// Thread: control. Allocates.
    explicit AudioBuffers(const Format& format)
        : bytes_{whole_pages(std::size_t{format.channels} * format.blocksize * sizeof(float))},
          samples_{static_cast<float*>(::operator new(bytes_, std::align_val_t{page_bytes}))},
          locked_{samples_.get(), bytes_} {
        std::fill_n(samples_.get(), bytes_ / sizeof(float), 0.0F);
        for (std::uint32_t index = 0; index < format.channels; ++index) {
            channels_.push_back(samples_.get() + std::size_t{index} * format.blocksize);
        }
    }

    /// The first `frames` frames of it. Thread: audio. Real-time: wait-free.
    [[nodiscard]] AudioBlock block(std::uint32_t frames) const noexcept CUELINE_NONBLOCKING {
        return {.channels = {channels_.data(), channels_.size()}, .frames = frames};
    }

    [[nodiscard]] bool locked() const noexcept { return locked_.granted(); }

  private:
    struct Free {
        void operator()(float* samples) const noexcept { ::operator delete(samples, std::align_val_t{page_bytes}); }
    };
    static std::size_t whole_pages(std::size_t bytes) noexcept {
        return (bytes + page_bytes - 1) / page_bytes * page_bytes;
    }

    std::size_t bytes_;
    std::unique_ptr<float, Free> samples_;
    LockedMemory locked_;
    std::vector<float*> channels_;
};

}  // namespace cueline
