// player_playing.hpp: controls a player on the offline device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "offline_playing.hpp"
#include "processors/player_processor.hpp"

namespace cueline::test {

inline constexpr std::size_t fade = 240;  // 5 ms at 48 kHz

/// The numbers of its parameters, and the addresses of its first meters.
inline constexpr std::size_t player_gain = 0;
inline constexpr std::size_t player_limiter = 1;
inline constexpr std::size_t player_threshold = 2;
inline constexpr std::size_t player_peak = 0;
inline constexpr std::size_t player_voices = 1;
inline constexpr std::size_t player_first_voice = 2;

/// It counts its commands, so that it can name its voices.
class Player : public OfflinePlaying<PlayerProcessor> {
  public:
    explicit Player(std::uint32_t blocksize = 64, std::uint32_t channels = 1,
                    std::int64_t slots = PlayerProcessor::default_slots,
                    std::int64_t voices = PlayerProcessor::default_voices)
        : OfflinePlaying{blocksize, channels, slots, voices} {}

    // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method): it counts, too
    void publish(std::int64_t slot, std::span<const float> samples, std::int64_t channels = 1, std::uint64_t at = 0) {
        OfflinePlaying::publish(slot, samples, channels, at);
        ++sent_;
    }
    void empty(std::int64_t slot, std::uint64_t at = 0) {
        publish_nothing(slot, at);
        ++sent_;
    }
    template <class Command>
    std::uint32_t send(const Command& command, std::uint64_t at = 0) {
        OfflinePlaying::send(command, at);
        return ++sent_;
    }
    template <class Command>
    std::uint32_t confirm(const Command& command, std::uint64_t at = 0) {
        OfflinePlaying::confirm(command, at);
        return ++sent_;
    }

    /// Returns the voice.
    std::uint32_t play(std::uint16_t slot, float gain = 1, bool loop = false) {
        return send(PlayBuffer{.slot = slot, .loop = static_cast<std::uint8_t>(loop), .gain = gain});
    }
    void stop(std::uint32_t slot) { send(StopBuffer{slot}); }

    [[nodiscard]] double playing() { return meter(player_voices).fields[0]; }
    [[nodiscard]] double stolen() { return meter(player_voices).fields[1]; }

  private:
    std::uint32_t sent_ = 0;
};

/// Samples that differ from frame to frame and are far from what a straight line would give.
inline std::vector<float> noise(std::size_t frames, std::uint32_t seed = 1, float peak = 0.5F) {
    std::vector<float> samples(frames);
    std::uint32_t state = seed * 2'654'435'761U + 1;
    for (float& sample : samples) {
        state = state * 1'664'525U + 1'013'904'223U;
        sample = peak * (static_cast<float>(state >> 8U) / 8'388'608.0F - 1);
    }
    return samples;
}

}  // namespace cueline::test
