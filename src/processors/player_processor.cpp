// player_processor.cpp: finds places for voices, mixes them, and limits the sum.
#include "processors/player_processor.hpp"

#include <algorithm>
#include <cmath>

namespace cueline {

namespace {

constexpr std::uint32_t fades_a_second = 200;  // 5 ms each
constexpr std::uint32_t peaks_a_second = 20;   // for the meters

enum PlayerParameter : std::uint8_t { master_gain, limiter_is_on, limiter_threshold };

constexpr std::array<ParameterSpec, 3> player_parameters{{
    {.name = "gain", .lowest = 0, .highest = highest_voice_gain, .default_value = 1, .unit = {}, .ramp_s = 0.02},
    {.name = "limiter", .lowest = 0, .highest = 1, .default_value = 1, .unit = {}, .ramp_s = 0},
    {.name = "threshold", .lowest = 0.01, .highest = 1, .default_value = 1, .unit = {}, .ramp_s = 0.02},
}};

// Meters: the outputs' peak, the voices' counts, each voice, and each slot's peak.
constexpr std::size_t peak_address = 0;
constexpr std::size_t voices_address = 1;
constexpr std::size_t first_voice_address = 2;

constexpr std::array<std::string_view, 1> peak_fields{"peak"};
constexpr std::array<std::string_view, 2> counts_fields{"playing", "stolen"};
constexpr std::array<std::string_view, 2> voice_fields{"line", "sequence"};

constexpr std::array<std::string_view, 1> reason_names{"ENDED"};

bool is_rate(float rate) noexcept CUELINE_NONBLOCKING {
    return rate > 0 && rate <= highest_voice_rate;
}

/// Whether a start sets no field that another one makes void.
bool is_whole(const PlayBuffer& wanted) noexcept CUELINE_NONBLOCKING {
    if (wanted.handle != 0 ? wanted.slot != 0 : wanted.unload != 0) return false;
    return wanted.loop != 0 || (wanted.loop_start == 0 && wanted.loop_end == 0);
}
bool is_whole(const SetVoice& wanted) noexcept CUELINE_NONBLOCKING {
    return wanted.loop == looping::on || (wanted.loop_start == 0 && wanted.loop_end == 0);
}

}  // namespace

PlayerProcessor::PlayerProcessor(std::int64_t slots, std::int64_t voices)
    : slots_{checked_range("slots", slots, player_slots_range)},
      voices_{checked_range("voices", voices, player_voices_range)},
      places_{voices_.size()},
      meters_{{
          {.name = "peak", .unit = {}, .fields = peak_fields},
          {.name = "voices", .unit = {}, .fields = counts_fields},
          {.name = "voice", .unit = {}, .fields = voice_fields, .count = static_cast<std::uint32_t>(voices)},
          {.name = "slot", .unit = {}, .fields = peak_fields, .count = static_cast<std::uint32_t>(slots)},
      }} {}

void PlayerProcessor::reset() {
    std::ranges::fill(slots_.all(), PlayerSlot{});
    std::ranges::fill(voices_.all(), PlayerVoice{});
    places_ = PlayerPlaces{voices_.size()};
    limiter_ = {};
    stolen_ = 0;
    counts_are_shown_ = true;
    peak_ = 0;
}

void PlayerProcessor::prepare(const Format& format) {
    table_ = SincTable::shared();  // a forked child needs another one
    samples_ = LockedArray<float>{std::max<std::size_t>(format.outputs, 1) * VoiceTools::piece_frames};
    samplerate_ = format.samplerate;
    fade_frames_ = std::max<std::uint32_t>(1, format.samplerate / fades_a_second);
    window_frames_ = std::max<std::uint32_t>(1, format.samplerate / peaks_a_second);
    window_left_ = window_frames_;
    limiter_.prepare(format.samplerate);
    for (PlayerVoice& voice : voices_.all()) voice.forget_samples();
}

std::span<const ParameterSpec> PlayerProcessor::parameters() const {
    return player_parameters;
}

std::span<const std::string_view> PlayerProcessor::reasons() const {
    return reason_names;
}

VoiceTools PlayerProcessor::tools() noexcept CUELINE_NONBLOCKING {
    return {.table = *table_,
            .samples = samples_.all(),
            .outputs = samples_.size() / VoiceTools::piece_frames,
            .fade_frames = fade_frames_};
}

std::uint32_t PlayerProcessor::frames_of(float seconds) const noexcept CUELINE_NONBLOCKING {
    const double frames = static_cast<double>(seconds) * samplerate_ + 0.5;  // for the nearest whole number
    return static_cast<std::uint32_t>(frames);
}

std::uint32_t PlayerProcessor::release_frames(const PlayerVoice& voice) const noexcept CUELINE_NONBLOCKING {
    return voice.has_slot() ? frames_of(slots_.all()[voice.slot()].release_s) : fade_frames_;
}

/// The voice of this name on the line of `command`, if it still plays.
PlayerVoice* PlayerProcessor::find(const Message& command, std::uint32_t name) noexcept CUELINE_NONBLOCKING {
    Cause cause{command};
    cause.sequence = name;
    const std::span<const PlayerPlace> places = places_.all();
    for (std::size_t index = 0; index < places.size(); ++index) {
        if (places[index].plays && places[index].started_by == cause) return &voices_.all()[index];
    }
    return nullptr;
}

/// Fades out the voices of a group, each once: later commands of the group pass it over.
void PlayerProcessor::choke(std::uint16_t group) noexcept CUELINE_NONBLOCKING {
    const std::span<PlayerPlace> places = places_.all();
    for (std::size_t index = 0; index < places.size(); ++index) {
        if (places[index].choke_group != group) continue;
        voices_.all()[index].release(fade_frames_);
        places[index].choke_group = 0;
    }
}

Outcome PlayerProcessor::handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    switch (command.kind) {
        case kind::play_buffer:
            return play(command, context);
        case kind::stop_buffer:
            return stop_slot(command.as<StopBuffer>().slot);
        case kind::set_voice:
            return set_voice(command, context);
        case kind::stop_voice: {
            PlayerVoice* const voice = find(command, command.as<StopVoice>().voice);
            if (voice == nullptr) return Outcome::refused(PlayerReason::ended);
            voice->release(release_frames(*voice));
            return true;
        }
        case kind::set_slot:
            return set_slot(command.as<SetSlot>());
        default:
            return false;
    }
}

