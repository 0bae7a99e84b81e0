// limiter.hpp: keeps samples within a threshold.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <cueline/audio.hpp>
#include <cueline/parameter.hpp>

namespace cueline {

/// Turns all channels down together, in the very frame that exceeds the threshold, and up again within a tenth of a
/// second. It has no delay, and while nothing exceeds the threshold, it changes no sample. [audio thread, wait-free]
class Limiter {
  public:
    void prepare(std::uint32_t samplerate) noexcept { recovery_ = 1 - std::exp(-1 / (recovery_s * samplerate)); }

    /// Where `on` is 0.5 or more, no finite sample of `block` exceeds `threshold` then. Elsewhere it changes nothing,
    /// and forgets what came before. `first` is the index of the block's first frame in the segment. A sample that is
    /// not finite is left to the engine, which makes it 0.
    void apply(const AudioBlock& block, const Parameter& on, const Parameter& threshold, std::uint32_t first) noexcept
        CUELINE_NONBLOCKING {
        const bool switches = on.moves();  // an automation may switch it within the block
        bool is_on = on.at(first) >= 0.5;
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            if (switches) is_on = on.at(first + frame) >= 0.5;
            if (!is_on) {
                gain_ = 1;
                continue;
            }
            float peak = 0;
            for (const float* const channel : block.outputs) {
                const float size = std::abs(channel[frame]);
                if (std::isfinite(size)) peak = std::max(peak, size);
            }
            const auto most = static_cast<float>(threshold.at(first + frame));
            gain_ += (1 - gain_) * recovery_;
            if (1 - gain_ < inaudible) gain_ = 1;
            if (peak * gain_ > most) gain_ = static_cast<double>(most) / peak;
            if (gain_ == 1) continue;
            const auto gain = static_cast<float>(gain_);
            for (float* const channel : block.outputs) {
                const float sample = channel[frame];
                if (std::isfinite(sample)) channel[frame] = std::clamp(sample * gain, -most, most);  // it may round
            }
        }
    }

  private:
    static constexpr double recovery_s = 0.03;  // to 1/e
    static constexpr double inaudible = 1e-5;

    double gain_ = 1;
    double recovery_ = 1;
};

}  // namespace cueline
