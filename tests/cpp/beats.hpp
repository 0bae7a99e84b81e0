// beats.hpp: a callback that records when its blocks begin.
#pragma once

#include <cmath>
#include <cstdint>

#include <cueline/device.hpp>

namespace cueline::test {

class Beats final : public BlockCallback {
  public:
    void process(const AudioBlock&, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING override {
        if (blocks_++ == 0) first_ns_ = block_ns;
        last_ns_ = block_ns;
    }

    /// The error of the number of blocks, missed ones included, as a fraction. Call it after the device stopped.
    [[nodiscard]] double rate_error(const Format& expected, std::uint64_t missed) const {
        const double elapsed_s = static_cast<double>(last_ns_ - first_ns_) / 1e9;
        const auto beats = static_cast<double>(blocks_ - 1 + missed);
        return std::abs(beats / (elapsed_s * expected.samplerate / expected.blocksize) - 1);
    }

  private:
    std::uint64_t blocks_ = 0;
    std::uint64_t first_ns_ = 0;
    std::uint64_t last_ns_ = 0;
};

}  // namespace cueline::test