void PlayerProcessor::discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (command.kind != kind::play_buffer) return;
    const auto unwanted = command.as<PlayBuffer>();
    if (unwanted.unload != 0) context.release_buffer(unwanted.handle);
}

/// Its confirmation has the voice's place in the meter "voice".
Outcome PlayerProcessor::play(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const auto wanted = command.as<PlayBuffer>();
    if (!is_rate(wanted.rate) || !is_whole(wanted) || (wanted.handle == 0 && wanted.slot >= slots_.size())) {
        discarded(command, context);
        return false;
    }
    if (wanted.choke_group != 0) choke(wanted.choke_group);
    const std::size_t index = places_.next();
    if (places_.take(index, command, wanted.choke_group)) ++stolen_;
    const std::uint32_t attack = wanted.handle != 0 ? 0 : frames_of(slots_.all()[wanted.slot].attack_s);
    voices_.all()[index].start(wanted, attack, tools(), context);
    show_voice(index, context.events().frame(), context);  // at once: the confirmation follows
    return Outcome::applied(static_cast<std::uint32_t>(index));
}

Outcome PlayerProcessor::set_voice(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const auto wanted = command.as<SetVoice>();
    const bool keeps_rate = std::isnan(wanted.rate);
    if ((!keeps_rate && !is_rate(wanted.rate)) || wanted.loop > looping::on || !is_whole(wanted)) return false;
    PlayerVoice* const voice = find(command, wanted.voice);
    if (voice == nullptr) return Outcome::refused(PlayerReason::ended);
    voice->set(wanted, tools(), context);
    return true;
}

bool PlayerProcessor::set_slot(const SetSlot& wanted) noexcept CUELINE_NONBLOCKING {
    if (wanted.slot >= slots_.size()) return false;
    PlayerSlot& slot = slots_.all()[wanted.slot];
    if (!std::isnan(wanted.attack_s)) slot.attack_s = std::clamp(wanted.attack_s, 0.0F, longest_voice_fade_s);
    if (!std::isnan(wanted.release_s)) slot.release_s = std::clamp(wanted.release_s, 0.0F, longest_voice_fade_s);
    return true;
}

bool PlayerProcessor::stop_slot(std::uint32_t slot) noexcept CUELINE_NONBLOCKING {
    if (slot >= slots_.size()) return false;
    for (PlayerVoice& voice : voices_.all()) {
        if (voice.plays() && voice.has_slot() && voice.slot() == slot) voice.release(release_frames(voice));
    }
    return true;
}

