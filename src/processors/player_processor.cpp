// player_processor.cpp: renders the voices of the player, frame by frame.
#include "processors/player_processor.hpp"

#include <algorithm>
#include <cmath>

namespace cueline {

namespace {

constexpr std::uint32_t fades_a_second = 200;  // 5 ms each

/// The buffer's sample for this channel of the output.
float sample_for(const Buffer& buffer, std::uint32_t frame, std::size_t channel) noexcept CUELINE_NONBLOCKING {
    if (buffer.channels == 1) return buffer.sample(frame, 0);
    return channel < buffer.channels ? buffer.sample(frame, channel) : 0.0F;
}

}  // namespace

void PlayerProcessor::prepare(const Format& format) {
    fade_frames_ = std::max<std::uint32_t>(1, format.samplerate / fades_a_second);
    for (Voice& voice : voices_) {
        voice.jumped = voice.jumped || voice.fade_left > 0;
        voice.last.resize(format.outputs);
        voice.tail.resize(format.outputs);
    }
}

Outcome PlayerProcessor::handle(const Message& command, ProcessContext&) noexcept CUELINE_NONBLOCKING {
    if (command.kind == kind::play_buffer) {
        const auto wanted = command.as<PlayBuffer>();
        if (wanted.slot >= slots) return false;
        play(voices_[wanted.slot], wanted, command);
        return true;
    }
    if (command.kind == kind::stop_buffer) {
        const auto wanted = command.as<StopBuffer>();
        if (wanted.slot >= slots) return false;
        Voice& voice = voices_[wanted.slot];
        voice.jumped = voice.jumped || voice.plays;
        voice.plays = false;
        return true;
    }
    return false;
}

void PlayerProcessor::play(Voice& voice, const PlayBuffer& wanted, const Message& command) noexcept
    CUELINE_NONBLOCKING {
    // A silent voice does not jump: its buffer begins unchanged.
    voice.jumped = voice.jumped || voice.plays || voice.fade_left > 0;
    voice.plays = true;
    voice.loops = wanted.loop != 0;
    voice.gain = wanted.gain > 0 ? std::min(wanted.gain, 1.0F) : 0.0F;  // a NaN counts as 0
    voice.position = 0;
    voice.started_by = command;
    voice.serial = 0;
}

void PlayerProcessor::render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
        std::ranges::fill(block.output(channel), 0.0F);
    }
    for (std::uint32_t slot = 0; slot < slots; ++slot) render(voices_[slot], slot, block, context);
}

void PlayerProcessor::render(Voice& voice, std::uint32_t slot, const AudioBlock& block,
                             ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const Buffer* const buffer = context.buffer(slot);
    const auto end_at = [&](std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        voice.plays = false;
        context.events().send_at(frame, kind::buffer_ended, BufferEnded{slot}, voice.started_by);
    };
    if (voice.plays) {
        // Compare serials, not addresses: a new buffer may lie where the old one lay.
        const std::uint64_t serial = buffer == nullptr ? 0 : buffer->serial;
        voice.jumped = voice.jumped || (voice.serial != 0 && voice.serial != serial);
        voice.serial = serial;
        if (buffer != nullptr && voice.loops) voice.position %= buffer->frames;
        if (buffer == nullptr || voice.position >= buffer->frames) end_at(block.frame);
    }
    for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
        if (!voice.plays && !voice.jumped && voice.fade_left == 0) {
            std::ranges::fill(voice.last, 0.0F);
            return;
        }
        render_frame(voice, voice.plays ? buffer : nullptr, block, frame);
        if (!voice.plays || ++voice.position < buffer->frames) continue;
        voice.position = 0;
        if (!voice.loops) end_at(block.frame + frame + 1);
    }
}

void PlayerProcessor::render_frame(Voice& voice, const Buffer* buffer, const AudioBlock& block,
                                   std::uint32_t frame) const noexcept CUELINE_NONBLOCKING {
    const bool jumps = voice.jumped;
    if (jumps) voice.fade_left = fade_frames_;
    voice.jumped = false;
    const float part = static_cast<float>(voice.fade_left) / static_cast<float>(fade_frames_);
    const std::size_t channels = std::min(block.outputs.size(), voice.last.size());
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const float sample = buffer == nullptr ? 0.0F : voice.gain * sample_for(*buffer, voice.position, channel);
        if (jumps) voice.tail[channel] = voice.last[channel];
        // std::lerp() lies between both sounds, even where it rounds.
        const float heard = voice.fade_left == 0 ? sample : std::lerp(sample, voice.tail[channel], part);
        voice.last[channel] = std::isfinite(heard) ? heard : 0;  // else a NaN would last for the next fade
        block.outputs[channel][frame] += heard;
    }
    if (voice.fade_left > 0) --voice.fade_left;
}

}  // namespace cueline
