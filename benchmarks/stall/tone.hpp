// tone.hpp: the sine that every contender plays, and the comparison of a block with the one before.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string_view>
#include <vector>

namespace cueline::stall {

inline constexpr double frequency_hz = 440;
inline constexpr double gain = 0.2;

/// The angle from one sample to the next.
inline double step_of(double samplerate) noexcept {
    return 2 * std::numbers::pi * frequency_hz / samplerate;
}

class Tone {
  public:
    explicit Tone(double samplerate) : step_{step_of(samplerate)} {}

    void render(std::span<float> block) noexcept {
        for (float& sample : block) sample = static_cast<float>(gain * std::sin(step_ * static_cast<double>(frame_++)));
    }
    void skip(std::uint64_t frames) noexcept { frame_ += frames; }

  private:
    double step_;
    std::uint64_t frame_ = 0;
};

enum class Block : std::uint8_t {
    continued,  // continues where the last block ended
    jumped,     // new and part of the tone, but not the next part
    repeated,   // the last block again
    silent,
    broken,  // not the tone
};

inline std::string_view name_of(Block block) noexcept {
    switch (block) {
        case Block::continued:
            return "continued";
        case Block::jumped:
            return "jumped";
        case Block::repeated:
            return "repeated";
        case Block::silent:
            return "silent";
        case Block::broken:
            break;
    }
    return "broken";
}

/// Classifies each block. The next sample of a sine follows from the two before it, at any phase.
class Follower {
  public:
    Follower(double samplerate, std::size_t block_frames)
        : factor_{static_cast<float>(2 * std::cos(step_of(samplerate)))}, last_(block_frames) {}

    /// `block` has the number of frames given to the constructor, at least 3. Real-time: no allocation.
    Block judge(std::span<const float> block) noexcept {
        const Block verdict = compare(block);
        std::ranges::copy(block, last_.begin());
        return verdict;
    }

  private:
    // Rounding to float makes an error of about 1e-7; a phase error of a hundredth of a sample makes one of 1e-4.
    static constexpr float tolerance = 1e-5F;

    Block compare(std::span<const float> block) const noexcept {
        if (std::ranges::all_of(block, [](float sample) { return sample == 0; })) return Block::silent;
        if (std::ranges::equal(block, last_)) return Block::repeated;
        for (std::size_t i = 2; i < block.size(); ++i)
            if (!follows(block[i], block[i - 1], block[i - 2])) return Block::broken;
        const float before = last_[last_.size() - 1];
        return follows(block[0], before, last_[last_.size() - 2]) && follows(block[1], block[0], before)
                   ? Block::continued
                   : Block::jumped;
    }

    bool follows(float next, float one_before, float two_before) const noexcept {
        return std::abs(next - (factor_ * one_before - two_before)) < tolerance;
    }

    float factor_;
    std::vector<float> last_;
};

}  // namespace cueline::stall
