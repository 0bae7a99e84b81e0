// player_processor.hpp: plays buffers, with as many voices and slots as its maker wants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/engine/player_messages.hpp>
#include <cueline/engine/range.hpp>
#include <cueline/processor.hpp>

#include "processors/limiter.hpp"
#include "processors/player_places.hpp"
#include "processors/player_voice.hpp"
#include "processors/sinc_table.hpp"
#include "system/locked_array.hpp"

namespace cueline {

inline constexpr Range player_slots_range{1, max_player_slots, ""};
inline constexpr Range player_voices_range{1, PlayerPlaces::most, ""};

/// The reasons for which the player refuses commands, in the order of their names.
enum class PlayerReason : std::uint32_t {  // NOLINT(performance-enum-size): as in Outcome
    ended = first_own_reason,              ///< the voice has ended, or never began
};

/// What the player keeps of a slot.
struct PlayerSlot {
    float attack_s = 0;
    float release_s = 0.005F;
    float peak = 0;         // in this window
    bool is_shown = false;  // its meter is not at 0
};

/// Plays the buffers of its slots, and loaded buffers. kind::play_buffer starts a voice at its exact frame. If all
/// voices play, the oldest one fades out in 5 ms, and the new one takes its place. docs/player.md describes the rest.
///
/// - A buffer of one channel plays on all outputs. Of other buffers, each channel plays on the output of its number.
/// - The same messages at the same frames give the same samples, bit for bit, at any block size.
/// - A block reads at most two frames of buffers for each voice, output and frame: two during a fade.
class PlayerProcessor final : public Processor {
  public:
    static constexpr std::uint32_t default_slots = 128;
    static constexpr std::uint32_t default_voices = 32;
    static constexpr std::uint32_t most_loaded = 128;  ///< buffers without a slot
    static constexpr std::array handled{PlayBuffer::kind, StopBuffer::kind, SetVoice::kind, StopVoice::kind,
                                        SetSlot::kind};

    /// Throws ArgumentError if a number is out of range, and std::bad_alloc.
    explicit PlayerProcessor(std::int64_t slots = default_slots, std::int64_t voices = default_voices);

    /// All voices end, and the slots have their first attack and release.
    void reset() override;
    /// Voices play on. A buffer's frames are not converted to another sample rate.
    void prepare(const Format& format) override;
    [[nodiscard]] std::uint32_t buffer_slots() const override { return static_cast<std::uint32_t>(slots_.size()); }
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return most_loaded; }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override;
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return meters_; }
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return handled; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override;

    /// Clamps gain and pan. Does not handle a command for a slot that does not exist, with a rate out of range, or with
    /// a field that another one makes void: a slot beside a handle, a loop's ends without a loop.
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    [[nodiscard]] VoiceTools tools() noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint32_t frames_of(float seconds) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] std::uint32_t release_frames(const PlayerVoice& voice) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] PlayerVoice* find(const Message& command, std::uint32_t name) noexcept CUELINE_NONBLOCKING;
    void choke(std::uint16_t group) noexcept CUELINE_NONBLOCKING;
    Outcome play(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    Outcome set_voice(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    bool set_slot(const SetSlot& wanted) noexcept CUELINE_NONBLOCKING;
    bool stop_slot(std::uint32_t slot) noexcept CUELINE_NONBLOCKING;
    void render_voice(std::size_t index, const AudioBlock& piece, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void render_master(const AudioBlock& piece, std::uint32_t first, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    void show_voice(std::size_t index, std::uint64_t frame, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void show_counts(std::uint64_t frame, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void show_peaks(std::uint64_t frame, ProcessContext& context) noexcept CUELINE_NONBLOCKING;

    LockedArray<PlayerSlot> slots_;
    LockedArray<PlayerVoice> voices_;
    PlayerPlaces places_;  // of the voices
    std::array<MeterSpec, 4> meters_;
    std::shared_ptr<const SincTable> table_;
    LockedArray<float> samples_;  // of one voice
    Limiter limiter_;
    std::uint32_t samplerate_ = Format{}.samplerate;
    std::uint32_t fade_frames_ = 1;
    std::uint32_t stolen_ = 0;
    bool counts_are_shown_ = true;
    float peak_ = 0;  // of the outputs, in this window
    std::uint32_t window_frames_ = 1;
    std::uint32_t window_left_ = 1;
};

}  // namespace cueline
