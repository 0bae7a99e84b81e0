// fades.hpp: fades the sound out before a stop, and in at the next start, so that neither cuts the wave.
#pragma once

#include <atomic>
#include <cstdint>

#include <cueline/audio.hpp>

namespace cueline {

/// A control thread requests a fade, and the audio thread carries it out in its next block.
class Fades {
  public:
    /// Requests that the next block fades to silence. [a control thread]
    void request_out() noexcept { requested_.store(true, std::memory_order_relaxed); }  // relaxed: it publishes nothing

    /// Returns whether a block has faded out. From then on, blocks are silent and leave the processor alone. [any
    /// thread]
    [[nodiscard]] bool is_out() const noexcept CUELINE_NONBLOCKING {
        return out_.load(std::memory_order_relaxed);
    }  // relaxed: as above

    /// Lets the sound begin again. If it was out, the next block fades in. [a control thread, while no block runs]
    void restart() noexcept {
        fades_in_ = fades_in_ || is_out();
        requested_.store(false, std::memory_order_relaxed);  // both relaxed: the device's start publishes them
        out_.store(false, std::memory_order_relaxed);
    }

    /// Fades `block` if that was requested, or if it is the first one after a fade. [audio thread, wait-free]
    void apply(const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
        const bool fades_out = requested_.load(std::memory_order_relaxed);  // relaxed: see request_out()
        if (!fades_out && !fades_in_) return;
        const auto frames = static_cast<float>(block.frames);
        for (float* const channel : block.outputs) {
            for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
                const auto after = static_cast<float>(frame + 1);
                if (fades_in_) channel[frame] *= after / frames;
                if (fades_out) channel[frame] *= (frames - after) / frames;
            }
        }
        fades_in_ = false;
        if (fades_out) out_.store(true, std::memory_order_relaxed);  // relaxed: see is_out()
    }

  private:
    std::atomic<bool> requested_ = false;
    std::atomic<bool> out_ = false;
    bool fades_in_ = false;
};

}  // namespace cueline
