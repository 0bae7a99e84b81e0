// player_processor.hpp: plays published buffers, with one voice for each slot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <cueline/engine/player_messages.hpp>
#include <cueline/processor.hpp>

namespace cueline {

/// It has eight slots with a voice each. kind::play_buffer starts a voice, kind::stop_buffer stops it. A voice plays
/// its buffer times its gain, from the exact frame of the command. A buffer of one channel plays on all channels. Of
/// other buffers, each channel plays on the output channel with its number, if there is one. Voices are mixed. Sample
/// rates are not converted. The same messages at the same frames give the same samples, bit for bit, at any block size.
///
/// If a voice's buffer is swapped, the voice goes on in the new buffer at the same position. If the new buffer is too
/// short, the voice ends, or wraps if it loops. Swapping, stopping, emptying and restarting a sounding voice do not
/// click: the player crossfades from the last sample to the new sound in 5 ms, and is never louder than the louder of
/// the two. So it no longer needs the old buffer, which returns at once. The player does not smooth the start, the end
/// and the loop of a buffer.
///
/// A voice that reaches its end or loses its buffer sends kind::buffer_ended; a stopped voice does not. A voice on an
/// empty slot ends at once. If the event ring is full, the event is dropped and counted.
class PlayerProcessor final : public Processor {
  public:
    static constexpr std::uint32_t slots = 8;
    static constexpr std::array handled{PlayBuffer::kind, StopBuffer::kind};

    /// Voices play on. A fade that is under way starts again.
    void prepare(const Format& format) override;
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots; }
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return handled; }

    /// Clamps the gain to 0 to 1; a NaN counts as 0. Does not handle a command for a slot that does not exist.
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    struct Voice {
        bool plays = false;
        bool loops = false;
        bool jumped = false;  // the next sample does not continue the last one
        float gain = 0;
        std::uint32_t position = 0;  // the next frame in the buffer
        Cause started_by;
        std::uint64_t serial = 0;  // of its last buffer, 0 for none
        std::uint32_t fade_left = 0;
        std::vector<float> last;  // by channel: its output in the frame before
        std::vector<float> tail;  // by channel: its last output before the jump, which fades
    };

    static void play(Voice& voice, const PlayBuffer& wanted, const Message& command) noexcept CUELINE_NONBLOCKING;
    void render(Voice& voice, std::uint32_t slot, const AudioBlock& block, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    void render_frame(Voice& voice, const Buffer* buffer, const AudioBlock& block, std::uint32_t frame) const noexcept
        CUELINE_NONBLOCKING;

    std::array<Voice, slots> voices_;
    std::uint32_t fade_frames_ = 1;
};

}  // namespace cueline
