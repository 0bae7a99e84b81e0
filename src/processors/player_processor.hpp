// player_processor.hpp: plays the buffers that are published, one voice a slot.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <cueline/engine/player_messages.hpp>
#include <cueline/processor.hpp>

namespace cueline {

/// Eight slots, and a voice for each, which kind::play_buffer starts and kind::stop_buffer stops. A buffer sounds as it
/// is, times its gain, from the very frame at which it was started: a buffer of one channel on all channels, another
/// one's channels on as many as there are of both. Voices are added up, and rates are not converted. The same messages
/// at the same frames give the same samples, bit for bit, whatever the block size.
///
/// A voice whose buffer is swapped goes on in the new one, at the place where it was; when there is no such place it
/// has ended, or goes round in its loop. Nothing clicks: where a voice would jump, because it was swapped, stopped,
/// emptied or started anew while it sounded, the difference to what it was is added, and taken away in 5 ms. So the old
/// buffer is needed no longer, and goes back at once. Where a buffer begins, ends or loops, the sound is its author's.
///
/// A voice that comes to its end, or loses its buffer, sends kind::buffer_ended; one that is stopped does not. To play
/// a slot that is empty is to come to its end at once. When the event ring is full the event is dropped and counted.
class PlayerProcessor final : public Processor {
  public:
    static constexpr std::uint32_t slots = 8;

    /// Voices play on. What is under way of a jump begins anew.
    void prepare(const Format& format) override;
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots; }

    /// A gain out of range means the end of the range that is nearest, one that is no number 0. A slot that there is
    /// not is not known.
    bool handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    struct Voice {
        bool plays = false;
        bool loops = false;
        bool jumped = false;  // what comes next does not follow from what was
        float gain = 0;
        std::uint32_t position = 0;  // of the next frame, in the buffer
        Cause started_by;
        std::uint64_t serial = 0;  // of the buffer it was in last, 0 for none
        std::uint32_t fade_left = 0;
        std::vector<float> last;  // by channel: what was heard of it in the frame before
        std::vector<float> jump;  // and the difference that is being taken away
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
