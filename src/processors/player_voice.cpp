// player_voice.cpp: renders one voice, and keeps it from jumping.
#include "processors/player_voice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "processors/balance.hpp"

namespace cueline {

namespace {

float checked_gain(float gain) noexcept CUELINE_NONBLOCKING {
    return gain > 0 ? std::min(gain, highest_voice_gain) : 0.0F;  // a NaN counts as 0
}

float checked_pan(float pan) noexcept CUELINE_NONBLOCKING {
    return std::isnan(pan) ? 0.0F : std::clamp(pan, -1.0F, 1.0F);
}

}  // namespace

const Buffer* PlayerVoice::Head::find(const ProcessContext& context) const noexcept CUELINE_NONBLOCKING {
    return handle != 0 ? context.loaded_buffer(handle) : context.buffer(slot);
}

std::uint32_t PlayerVoice::Head::frames_left(const Glide& fade) const noexcept CUELINE_NONBLOCKING {
    std::uint32_t frames = std::numeric_limits<std::uint32_t>::max();
    if (is_released()) frames = std::min(frames, envelope.frames_left());
    if (fade.target() == 0) frames = std::min(frames, fade.frames_left());
    return frames;
}

std::uint32_t PlayerVoice::frames_until_release(const ProcessContext& context) const noexcept CUELINE_NONBLOCKING {
    std::uint32_t frames = std::numeric_limits<std::uint32_t>::max();
    const auto look_at = [&](const Head& head, const Glide& fade) noexcept CUELINE_NONBLOCKING {
        if (!head.plays || !head.unloads) return;
        const Buffer* const buffer = head.find(context);
        if (buffer != nullptr) frames = std::min({frames, head.frames_left(fade), head.reader.frames_left(*buffer)});
    };
    look_at(head_, Glide{1});
    look_at(fading_head_, head_fade_);
    return std::max(frames, 1U);
}

void PlayerVoice::release_buffers(ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (Head* const head : {&head_, &fading_head_}) {
        if (!head->plays && head->unloads) end(*head, context);
    }
}

void PlayerVoice::end(Head& head, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    head.plays = false;
    if (head.unloads) context.release_buffer(head.handle);
    head.unloads = false;
}

/// Lets a head's last samples fade out, together with what fades in this way already.
void PlayerVoice::hold(Samples& last, const VoiceTools& tools) noexcept CUELINE_NONBLOCKING {
    const float left = held_fade_.at(0);
    for (std::size_t output = 0; output < tools.outputs; ++output) {
        held_[output] = held_[output] * left + last[output];
        last[output] = 0;
    }
    held_fade_ = Glide{1};
    held_fade_.go_to(0, tools.fade_frames);
}

/// Lets a copy of the head fade out, in place of the one that fades already. The caller may change `head_` then.
void PlayerVoice::fade_head(bool keeps_buffer, const VoiceTools& tools, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    if (fading_head_.plays) {
        hold(fading_last_, tools);
        end(fading_head_, context);
    }
    fading_head_ = head_;
    if (keeps_buffer) fading_head_.unloads = false;
    fading_head_.presence = Glide{head_.presence.at(0)};  // else the two could be louder than one
    for (std::size_t output = 0; output < tools.outputs; ++output) {
        fading_last_[output] = last_[output];
        last_[output] = 0;
    }
    head_fade_ = Glide{1};
    head_fade_.go_to(0, tools.fade_frames);
}

void PlayerVoice::start(const PlayBuffer& wanted, std::uint32_t attack_frames, const VoiceTools& tools,
                        ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (head_.plays && head_.serial != 0) {
        fade_head(false, tools, context);
    } else {
        if (head_.plays) end(head_, context);
        std::fill_n(last_.begin(), tools.outputs, 0.0F);
    }
    head_ = Head{};
    head_.plays = true;
    head_.unloads = wanted.handle != 0 && wanted.unload != 0;
    head_.slot = wanted.handle != 0 ? std::uint16_t{0} : wanted.slot;
    head_.handle = wanted.handle;
    head_.reader.start(wanted.start, wanted.rate);
    if (wanted.loop != 0) head_.reader.set_loop(wanted.loop_start, wanted.loop_end);
    head_.gain = Glide{checked_gain(wanted.gain)};
    head_.pan = Glide{checked_pan(wanted.pan)};
    if (attack_frames > 0) {
        head_.envelope = Glide{0};
        head_.envelope.go_to(1, attack_frames);
    }
}

void PlayerVoice::set(const SetVoice& wanted, const VoiceTools& tools, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    const bool has_begun = head_.serial != 0;
    const std::uint32_t frames = has_begun ? tools.fade_frames : 0;
    if (!std::isnan(wanted.gain)) head_.gain.go_to(checked_gain(wanted.gain), frames);
    if (!std::isnan(wanted.pan)) head_.pan.go_to(checked_pan(wanted.pan), frames);
    if (!std::isnan(wanted.rate)) head_.reader.set_rate(wanted.rate);
    if (wanted.loop == looping::keep) return;
    if (has_begun) {
        fade_head(true, tools, context);
        head_.presence = Glide{0};
        head_.presence.go_to(1, tools.fade_frames);
    }
    if (wanted.loop == looping::on) {
        head_.reader.set_loop(wanted.loop_start, wanted.loop_end);
    } else {
        head_.reader.end_loop();
    }
}

void PlayerVoice::release(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
    if (head_.is_released() && head_.envelope.frames_left() <= frames) return;
    head_.envelope.go_to(0, head_.serial == 0 ? 0 : frames);  // what has not begun never sounds
}

PlayerVoice::Rendered PlayerVoice::render(const AudioBlock& piece, const VoiceTools& tools,
                                          ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    Rendered rendered;
    if (head_.plays) {
        const Buffer* const buffer = head_.find(context);
        const std::uint64_t serial = buffer == nullptr ? 0 : buffer->serial;
        if (head_.serial != 0 && head_.serial != serial) {  // its buffer was swapped, or is gone
            hold(last_, tools);
            head_.presence = Glide{0};
            head_.presence.go_to(1, tools.fade_frames);
        }
        head_.serial = serial;
        if (buffer == nullptr) {
            rendered.ended = Ended::by_itself;
        } else {
            rendered = render(head_, last_, Glide{1}, *buffer, piece, tools);
        }
        if (rendered.ended != Ended::no) head_.plays = false;
    }
    render_fades(piece, tools, context);
    return rendered;
}

/// Adds what fades out: a head, and last samples that are held.
void PlayerVoice::render_fades(const AudioBlock& piece, const VoiceTools& tools, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    if (fading_head_.plays) {
        const Buffer* const buffer = fading_head_.find(context);
        if (buffer == nullptr || buffer->serial != fading_head_.serial) {
            hold(fading_last_, tools);
            fading_head_.plays = false;
        } else {
            const Rendered rendered = render(fading_head_, fading_last_, head_fade_, *buffer, piece, tools);
            head_fade_.advance(piece.frames);
            if (rendered.ended != Ended::no || !head_fade_.moves()) fading_head_.plays = false;
        }
    }
    if (!held_fade_.moves()) return;
    for (std::size_t channel = 0; channel < piece.outputs.size(); ++channel) {
        for (std::uint32_t frame = 0; frame < piece.frames; ++frame) {
            piece.outputs[channel][frame] += held_[channel] * held_fade_.at(frame);
        }
    }
    held_fade_.advance(piece.frames);
}

/// Adds the samples of one head, which reads `buffer`. A buffer of one channel sounds on all outputs.
PlayerVoice::Rendered PlayerVoice::render(Head& head, Samples& last_samples, const Glide& fade, const Buffer& buffer,
                                          const AudioBlock& piece, const VoiceTools& tools) noexcept
    CUELINE_NONBLOCKING {
    const std::uint32_t frames = std::min(piece.frames, head.frames_left(fade));
    const std::size_t outputs = piece.outputs.size();
    const auto heard = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.channels, outputs));
    const std::uint32_t channels = buffer.channels == 1 ? 1 : heard;
    const auto [count, has_ended] =
        head.reader.read(buffer, tools.table, tools.samples, VoiceTools::piece_frames, channels, frames);

    std::array<float, VoiceTools::piece_frames> gains;  // NOLINT(*-member-init): as many as are used are written
    for (std::uint32_t frame = 0; frame < count; ++frame) {
        gains[frame] = head.gain.at(frame) * head.envelope.at(frame) * head.presence.at(frame) * fade.at(frame);
    }
    Rendered rendered{.frames = count};
    for (std::size_t output = 0; output < outputs; ++output) {
        if (buffer.channels > 1 && output >= channels) break;
        const float* const samples = &tools.samples[buffer.channels == 1 ? 0 : output * VoiceTools::piece_frames];
        float* const into = piece.outputs[output];
        float last = 0;
        for (std::uint32_t frame = 0; frame < count; ++frame) {
            last = gains[frame] * pan_gain(head.pan.at(frame), output, outputs) * samples[frame];
            into[frame] += last;
            rendered.peak = std::max(rendered.peak, std::abs(last));
        }
        if (count > 0) last_samples[output] = std::isfinite(last) ? last : 0;  // else a NaN would last for a fade
    }
    for (Glide* const glide : {&head.gain, &head.pan, &head.envelope, &head.presence}) glide->advance(count);
    if (has_ended) {
        rendered.ended = Ended::by_itself;
    } else if (head.is_released() && !head.envelope.moves()) {
        rendered.ended = Ended::released;
    }
    return rendered;
}

}  // namespace cueline
