// tempo_map.hpp: the map between frames and beats: where the tempo changes, and how.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <cueline/exponential.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// The frame of a beat that never comes.
inline constexpr double endless = std::numeric_limits<double>::infinity();

/// Whether a ramp changes the tempo evenly over beats or over seconds.
enum class RampOver : std::uint32_t { beats = 0, seconds = 1 };  // NOLINT(performance-enum-size): a field of 4 bytes

/// A part of the map with one rule: a ramp of the tempo, and after it a constant one. Everything follows in closed form
/// from where it begins: there is no running sum.
struct TempoSegment {
    double frame = 0;        ///< where it begins
    double beat = 0;         ///< the beat there
    double speed = 0;        ///< beats per frame there
    double end_speed = 0;    ///< after the ramp
    double ramp_beats = 0;   ///< the ramp's length in beats. 0: there is no ramp
    double ramp_frames = 0;  ///< the ramp's length in frames
    std::uint32_t runs = 1;  ///< 0: the beat stands still, and so does the ramp
    RampOver over = RampOver::beats;

    /// Returns a segment that begins at this frame and beat, and changes its speed evenly over so many beats or frames.
    [[nodiscard]] static TempoSegment ramp(double frame, double beat, double speed, double end_speed, double length,
                                           RampOver over) noexcept CUELINE_NONBLOCKING {
        TempoSegment segment{.frame = frame, .beat = beat, .speed = speed, .end_speed = end_speed, .over = over};
        if (over == RampOver::seconds) {
            segment.ramp_frames = length;
            segment.ramp_beats = length * (speed + end_speed) / 2;
        } else {
            segment.ramp_beats = length;
            const double change = end_speed - speed;
            segment.ramp_frames = change == 0 ? length / speed : length * log1p(change / speed) / change;
        }
        return segment;
    }

    /// How much the speed changes in a beat or a frame of the ramp.
    [[nodiscard]] constexpr double slope() const noexcept CUELINE_NONBLOCKING {
        return (end_speed - speed) / (over == RampOver::beats ? ramp_beats : ramp_frames);
    }

    /// How many beats pass in the first `frames`.
    [[nodiscard]] constexpr double beats_in(double frames) const noexcept CUELINE_NONBLOCKING {
        if (runs == 0) return 0;
        if (frames >= ramp_frames) return ramp_beats + (frames - ramp_frames) * end_speed;
        if (end_speed == speed) return frames * speed;
        // The speed is a line over the beats: d(beats)/d(frames) = speed + slope beats.
        if (over == RampOver::beats) return speed / slope() * expm1(slope() * frames);
        return frames * (speed + slope() * frames / 2);
    }

    /// How many frames the first `beats` take.
    [[nodiscard]] double frames_in(double beats) const noexcept CUELINE_NONBLOCKING {
        if (runs == 0) return endless;
        if (beats >= ramp_beats) return ramp_frames + (beats - ramp_beats) / end_speed;
        if (end_speed == speed) return beats / speed;
        if (over == RampOver::beats) return log1p(slope() * beats / speed) / slope();
        // The root of a square equation, in the form that subtracts no equal numbers.
        return 2 * beats / (speed + std::sqrt(std::max(0.0, speed * speed + 2 * slope() * beats)));
    }

    /// Returns the speed after so many frames. If the beat stands still, returns the speed with which it will go on.
    [[nodiscard]] constexpr double speed_after(double frames) const noexcept CUELINE_NONBLOCKING {
        if (runs == 0 || end_speed == speed) return speed;
        if (frames >= ramp_frames) return end_speed;
        return speed + slope() * (over == RampOver::beats ? beats_in(frames) : frames);
    }

    /// Returns the same rule from `frames` further on, as a segment that begins there.
    [[nodiscard]] constexpr TempoSegment from(double frames) const noexcept CUELINE_NONBLOCKING {
        TempoSegment rest = *this;
        rest.frame = frame + frames;
        if (runs == 0) return rest;
        const double beats = beats_in(frames);
        rest.beat = beat + beats;
        const bool ended = frames >= ramp_frames || beats >= ramp_beats;
        rest.speed = end_speed;
        if (!ended && end_speed != speed) rest.speed = speed + slope() * (over == RampOver::beats ? beats : frames);
        rest.ramp_beats = ended ? 0 : ramp_beats - beats;
        rest.ramp_frames = ended ? 0 : ramp_frames - frames;
        return rest;
    }
};

