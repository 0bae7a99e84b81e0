// audio_buffers.hpp: locked memory for one planar block, and the loop from its outputs to its inputs.
#pragma once

#include <algorithm>
#include <array>
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
    /// `loopback`: for each input, the index of the output that comes back in it; an index without an output stands for
    /// silence. If it is empty, nothing comes back.
    explicit AudioBuffers(const Format& format, std::span<const std::uint32_t> loopback = {})
        : pages_{channels_of(format) * (sizeof(float*) + format.blocksize * sizeof(float))},
          channels_{zeros_in<float*>(pages_.bytes(), channels_of(format))},
          inputs_{format.inputs},
          blocksize_{format.blocksize},
          loops_{!loopback.empty()} {
        const std::size_t samples = channels_of(format) * format.blocksize;
        float* sample = zeros_in<float>(pages_.bytes().subspan(channels_.size_bytes()), samples).data();
        for (float*& channel : channels_) {
            channel = sample;
            sample += format.blocksize;
        }
        for (std::size_t input = 0; input < loopback.size(); ++input) {
            if (loopback[input] < format.outputs) sources_.at(input) = channels_[inputs_ + loopback[input]];
        }
    }

    /// The first `frames` frames of the block. [audio thread, wait-free]
    [[nodiscard]] AudioBlock block(std::uint32_t frames) const noexcept CUELINE_NONBLOCKING {
        return {.inputs = inputs(), .outputs = channels_.subspan(inputs_), .frames = frames};
    }

    /// The inputs, to be filled. [audio thread, wait-free]
    [[nodiscard]] std::span<float* const> inputs() const noexcept CUELINE_NONBLOCKING {
        return channels_.first(inputs_);
    }

    /// Whether outputs come back.
    [[nodiscard]] bool loops() const noexcept { return loops_; }

    /// How many frames later they do.
    [[nodiscard]] std::uint32_t loop_frames() const noexcept { return loops_ ? blocksize_ : 0; }

    /// Takes the first `frames` frames of the inputs away, and adds those of the outputs at their end. So an output
    /// comes back after exactly the format's block size, even if blocks are shorter. [audio thread, wait-free]
    void loop_back(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
        for (std::size_t input = 0; input < inputs_; ++input) {
            const float* const source = sources_[input];
            if (source == nullptr) continue;
            float* const channel = channels_[input];
            std::copy(channel + frames, channel + blocksize_, channel);
            std::copy_n(source, frames, channel + blocksize_ - frames);
        }
    }

    [[nodiscard]] bool locked() const noexcept { return pages_.granted(); }

  private:
    static std::size_t channels_of(const Format& format) noexcept {
        return std::size_t{format.inputs} + format.outputs;
    }

    /// `count` zeros at the start of `memory`. A format without channels needs none, and has no memory.
    template <class T>
    static std::span<T> zeros_in(std::span<std::byte> memory, std::size_t count) {
        if (count == 0) return {};
        return {new (memory.data()) T[count]{}, count};
    }

    LockedPages pages_;           // the channels' pointers, and then their samples
    std::span<float*> channels_;  // the inputs, and then the outputs
    std::size_t inputs_;
    std::uint32_t blocksize_;
    bool loops_;
    std::array<const float*, max_channels> sources_{};  // by input; null: silence
};

}  // namespace cueline
