// transport.cpp: moves the timeline. Each change begins a new segment of its map.
#include "engine/transport.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>

namespace cueline {

namespace {

bool is_from_to(double value, double least, double most) noexcept CUELINE_NONBLOCKING {
    return value >= least && value <= most;  // NaN is not
}

/// Returns 0 for -0, and for a denormal number, which a block takes for 0 and other threads do not.
double settled(double value) noexcept CUELINE_NONBLOCKING {
    return std::abs(value) < std::numeric_limits<double>::min() ? 0 : value;
}

bool is_tempo(double tempo) noexcept CUELINE_NONBLOCKING {
    return is_from_to(tempo, lowest_tempo, highest_tempo);
}

}  // namespace

void Transport::set_samplerate(std::uint32_t samplerate, std::uint64_t frame) noexcept {
    if (samplerate == timeline_.samplerate) return;
    TempoSegment segment = segment_from(point(frame));
    const double ratio = static_cast<double>(timeline_.samplerate) / samplerate;
    segment.speed *= ratio;
    segment.end_speed *= ratio;
    segment.ramp_frames /= ratio;
    timeline_.samplerate = samplerate;
    begin(segment);
}

double Transport::beat_of(const Message& command, std::uint64_t now) const noexcept CUELINE_NONBLOCKING {
    const double beats = settled(std::bit_cast<double>(command.frame));
    if (!is_from_to(beats, 0, std::numeric_limits<double>::max())) return -1;
    if ((command.flags & delivery::grid) == 0) return beats;
    const double next = timeline_.line_to_come(first_beat(now), beats);
    return next < endless ? next : -1;
}

BeatComes Transport::comes(double beat, std::uint64_t now) const noexcept CUELINE_NONBLOCKING {
    if (beat < first_beat(now)) return loops() && beat >= timeline_.loop_start ? BeatComes::later : BeatComes::never;
    return nearest_frame(exact_frame(beat)) <= now ? BeatComes::now : BeatComes::later;
}

double Transport::exact_frame(double beat) const noexcept CUELINE_NONBLOCKING {
    if (loops() && beat >= timeline_.loop_end) return endless;
    // It comes less than half a frame before the last segment, at the same frame, even if the timeline stands there.
    if (beat < last().beat) return last().frame;
    return last().frame + last().frames_in(beat - last().beat);
}

std::uint64_t Transport::loop() noexcept CUELINE_NONBLOCKING {
    TempoSegment segment = segment_from({.frame = exact_loop_frame(), .beat = timeline_.loop_end});
    segment.beat = timeline_.loop_start;
    begin(segment);
    return std::bit_cast<std::uint64_t>(segment.beat);
}

TimelinePoint Transport::point(std::uint64_t now) const noexcept CUELINE_NONBLOCKING {
    // The last segment may have begun between this frame and the next one.
    const double frames = std::max(0.0, static_cast<double>(now) - last().frame);
    return {.frame = last().frame + frames, .beat = last().beat + last().beats_in(frames)};
}

TempoSegment Transport::segment_from(TimelinePoint point) const noexcept CUELINE_NONBLOCKING {
    if (point.frame <= last().frame) return last();
    TempoSegment segment = last().from(point.frame - last().frame);
    segment.frame = point.frame;
    segment.beat = point.beat;
    return segment;
}

void Transport::begin(const TempoSegment& segment) noexcept CUELINE_NONBLOCKING {
    if (segment.frame <= last().frame) {
        timeline_.map.replace_last(segment);  // the last one has no frames
    } else {
        timeline_.map.push(segment);
    }
    changed_ = true;
}

void Transport::find_whether_it_loops(double beat) noexcept CUELINE_NONBLOCKING {
    timeline_.looping = beat < timeline_.loop_end ? 1 : 0;
    jumped_ = true;
}

bool Transport::apply(const Message& command, TimelinePoint point) noexcept CUELINE_NONBLOCKING {
    TempoSegment segment = segment_from(point);
    switch (command.kind) {
        case kind::set_tempo: {
            const auto [tempo] = command.as<SetTempo>();
            if (!is_tempo(tempo)) return false;
            segment.speed = segment.end_speed = speed_of(tempo);
            segment.ramp_beats = segment.ramp_frames = 0;
            break;
        }
        case kind::ramp_tempo:
            if (!ramp(segment, command.as<RampTempo>())) return false;
            break;
        case kind::set_signature:
            return set_signature(command.as<SetSignature>(), segment.beat);
        case kind::start_timeline:
        case kind::stop_timeline: {
            const std::uint32_t runs = command.kind == kind::start_timeline ? 1 : 0;
            if (segment.runs == runs) return true;
            segment.runs = runs;
            break;
        }
        case kind::locate: {
            const double beat = settled(command.as<Locate>().beat);
            if (!is_from_to(beat, 0, highest_beat)) return false;
            segment.beat = beat;
            find_whether_it_loops(segment.beat);
            break;
        }
        case kind::set_loop:
            return set_loop(command.as<SetLoop>(), segment.beat);
        default:
            return false;
    }
    begin(segment);
    return true;
}

bool Transport::ramp(TempoSegment& segment, const RampTempo& ramp) const noexcept CUELINE_NONBLOCKING {
    if (!is_tempo(ramp.tempo) || !is_from_to(ramp.length, shortest_ramp, longest_ramp)) return false;
    if (ramp.over != RampOver::beats && ramp.over != RampOver::seconds) return false;
    const double unit = ramp.over == RampOver::beats ? 1 : timeline_.samplerate;
    const std::uint32_t runs = segment.runs;
    segment = TempoSegment::ramp(segment.frame, segment.beat, segment.speed, speed_of(ramp.tempo), ramp.length * unit,
                                 ramp.over);
    segment.runs = runs;
    return true;
}

bool Transport::set_signature(const SetSignature& signature, double beat) noexcept CUELINE_NONBLOCKING {
    const auto [beats, unit] = signature;
    const bool is_power_of_two = unit != 0 && (unit & (unit - 1)) == 0;  // std::has_single_bit() may be a call
    if (!is_power_of_two || unit > most_signature || beats == 0 || beats > most_signature) return false;
    timeline_.signature_beats = beats;
    timeline_.signature_unit = unit;
    timeline_.bar_beats = 4.0 * beats / unit;
    timeline_.bar_beat = beat;
    changed_ = true;
    return true;
}

bool Transport::set_loop(const SetLoop& loop, double beat) noexcept CUELINE_NONBLOCKING {
    const double start = settled(loop.start);
    const double end = settled(loop.end);
    const bool is_region = is_from_to(start, 0, highest_beat) && is_from_to(end, start + shortest_loop, highest_beat);
    if (!is_region && (start != 0 || end != 0)) return false;
    timeline_.loop_start = start;
    timeline_.loop_end = end;
    find_whether_it_loops(beat);
    changed_ = true;
    return true;
}

std::uint64_t Transport::frame_or_0(double beat) const noexcept CUELINE_NONBLOCKING {
    const std::uint64_t frame = nearest_frame(timeline_.frame_at(beat));
    return frame <= max_frame ? frame : 0;
}

}  // namespace cueline