void PlayerProcessor::render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    std::array<float*, max_channels> outputs;  // NOLINT(*-member-init): as many as are used are written
    for (std::uint32_t done = 0; done < block.frames;) {
        std::uint32_t frames = std::min({block.frames - done, VoiceTools::piece_frames, window_left_});
        // A buffer is released between two pieces: then it is gone for all voices at one frame.
        for (const PlayerVoice& voice : voices_.all()) frames = std::min(frames, voice.frames_until_release(context));
        for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
            outputs[channel] = block.outputs[channel] + done;
            std::fill_n(outputs[channel], frames, 0.0F);
        }
        const AudioBlock piece{
            .outputs = std::span{outputs}.first(block.outputs.size()), .frames = frames, .frame = block.frame + done};
        for (std::size_t index = 0; index < voices_.size(); ++index) render_voice(index, piece, context);
        for (PlayerVoice& voice : voices_.all()) voice.release_buffers(context);
        render_master(piece, done, context);
        done += frames;
        show_counts(block.frame + done, context);
        window_left_ -= frames;
        if (window_left_ == 0) show_peaks(block.frame + done, context);
    }
}

void PlayerProcessor::render_voice(std::size_t index, const AudioBlock& piece, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    PlayerVoice& voice = voices_.all()[index];
    if (!voice.sounds()) return;
    const bool played = voice.plays();
    const auto [ended, frames, peak] = voice.render(piece, tools(), context);
    if (played && voice.has_slot()) {
        PlayerSlot& slot = slots_.all()[voice.slot()];
        if (std::isfinite(peak)) slot.peak = std::max(slot.peak, peak);
    }
    if (ended == PlayerVoice::Ended::no) return;
    const std::uint64_t frame = piece.frame + frames;
    const Cause started_by = places_.free(index);
    if (ended == PlayerVoice::Ended::by_itself) {
        context.events().send_at(frame, kind::buffer_ended, BufferEnded{voice.slot(), voice.handle()}, started_by);
    }
    show_voice(index, frame, context);
}

/// Applies gain and limiter to the sum. `first` is the index of the piece's first frame in the segment.
void PlayerProcessor::render_master(const AudioBlock& piece, std::uint32_t first, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    const Parameter& gain = context.parameter(master_gain);
    if (gain.moves() || gain.target() != 1) {
        for (std::uint32_t frame = 0; frame < piece.frames; ++frame) {
            const auto factor = static_cast<float>(gain.at(first + frame));
            for (float* const channel : piece.outputs) channel[frame] *= factor;
        }
    }
    limiter_.apply(piece, context.parameter(limiter_is_on), context.parameter(limiter_threshold), first);
    for (const float* const channel : piece.outputs) {
        for (std::uint32_t frame = 0; frame < piece.frames; ++frame) {
            const float size = std::abs(channel[frame]);
            if (size > peak_ && std::isfinite(size)) peak_ = size;
        }
    }
}

/// Shows which command's voice has this place. How many play is shown once the next piece is rendered.
void PlayerProcessor::show_voice(std::size_t index, std::uint64_t frame, ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    const Cause cause = places_.all()[index].started_by;
    context.meter(first_voice_address + index)
        .set({static_cast<double>(cause.line), static_cast<double>(cause.sequence)}, frame);
    counts_are_shown_ = false;
}

/// Shows how many voices play, if that has changed.
void PlayerProcessor::show_counts(std::uint64_t frame, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (counts_are_shown_) return;
    context.meter(voices_address).set({static_cast<double>(places_.playing()), static_cast<double>(stolen_)}, frame);
    counts_are_shown_ = true;
}

/// Shows the peaks of the window that ends before `frame`, and begins another one.
void PlayerProcessor::show_peaks(std::uint64_t frame, ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    context.meter(peak_address).set({peak_}, frame);
    const std::size_t first_slot_address = first_voice_address + voices_.size();
    for (std::size_t index = 0; index < slots_.size(); ++index) {
        PlayerSlot& slot = slots_.all()[index];
        if (slot.peak > 0 || slot.is_shown) context.meter(first_slot_address + index).set({slot.peak}, frame);
        slot.is_shown = slot.peak > 0;
        slot.peak = 0;
    }
    peak_ = 0;
    window_left_ = window_frames_;
}

}  // namespace cueline
