// transport.hpp: moves the timeline: carries out its commands, and says when beats come.
#pragma once

#include <bit>
#include <cstdint>

#include <cueline/engine_messages.hpp>
#include <cueline/message.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/timeline.hpp>

namespace cueline {

/// A point of the timeline, exact to a fraction of a frame.
struct TimelinePoint {
    double frame = 0;
    double beat = 0;
};

/// What becomes of a cue when its beat is read.
enum class BeatComes : std::uint8_t { later, now, never };

/// The timeline, and what only the audio thread needs of it. The audio thread owns it. Calls are wait-free.
class Transport {
  public:
    [[nodiscard]] const Timeline& timeline() const noexcept CUELINE_NONBLOCKING { return timeline_; }

    /// The next frames have this sample rate. The tempo stays. [while no block runs]
    void set_samplerate(std::uint32_t samplerate, std::uint64_t frame) noexcept;

    /// Publishes the timeline if it has changed since the last call.
    void publish_changes(Seqlock<Timeline>& published) noexcept CUELINE_NONBLOCKING {
        if (!changed_) return;
        changed_ = false;
        published.write(timeline_);
    }

    /// Whether a region repeats, and the timeline comes to its end.
    [[nodiscard]] bool loops() const noexcept CUELINE_NONBLOCKING { return timeline_.looping != 0; }

    [[nodiscard]] double first_beat(std::uint64_t now) const noexcept CUELINE_NONBLOCKING {
        return timeline_.first_beat(now);
    }

    /// The beat at which `command` applies, whose flags say that it has one. Negative if its bits are none.
    [[nodiscard]] double beat_of(const Message& command, std::uint64_t now) const noexcept CUELINE_NONBLOCKING;

    /// Whether `beat` comes, if nothing changes.
    [[nodiscard]] BeatComes comes(double beat, std::uint64_t now) const noexcept CUELINE_NONBLOCKING;

    /// Where `beat` comes, which is not over; `endless` if nothing leads there.
    [[nodiscard]] double exact_frame(double beat) const noexcept CUELINE_NONBLOCKING;

    /// The bits of the beat below which the passed beats do not come again.
    [[nodiscard]] std::uint64_t never_again_below() const noexcept CUELINE_NONBLOCKING {
        return std::bit_cast<std::uint64_t>(loops() ? timeline_.loop_start : endless);
    }

    /// The frame at which the region begins again.
    [[nodiscard]] std::uint64_t loop_frame() const noexcept CUELINE_NONBLOCKING {
        return loops() ? nearest_frame(exact_loop_frame()) : nearest_frame(endless);
    }

    /// Begins the region again. Call it at loop_frame(). Returns the bits of the beat where the timeline is now.
    std::uint64_t loop() noexcept CUELINE_NONBLOCKING;

    /// The point of a beat that comes now, at exact_frame(): so many changes of the tempo add up no error.
    [[nodiscard]] TimelinePoint point_of(double beat, double exact) const noexcept CUELINE_NONBLOCKING {
        const TimelinePoint point{.frame = exact, .beat = beat};
        return point.frame < last().frame ? TimelinePoint{.frame = last().frame, .beat = last().beat} : point;
    }

    /// The point at `now`, for a command that has no beat of its own.
    [[nodiscard]] TimelinePoint point(std::uint64_t now) const noexcept CUELINE_NONBLOCKING;

    /// Carries out a command of the timeline, at `point`. Returns false, and does nothing, for wrong values.
    [[nodiscard]] bool apply(const Message& command, TimelinePoint point) noexcept CUELINE_NONBLOCKING;

    /// Whether a command has moved the timeline to another beat, or changed the region, since the last call.
    [[nodiscard]] bool take_jumped() noexcept CUELINE_NONBLOCKING {
        const bool jumped = jumped_;
        jumped_ = false;
        return jumped;
    }

    /// Where `beat` is in the timeline, as a frame that a message can carry. 0 if it is nowhere.
    [[nodiscard]] std::uint64_t frame_or_0(double beat) const noexcept CUELINE_NONBLOCKING;

  private:
    [[nodiscard]] const TempoSegment& last() const noexcept CUELINE_NONBLOCKING { return timeline_.map.last(); }
    [[nodiscard]] double exact_loop_frame() const noexcept CUELINE_NONBLOCKING {
        return last().frame + last().frames_in(timeline_.loop_end - last().beat);
    }
    [[nodiscard]] double speed_of(double tempo) const noexcept CUELINE_NONBLOCKING {
        return tempo / (60.0 * timeline_.samplerate);
    }
    [[nodiscard]] TempoSegment segment_from(TimelinePoint point) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool ramp(TempoSegment& segment, const RampTempo& ramp) const noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool set_signature(const SetSignature& signature, double beat) noexcept CUELINE_NONBLOCKING;
    [[nodiscard]] bool set_loop(const SetLoop& loop, double beat) noexcept CUELINE_NONBLOCKING;
    void begin(const TempoSegment& segment) noexcept CUELINE_NONBLOCKING;
    void find_whether_it_loops(double beat) noexcept CUELINE_NONBLOCKING;

    Timeline timeline_;
    bool changed_ = true;
    bool jumped_ = false;
};

}  // namespace cueline
