// looper_processor.cpp: obeys the commands, and renders the voices, frame by frame.
#include "looper_processor.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <cueline/visit.hpp>

namespace looper {

namespace {

constexpr std::uint32_t fades_a_second = 200;   // 5 ms each
constexpr std::uint32_t windows_a_second = 50;  // one meter reading per window
constexpr double low_hz = 250;
constexpr double mid_hz = 2'500;
constexpr float loudest = 1e6F;  // louder samples, NaN and infinities of a buffer become 0: they would stay in a filter

constexpr cueline::ParameterSpec knob(std::string_view name, double highest) {
    return {.name = name, .highest = highest, .default_value = 1, .unit = {}, .count = LooperProcessor::pads};
}
constexpr std::array<cueline::ParameterSpec, LooperProcessor::knobs + 1> parameter_specs{
    {knob("gain", 1),
     knob("speed", LooperProcessor::shortest_loop),
     knob("low", 2),
     knob("mid", 2),
     knob("high", 2),
     {.name = "exclusive", .unit = {}, .ramp_s = 0}}};
constexpr std::array<std::string_view, 2> pad_fields{"peak", "playhead"};
constexpr std::array<cueline::MeterSpec, 1> meter_specs{
    {{.name = "pads", .unit = {}, .fields = pad_fields, .count = LooperProcessor::pads}}};
// A Start is missing: only the processor schedules it.
constexpr std::array<cueline::Kind, 6> own_kinds{LoadPad::kind,  UnloadPad::kind, SetLoop::kind,
                                                 SetStems::kind, Trigger::kind,   StopPads::kind};

/// Why a command is refused. Python finds the name in a RefusedError.
enum class Why : std::uint32_t {  // NOLINT(*-enum-size): as sent
    no_such_pad = cueline::first_own_reason,
    pad_is_empty,
    bad_stems,
    bad_loop,
    superseded,
};
constexpr std::array<std::string_view, 5> reason_names{
    "there is no such pad", "the pad is empty",
    "a stem is not loaded, or the pad has none, or one is shorter than 4 frames",
    "the loop is shorter than 4 frames, or ends behind the stems", "another command took the trigger's place"};

/// The step of a one-pole low-pass: the part of the way to its input that it goes in a frame.
float step_of(double hertz, double samplerate) {
    return static_cast<float>(1 - std::exp(-2 * std::numbers::pi * hertz / samplerate));
}

/// The next frame that is a multiple of `grid`, which may be `now`.
std::uint64_t on_grid(std::uint64_t now, std::uint32_t grid) noexcept CUELINE_NONBLOCKING {
    return grid == 0 ? now : (now + grid - 1) / grid * grid;
}

void release(const auto& stems, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (const cueline::BufferHandle stem : stems) context.release_buffer(stem);
}

void forget_trigger(cueline::Cause& waiting, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (waiting.sequence != 0) context.cancel(std::exchange(waiting, {}));
}

}  // namespace

std::span<const cueline::ParameterSpec> LooperProcessor::parameters() const {
    return parameter_specs;
}

std::span<const cueline::MeterSpec> LooperProcessor::meters() const {
    return meter_specs;
}

std::optional<std::span<const cueline::Kind>> LooperProcessor::kinds() const {
    return own_kinds;
}

std::span<const std::string_view> LooperProcessor::reasons() const {
    return reason_names;
}

void LooperProcessor::reset() {
    pads_ = {};
    voices_ = {};
    starts_ = 0;
}

void LooperProcessor::prepare(const cueline::Format& format) {
    fade_frames_ = std::max<std::uint32_t>(1, format.samplerate / fades_a_second);
    window_frames_ = std::max<std::uint32_t>(1, format.samplerate / windows_a_second);
    low_step_ = step_of(low_hz, format.samplerate);
    mid_step_ = step_of(mid_hz, format.samplerate);
    for (Voice& voice : voices_) voice.jumped = voice.jumped || voice.fade_left > 0;
}

cueline::Outcome LooperProcessor::handle(const cueline::Message& command, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    using cueline::Outcome;
    const std::uint64_t now = context.events().frame();
    const auto obey = cueline::Overloaded{
        [&](const LoadPad& wanted) noexcept CUELINE_NONBLOCKING { return load(wanted, context); },
        [&](const UnloadPad& wanted) noexcept CUELINE_NONBLOCKING {
            stop(wanted.pad, 1, Reason::unloaded, context);
            release(std::exchange(pads_[wanted.pad].stems, {}), context);
            pads_[wanted.pad].frames = 0;
            return Outcome::applied();
        },
        [&](const SetLoop& wanted) noexcept CUELINE_NONBLOCKING { return move_loop(wanted); },
        [&](const SetStems& wanted) noexcept CUELINE_NONBLOCKING {
            pads_[wanted.pad].mask = wanted.mask;
            jump(wanted.pad);
            return Outcome::applied();
        },
        [&](const Trigger& wanted) noexcept CUELINE_NONBLOCKING -> Outcome {
            cueline::Cause& waiting = pads_[wanted.pad].waiting;
            forget_trigger(waiting, context);
            const std::uint64_t frame = on_grid(now, wanted.grid);
            if (frame == now) return start(wanted.pad, command, context);
            const auto scheduled = context.schedule(cueline::Message::of(Start{wanted.pad}), frame);
            if (scheduled == cueline::Scheduled::ok) waiting = command;
            return scheduled;
        },
        [&](const Start& wanted) noexcept CUELINE_NONBLOCKING {
            // The engine limits how many commands a block cancels. Beyond that, a forgotten trigger still comes here.
            if (pads_[wanted.pad].waiting != command) return Outcome::refused(Why::superseded);
            pads_[wanted.pad].waiting = {};
            return start(wanted.pad, command, context);
        },
        [&](const StopPads& wanted) noexcept CUELINE_NONBLOCKING -> Outcome {
            const std::uint64_t frame = on_grid(now, wanted.grid);
            if (frame == now) return Outcome::applied(stop(wanted.pad, wanted.count, Reason::stopped, context));
            return context.schedule(cueline::Message::of(StopPads{.pad = wanted.pad, .count = wanted.count, .grid = 0}),
                                    frame);
        },
    };
    const auto obey_if_there_are_such = [&](const auto& wanted) noexcept CUELINE_NONBLOCKING -> Outcome {
        std::uint32_t count = 1;
        if constexpr (requires { wanted.count; }) count = wanted.count;
        if (wanted.pad < pads && count <= pads - wanted.pad) return obey(wanted);
        discarded(command, context);
        return Outcome::refused(Why::no_such_pad);
    };
    return cueline::Messages<LoadPad, UnloadPad, SetLoop, SetStems, Trigger, Start, StopPads>::visit(
        command, obey_if_there_are_such);
}

/// A load that will not happen gives its stems back, and nothing waits for a trigger that will not sound.
void LooperProcessor::discarded(const cueline::Message& command, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    if (command.kind == LoadPad::kind) release(command.as<LoadPad>().stems, context);
    if (command.kind != Start::kind || command.as<Start>().pad >= pads) return;
    Pad& pad = pads_[command.as<Start>().pad];
    if (pad.waiting == command) pad.waiting = {};
}

/// The processor owns the stems from now on, even if it refuses the command.
cueline::Outcome LooperProcessor::load(const LoadPad& wanted, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    std::uint32_t frames = ~0U;
    for (const cueline::BufferHandle stem : wanted.stems) {
        if (stem == 0) continue;
        const cueline::Buffer* const buffer = context.loaded_buffer(stem);
        frames = buffer == nullptr ? 0 : std::min(frames, buffer->frames);
    }
    if (frames == ~0U || frames < shortest_loop) {
        release(wanted.stems, context);
        return cueline::Outcome::refused(Why::bad_stems);
    }
    Pad& pad = pads_[wanted.pad];
    release(std::exchange(pad.stems, wanted.stems), context);
    pad.frames = pad.end = frames;
    pad.start = 0;
    jump(wanted.pad);
    return true;
}

cueline::Outcome LooperProcessor::move_loop(const SetLoop& wanted) noexcept CUELINE_NONBLOCKING {
    Pad& pad = pads_[wanted.pad];
    if (pad.frames == 0) return cueline::Outcome::refused(Why::pad_is_empty);
    const std::uint32_t end = wanted.end == 0 ? pad.frames : wanted.end;
    if (end > pad.frames || end < shortest_loop || wanted.start > end - shortest_loop) {
        return cueline::Outcome::refused(Why::bad_loop);
    }
    pad.start = wanted.start;
    pad.end = end;
    for (const Voice& voice : voices_) {
        if (voice.plays && voice.pad == wanted.pad && voice.position >= end) jump(wanted.pad);
    }
    return true;
}

cueline::Outcome LooperProcessor::start(std::uint32_t number, const cueline::Message& command,
                                        cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    if (pads_[number].frames == 0) return cueline::Outcome::refused(Why::pad_is_empty);
    const bool exclusive = context.parameter(address_of(knobs, 0)).target() > 0.5;
    for (Voice& voice : voices_) {
        if (exclusive && voice.plays && voice.pad != number) end(voice, Reason::exclusive, context);
    }
    Voice& voice = voice_for(number);
    if (voice.plays) end(voice, voice.pad == number ? Reason::triggered : Reason::stolen, context);
    if (!voice.sounds() || voice.pad != number) {  // the pad is silent, so a jump of its parameters is not heard
        for (std::size_t knob = 0; knob < knobs; ++knob) {
            cueline::Parameter& parameter = context.parameter(address_of(knob, number));
            parameter.jump_to(parameter.target());
        }
    }
    if (voice.sounds() && voice.pad != number) {
        context.meter(voice.pad).set({0, 0}, context.events().frame());
        voice.peak = 0;
    }
    voice.jumped = voice.sounds();
    voice.attacks = true;
    voice.plays = true;
    voice.pad = number;
    voice.position = pads_[number].start;
    voice.started = ++starts_;
    voice.trigger = command;
    voice.isolators = {};
    return cueline::Outcome::applied(static_cast<std::uint32_t>(&voice - voices_.data()));
}

/// Stops these pads, and cancels their triggers. Returns how many played.
std::uint32_t LooperProcessor::stop(std::uint32_t first, std::uint32_t count, Reason reason,
                                    cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    for (std::uint32_t pad = first; pad < first + count; ++pad) forget_trigger(pads_[pad].waiting, context);
    std::uint32_t stopped = 0;
    for (Voice& voice : voices_) {
        if (!voice.plays || voice.pad < first || voice.pad - first >= count) continue;
        end(voice, reason, context);
        ++stopped;
    }
    return stopped;
}

void LooperProcessor::end(Voice& voice, Reason reason, cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    voice.plays = false;
    voice.jumped = true;
    voice.attacks = false;
    context.events().send_at(context.events().frame(), PadEnded::kind,
                             PadEnded{.pad = voice.pad, .reason = static_cast<std::uint32_t>(reason)}, voice.trigger);
}

/// If the pad plays, its sound changes without a click. If its playhead is behind the loop, it goes to the loop's
/// start.
void LooperProcessor::jump(std::uint32_t number) noexcept CUELINE_NONBLOCKING {
    for (Voice& voice : voices_) {
        if (!voice.plays || voice.pad != number) continue;
        voice.jumped = true;
        voice.attacks = false;
        if (voice.position >= pads_[number].end) voice.position = pads_[number].start;
    }
}

/// The pad's own voice; otherwise a free one, one that fades, one that plays: of those, the one that started first.
LooperProcessor::Voice& LooperProcessor::voice_for(std::uint32_t number) noexcept CUELINE_NONBLOCKING {
    const auto worth = [number](const Voice& voice) noexcept CUELINE_NONBLOCKING {
        if (!voice.sounds()) return std::pair{1, std::uint64_t{0}};
        if (voice.pad == number) return std::pair{0, std::uint64_t{0}};
        return std::pair{voice.plays ? 3 : 2, voice.started};
    };
    return *std::ranges::min_element(voices_, {}, worth);
}

void LooperProcessor::render(const cueline::AudioBlock& block, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
        std::ranges::fill(block.output(channel), 0.0F);
    }
    std::uint32_t first = 0;
    while (first < block.frames) {
        const std::uint64_t left = window_frames_ - (block.frame + first) % window_frames_;
        const auto frames = static_cast<std::uint32_t>(std::min<std::uint64_t>(block.frames - first, left));
        for (Voice& voice : voices_) {
            if (voice.sounds()) render(voice, block, first, frames, context);
        }
        first += frames;
        if (frames < left) continue;
        for (Voice& voice : voices_) {
            if (!voice.sounds()) continue;
            context.meter(voice.pad).set({voice.peak, voice.plays ? voice.position : 0}, block.frame + first);
            voice.peak = 0;
        }
    }
}

