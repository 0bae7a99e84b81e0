// player_voice.hpp: one voice of the player: what it reads, how loud it is, and how it fades.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/audio.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/process_context.hpp>

#include "processors/buffer_reader.hpp"
#include "processors/glide.hpp"

namespace cueline {

/// What all voices use.
struct VoiceTools {
    static constexpr std::uint32_t piece_frames = 64;  ///< that a voice renders at once, at most

    const SincTable& table;
    std::span<float> samples;   ///< room for a piece of all outputs, and of one channel at least
    std::size_t outputs;        ///< for how many there is room, at least 1
    std::uint32_t fade_frames;  ///< of a fade, at least 1
};

/// It sounds in up to three ways at once. A head reads a buffer. If the voice begins anew or its loop moves, that head
/// fades out, and another one reads on. If a head's buffer is gone, or a fade is interrupted, its last sample fades
/// out: that needs no buffer. So the voice never jumps, but at the start and the end of a buffer.
/// [audio thread, wait-free]
class PlayerVoice {
  public:
    /// What render() found.
    enum class Ended : std::uint8_t {
        no,
        released,   // the release is over
        by_itself,  // it has reached its end, or has no buffer
    };

    /// Whether it plays. A voice that has ended may still fade.
    [[nodiscard]] bool plays() const noexcept CUELINE_NONBLOCKING { return head_.plays; }
    [[nodiscard]] bool sounds() const noexcept CUELINE_NONBLOCKING {
        return head_.plays || fading_head_.plays || held_fade_.moves();
    }
    /// Whether it plays a slot, and not a loaded buffer.
    [[nodiscard]] bool has_slot() const noexcept CUELINE_NONBLOCKING { return head_.handle == 0; }
    [[nodiscard]] std::uint16_t slot() const noexcept CUELINE_NONBLOCKING { return head_.slot; }
    [[nodiscard]] BufferHandle handle() const noexcept CUELINE_NONBLOCKING { return head_.handle; }

    /// Forgets the last samples, because the outputs may be others now. [while no block runs]
    void forget_samples() noexcept {
        for (Samples* const samples : {&last_, &fading_last_, &held_}) samples->fill(0);
    }

    /// Starts. If the voice plays, that sound fades out.
    void start(const PlayBuffer& wanted, std::uint32_t attack_frames, const VoiceTools& tools,
               ProcessContext& context) noexcept CUELINE_NONBLOCKING;

    /// Changes it. Only while it plays.
    void set(const SetVoice& wanted, const VoiceTools& tools, ProcessContext& context) noexcept CUELINE_NONBLOCKING;

    /// Begins the release, unless one is under way that is over sooner. Only while it plays.
    void release(std::uint32_t frames) noexcept CUELINE_NONBLOCKING;

    /// What became of the voice in a piece of a block.
    struct Rendered {
        Ended ended = Ended::no;
        std::uint32_t frames = 0;  // how many of them it played
        float peak = 0;            // its loudest sample
    };

    /// How many frames, at least 1, it can render until it has to release a buffer. Others may read that one, too.
    [[nodiscard]] std::uint32_t frames_until_release(const ProcessContext& context) const noexcept CUELINE_NONBLOCKING;

    /// Releases the buffers of what has ended in the last piece. Call it when all voices have rendered that.
    void release_buffers(ProcessContext& context) noexcept CUELINE_NONBLOCKING;

    /// Adds its samples to the outputs of `piece`, which has at most frames_until_release() frames.
    Rendered render(const AudioBlock& piece, const VoiceTools& tools, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;

  private:
    /// Reads a buffer, with a gain for each frame.
    struct Head {
        bool plays = false;
        bool unloads = false;  // it releases its buffer when it ends; if it plays no more: has to release it
        std::uint16_t slot = 0;
        BufferHandle handle = 0;
        std::uint64_t serial = 0;  // of the buffer that it has read from; 0: it has not begun
        BufferReader reader;
        Glide gain{1};
        Glide pan{0};
        Glide envelope{1};  // attack and release
        Glide presence{1};  // rises if it begins in the middle of a sound

        [[nodiscard]] const Buffer* find(const ProcessContext& context) const noexcept CUELINE_NONBLOCKING;
        /// How many frames it plays at most, with a fade that ends it.
        [[nodiscard]] std::uint32_t frames_left(const Glide& fade) const noexcept CUELINE_NONBLOCKING;
        [[nodiscard]] bool is_released() const noexcept CUELINE_NONBLOCKING { return envelope.target() == 0; }
    };

    using Samples = std::array<float, max_channels>;  // by output

    /// `last_samples` gets the head's last samples.
    static Rendered render(Head& head, Samples& last_samples, const Glide& fade, const Buffer& buffer,
                           const AudioBlock& piece, const VoiceTools& tools) noexcept CUELINE_NONBLOCKING;
    static void end(Head& head, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void hold(Samples& last, const VoiceTools& tools) noexcept CUELINE_NONBLOCKING;
    void fade_head(bool keeps_buffer, const VoiceTools& tools, ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void render_fades(const AudioBlock& piece, const VoiceTools& tools, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;

    Head head_;
    Head fading_head_;
    Glide head_fade_{0};
    Glide held_fade_{0};
    // Behind what each command touches. Only those of outputs that are there are used.
    Samples last_{};         // of head_
    Samples fading_last_{};  // of fading_head_
    Samples held_{};         // of what is gone
};

}  // namespace cueline