/// The last segments of a timeline, at most 64, in the order of their frames. The last one has no end. Wait-free.
class TempoMap {
  public:
    static constexpr std::size_t capacity = 64;

    /// A map with one segment, from frame 0 and beat 0 on, at `speed` beats per frame.
    explicit constexpr TempoMap(double speed = 1) noexcept CUELINE_NONBLOCKING {
        ring_[0].speed = ring_[0].end_speed = speed;
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept CUELINE_NONBLOCKING { return size_; }
    [[nodiscard]] constexpr const TempoSegment& last() const noexcept CUELINE_NONBLOCKING { return (*this)[size_ - 1]; }
    [[nodiscard]] constexpr const TempoSegment& operator[](std::size_t index) const noexcept CUELINE_NONBLOCKING {
        return ring_[(begin_ + index) % capacity];
    }

    /// Adds a segment. It begins at or after the last one. If there are 64, the first one is forgotten.
    constexpr void push(const TempoSegment& segment) noexcept CUELINE_NONBLOCKING {
        ring_[(begin_ + size_) % capacity] = segment;
        if (size_ < capacity) {
            ++size_;
        } else {
            begin_ = (begin_ + 1) % capacity;
        }
    }

    /// Puts another segment in the place of the last one.
    constexpr void replace_last(const TempoSegment& segment) noexcept CUELINE_NONBLOCKING {
        ring_[(begin_ + size_ - 1) % capacity] = segment;
    }

    /// The frame from which on the map has beats.
    [[nodiscard]] constexpr double first_frame() const noexcept CUELINE_NONBLOCKING { return (*this)[0].frame; }

    /// Returns the segment that has `frame`. Before the first one, that is the first one.
    [[nodiscard]] constexpr const TempoSegment& at(double frame) const noexcept CUELINE_NONBLOCKING {
        std::size_t index = size_ - 1;
        while (index > 0 && (*this)[index].frame > frame) --index;
        return (*this)[index];
    }

    [[nodiscard]] constexpr double beat_at(double frame) const noexcept CUELINE_NONBLOCKING {
        const TempoSegment& segment = at(frame);
        return segment.beat + segment.beats_in(frame - segment.frame);
    }

    /// Returns beats per frame. Where the timeline stands still, returns those with which it would go on.
    [[nodiscard]] constexpr double speed_at(double frame) const noexcept CUELINE_NONBLOCKING {
        const TempoSegment& segment = at(frame);
        return segment.speed_after(frame - segment.frame);
    }

    /// Returns the last frame of the map that has `beat`. Returns `endless` for a beat that was skipped, or that the
    /// timeline does not reach because it stands still.
    [[nodiscard]] double frame_at(double beat) const noexcept CUELINE_NONBLOCKING {
        for (std::size_t index = size_; index > 0; --index) {
            const TempoSegment& segment = (*this)[index - 1];
            if (beat == segment.beat) return segment.frame;
            if (beat < segment.beat || segment.runs == 0) continue;
            const double frame = segment.frame + segment.frames_in(beat - segment.beat);
            if (index == size_ || frame < (*this)[index].frame) return frame;
        }
        return endless;
    }

  private:
    std::array<TempoSegment, capacity> ring_{};
    std::uint64_t begin_ = 0;  // where the first one is
    std::uint64_t size_ = 1;
};

static_assert(std::is_trivially_copyable_v<TempoMap> && sizeof(TempoSegment) == 56,
              "a map is published in whole words, without padding");

/// Returns the frame that is nearest to `frame`, which may be `endless`.
constexpr std::uint64_t nearest_frame(double frame) noexcept CUELINE_NONBLOCKING {
    constexpr double end = 0x1p63;
    if (!(frame < end)) return std::numeric_limits<std::uint64_t>::max();
    if (frame <= 0) return 0;
    const auto below = static_cast<std::uint64_t>(frame);
    return frame - static_cast<double>(below) < 0.5 ? below : below + 1;
}

}  // namespace cueline