void LooperProcessor::render(Voice& voice, const cueline::AudioBlock& block, std::uint32_t first, std::uint32_t frames,
                             cueline::ProcessContext& context) noexcept CUELINE_NONBLOCKING {
    const auto parameter = [&](std::size_t knob) noexcept
        CUELINE_NONBLOCKING -> const cueline::Parameter& { return context.parameter(address_of(knob, voice.pad)); };
    const auto levels_at = [&](std::uint32_t frame) noexcept CUELINE_NONBLOCKING -> Levels {
        const auto level = [&](Knob knob) noexcept
            CUELINE_NONBLOCKING { return static_cast<float>(parameter(knob).at(frame)); };
        return {.gain = level(gain),
                .speed = parameter(speed).at(frame),
                .low = level(low),
                .mid = level(mid),
                .high = level(high)};
    };
    bool moves = false;
    for (std::size_t knob = 0; knob < knobs; ++knob) moves = moves || parameter(knob).moves();
    const Sources sources = sources_of(pads_[voice.pad], context);
    const std::size_t sides = std::min<std::size_t>(block.outputs.size(), 2);
    Levels levels = levels_at(first);
    for (std::uint32_t frame = first; frame < first + frames; ++frame) {
        if (moves) levels = levels_at(frame);
        const Stereo heard = faded(voice, voice.plays ? next_sample(voice, sources, levels) : Stereo{});
        for (std::size_t side = 0; side < sides; ++side) block.outputs[side][frame] += heard[side];
        if (voice.sounds()) continue;
        voice.last = {};
        voice.peak = 0;
        context.meter(voice.pad).set({0, 0}, block.frame + frame + 1);
        return;
    }
}

