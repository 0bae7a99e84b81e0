// timeline.hpp: what is known of musical time at one moment: tempo, time signature, loop region.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include <cueline/ring.hpp>
#include <cueline/tempo_map.hpp>

namespace cueline {

inline constexpr double lowest_tempo = 1;            ///< quarter notes a minute
inline constexpr double highest_tempo = 1000;        ///< quarter notes a minute
inline constexpr double shortest_ramp = 0.001;       ///< beats or seconds
inline constexpr double longest_ramp = 1e6;          ///< beats or seconds
inline constexpr double shortest_loop = 0.0625;      ///< beats: a few frames at the highest tempo and any sample rate
inline constexpr double highest_beat = 1e9;          ///< to which a command can move the timeline
inline constexpr std::uint32_t most_signature = 64;  ///< of each number of a time signature

/// Musical time. Beats are quarter notes, and count from 0. The audio thread publishes a Timeline after each command
/// that changes it. Control threads read copies, and processors the original. All calls are wait-free.
struct Timeline {
    /// Runs from frame 0 at 120 quarter notes a minute, in 4/4.
    explicit constexpr Timeline(std::uint32_t its_samplerate = 48'000) noexcept CUELINE_NONBLOCKING
        : map{120 / (60.0 * its_samplerate)},
          samplerate{its_samplerate} {}

    TempoMap map;
    double bar_beat = 0;    ///< a beat at which a bar begins
    double bar_beats = 4;   ///< how many beats a bar has
    double loop_start = 0;  ///< the region that repeats. If both are 0, none does
    double loop_end = 0;
    std::uint32_t looping = 0;  ///< 1: it will come to the end of the region, and go to its start
    std::uint32_t samplerate;
    std::uint32_t signature_beats = 4;  ///< the upper number of the time signature
    std::uint32_t signature_unit = 4;   ///< the lower one

    /// Whether the beats go on. If not, the timeline was stopped.
    [[nodiscard]] constexpr bool running() const noexcept CUELINE_NONBLOCKING { return map.last().runs != 0; }

    /// Returns quarter notes a minute at `frame`.
    [[nodiscard]] constexpr double tempo_at(double frame) const noexcept CUELINE_NONBLOCKING {
        return map.speed_at(frame) * 60 * samplerate;
    }

    /// Returns the beat at `frame`, if nothing changes the timeline until then. The map keeps 64 segments: before
    /// map.first_frame(), the beat follows the rule of the oldest one.
    [[nodiscard]] constexpr double beat_at(double frame) const noexcept CUELINE_NONBLOCKING {
        const double beat = map.beat_at(frame);
        if (looping == 0 || beat < loop_end || frame < map.last().frame) return beat;
        const double rounds = (beat - loop_start) / (loop_end - loop_start);
        if (!(rounds < 0x1p53)) return loop_start;
        return beat - static_cast<double>(static_cast<std::uint64_t>(rounds)) * (loop_end - loop_start);
    }

    /// Returns the frame at which `beat` comes, if nothing changes the timeline until then, or the latest one at which
    /// it came. Returns `endless` if it does neither.
    [[nodiscard]] double frame_at(double beat) const noexcept CUELINE_NONBLOCKING {
        if (looping == 0) return map.frame_at(beat);
        if (beat >= loop_end) return endless;
        const double frame = map.frame_at(beat);
        if (frame != endless || beat < loop_start) return frame;
        return map.frame_at(beat + (loop_end - loop_start));
    }

    /// Returns the first beat that is not over at frame `now`: the beat half a frame earlier, because a beat belongs to
    /// the nearest frame. `now` is in the last segment or before it.
    [[nodiscard]] constexpr double first_beat(std::uint64_t now) const noexcept CUELINE_NONBLOCKING {
        const TempoSegment& last = map.last();
        const double frames = static_cast<double>(now) - 0.5 - last.frame;
        return frames <= 0 ? last.beat : last.beat + last.beats_in(frames);
    }

    /// Returns the same as next_line() for a timeline that goes on from `beat`, also if it goes back to the start of a
    /// loop before that line. Returns `endless` if none comes.
    [[nodiscard]] constexpr double line_to_come(double beat, double beats) const noexcept CUELINE_NONBLOCKING {
        const double next = next_line(beat, beats);
        if (looping == 0 || next < loop_end) return next;
        const double again = next_line(loop_start, beats);
        return again < loop_end ? again : next;
    }

    /// Returns the first multiple of `beats` from `beat` on. 0 stands for a bar, and bars begin at bar_beat.
    [[nodiscard]] constexpr double next_line(double beat, double beats) const noexcept CUELINE_NONBLOCKING {
        const double distance = beats == 0 ? bar_beats : beats;
        const double origin = beats == 0 ? bar_beat : 0;
        const double lines = (beat - origin) / distance;
        if (!(std::abs(lines) < 0x1p53)) return endless;  // also NaN
        auto whole = static_cast<double>(static_cast<std::int64_t>(lines));
        if (whole < lines) whole += 1;
        const double next = origin + whole * distance;
        return next > 0 ? next : 0;
    }
};

static_assert(std::is_trivially_copyable_v<Timeline> &&
                  sizeof(Timeline) == sizeof(TempoMap) + 4 * sizeof(double) + 4 * sizeof(std::uint32_t),
              "a timeline is published in whole words, without padding");

/// The timeline of a processor that runs without one.
inline constexpr Timeline default_timeline{};

}  // namespace cueline