LooperProcessor::Sources LooperProcessor::sources_of(const Pad& pad, cueline::ProcessContext& context) noexcept
    CUELINE_NONBLOCKING {
    Sources sources;
    for (std::size_t stem = 0; stem < stems; ++stem) {
        const cueline::Buffer* const buffer = context.loaded_buffer(pad.stems[stem]);
        if (buffer != nullptr && (pad.mask >> stem & 1U) == 1) sources.buffers[sources.count++] = buffer;
    }
    return sources;
}

/// Returns the sample with what fades of the one before the last jump.
LooperProcessor::Stereo LooperProcessor::faded(Voice& voice, Stereo heard) const noexcept CUELINE_NONBLOCKING {
    if (voice.jumped) voice.fade_left = fade_frames_;
    const float part = static_cast<float>(voice.fade_left) / static_cast<float>(fade_frames_);
    for (std::size_t side = 0; side < heard.size(); ++side) {
        if (voice.jumped) voice.tail[side] = voice.last[side] - (voice.attacks ? 0 : heard[side]);
        if (voice.fade_left > 0) heard[side] += voice.tail[side] * part;
        voice.peak = std::max(voice.peak, std::abs(heard[side]));
    }
    voice.last = heard;
    voice.jumped = false;
    if (voice.fade_left > 0) --voice.fade_left;
    return heard;
}

LooperProcessor::Stereo LooperProcessor::Sources::at(std::uint32_t frame) const noexcept CUELINE_NONBLOCKING {
    Stereo sum{};
    for (std::size_t number = 0; number < count; ++number) {
        const cueline::Buffer& buffer = *buffers[number];
        sum[0] += buffer.sample(frame, 0);
        sum[1] += buffer.sample(frame, buffer.channels == 1 ? 0 : 1);
    }
    return sum;
}

/// Returns the sample at the playhead, and moves it.
LooperProcessor::Stereo LooperProcessor::next_sample(Voice& voice, const Sources& sources,
                                                     const Levels& levels) const noexcept CUELINE_NONBLOCKING {
    const Pad& pad = pads_[voice.pad];
    const auto frame = static_cast<std::uint32_t>(voice.position);
    const auto part = static_cast<float>(voice.position - frame);
    Stereo heard = sources.at(frame);
    const Stereo next = sources.at(frame + 1 < pad.end ? frame + 1 : pad.start);
    for (std::size_t side = 0; side < heard.size(); ++side) {
        const float sample = heard[side] + (next[side] - heard[side]) * part;
        const bool sound = std::abs(sample) <= loudest;  // false for NaN
        heard[side] = isolated(voice.isolators[side], sound ? sample : 0, levels) * levels.gain;
    }
    voice.position += levels.speed;
    if (voice.position >= pad.end) voice.position -= pad.end - pad.start;
    return heard;
}

float LooperProcessor::isolated(Isolator& isolator, float sample, const Levels& levels) const noexcept
    CUELINE_NONBLOCKING {
    isolator.low1 += low_step_ * (sample - isolator.low1);
    isolator.low2 += low_step_ * (isolator.low1 - isolator.low2);
    const float rest = sample - isolator.low2;
    isolator.mid1 += mid_step_ * (rest - isolator.mid1);
    isolator.mid2 += mid_step_ * (isolator.mid1 - isolator.mid2);
    // Differences from 1: at levels of 1, this is the sample, bit for bit.
    return sample + (levels.low - 1) * isolator.low2 + (levels.mid - 1) * isolator.mid2 +
           (levels.high - 1) * (rest - isolator.mid2);
}

}  // namespace looper
