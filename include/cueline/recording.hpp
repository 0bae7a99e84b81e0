// recording.hpp: samples from the audio thread to a control thread, with a frame of the engine on each of them.
//
// If the ring is full, the newest frames are lost. A mark in a ring of its own says at which frame the next ones begin.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <cueline/ring.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/span_ring.hpp>
#include <cueline/stream.hpp>

namespace cueline {

/// What the audio thread publishes about a recording at the end of a block: frame - first = recorded + lost.
struct RecordingState {
    std::uint64_t first = 0;     ///< frame of the engine at which it began
    std::uint64_t frame = 0;     ///< frame of the engine up to which it recorded
    std::uint64_t recorded = 0;  ///< frames that the ring took
    std::uint64_t lost = 0;      ///< frames for which the ring had no room
    StreamPhase phase = StreamPhase::idle;
};

/// From the index `index` on, the frames of a recording are those of the engine from `frame` on. The first mark is the
/// recording's start. Each other one follows a gap.
struct RecordingMark {
    std::uint64_t index = 0;
    std::uint64_t frame = 0;
};

inline constexpr std::size_t recording_marks = 1024;  ///< the most marks that can wait for the reader

/// What both ends of a recording share. Zeroed memory is a recording without frames.
template <class Memory = StdMemory>
struct SharedRecording {
    SpanRing<Memory> frames;
    SpanRing<Memory> marks;
    alignas(false_sharing_bytes) Seqlock<RecordingState, Memory> state;  // written by the audio side
};

/// The audio side of a recording: it writes. One thread uses it. Every call is wait-free, and the constructor is the
/// control side's.
template <class Memory = StdMemory, class Sample = float>
class RecordingProducer {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using MarkCell = typename Memory::template Cell<RecordingMark>;

    RecordingProducer() = default;

    /// The numbers of frames in `samples` and of cells in `marks` are powers of two; the consumer must have the same
    /// memory. `shared`, `samples` and `marks` must outlive this. Throws ArgumentError and EndTakenError as
    /// SpanProducer does.
    RecordingProducer(SharedRecording<Memory>& shared, std::span<Sample> samples, std::span<MarkCell> marks,
                      std::size_t channels)
        : shared_{&shared},
          frames_{shared.frames, samples.size() / channels},
          marks_{shared.marks, marks.size()},
          samples_{samples},
          mark_cells_{marks},
          channels_{channels} {}

    [[nodiscard]] StreamPhase phase() const noexcept CUELINE_NONBLOCKING { return state_.phase; }

    /// Records from the engine's frame `frame` on. Returns false if it was started before, or has ended.
    bool start(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        if (state_.phase != StreamPhase::idle || has_ended(phase_at_end_)) return false;
        state_.phase = StreamPhase::running;
        state_.first = state_.frame = frame;
        return true;
    }

    /// Ends the recording before the engine's frame `frame`, which must not have been recorded. Returns false if it has
    /// ended before.
    bool stop(std::uint64_t frame, StreamPhase reason = StreamPhase::stopped) noexcept CUELINE_NONBLOCKING {
        if (has_ended(phase_at_end_)) return false;
        if (state_.phase == StreamPhase::idle) state_.first = state_.frame = frame;
        end_ = frame;
        phase_at_end_ = reason;
        return true;
    }

    /// Records the frames of a block that lie between start() and stop(). `frame` is the engine's frame at the
    /// beginning of the block. Missing inputs are silence.
    void record(std::span<const float* const> inputs, std::uint64_t frame, std::size_t frames) noexcept(never_throws)
        CUELINE_NONBLOCKING {
        const std::uint64_t begin = std::max(frame, state_.frame);
        const std::uint64_t end = std::min(frame + frames, end_);
        if (state_.phase != StreamPhase::running || end <= begin) return;
        lose_up_to(begin);
        push(inputs, static_cast<std::size_t>(begin - frame), begin, static_cast<std::size_t>(end - begin));
        state_.frame = end;
    }

    /// Counts as lost all frames before the engine's frame `frame` that were not recorded.
    void lose_up_to(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        const std::uint64_t end = std::min(frame, end_);
        if (state_.phase != StreamPhase::running || end <= state_.frame) return;
        state_.lost += end - std::exchange(state_.frame, end);
    }

    /// Publishes the counts, and the end, after a block.
    void publish() noexcept(never_throws) CUELINE_NONBLOCKING {
        if (has_ended(phase_at_end_)) state_.phase = phase_at_end_;
        shared_->state.write(state_);
    }

  private:
    /// Records the inputs' frames from the place `at` on, which is the engine's frame `frame`.
    void push(std::span<const float* const> inputs, std::size_t at, std::uint64_t frame,
              std::size_t count) noexcept(never_throws) CUELINE_NONBLOCKING {
        const RingPlaces places = frames_.room(count);
        std::size_t taken = places.size();
        // The mark comes before the frames that follow it: a reader that finds them also finds the mark.
        if (taken > 0 && !continues_at(frame) && !push_mark(frame)) taken = 0;
        state_.lost += count - taken;
        if (taken == 0) return;
        for (const std::span<Sample> piece : places.of_each(channels_).of(samples_)) {
            interleave(inputs, at, piece);
            at += whole_frames(piece.size(), channels_);
        }
        frames_.push(taken);
        state_.recorded += taken;
        next_frame_ = frame + taken;
    }

    /// Whether the last frame in the ring is the one before `frame`.
    [[nodiscard]] bool continues_at(std::uint64_t frame) const noexcept CUELINE_NONBLOCKING {
        return state_.recorded > 0 && next_frame_ == frame;
    }

    [[nodiscard]] bool push_mark(std::uint64_t frame) noexcept(never_throws) CUELINE_NONBLOCKING {
        const RingPlaces room = marks_.room(1);
        if (room.size() == 0) return false;
        mark_cells_[room.first].write({state_.recorded, frame});
        marks_.push(1);
        return true;
    }

    void interleave(std::span<const float* const> inputs, std::size_t at,
                    std::span<Sample> piece) noexcept(never_throws) CUELINE_NONBLOCKING {
        const std::size_t frames = whole_frames(piece.size(), channels_);
        for (std::size_t channel = 0; channel < channels_; ++channel) {
            Sample* const to = piece.data() + channel;
            if (channel >= inputs.size()) {
                for (std::size_t frame = 0; frame < frames; ++frame) to[frame * channels_] = 0.0F;
            } else if (channels_ == 1) {  // a loop of its own, which the compiler vectorizes
                std::copy_n(inputs[0] + at, frames, to);
            } else {
                const float* const from = inputs[channel] + at;
                for (std::size_t frame = 0; frame < frames; ++frame) to[frame * channels_] = from[frame];
            }
        }
    }

    SharedRecording<Memory>* shared_ = nullptr;
    SpanProducer<SpanRing<Memory>> frames_;
    SpanProducer<SpanRing<Memory>> marks_;
    std::span<Sample> samples_;
    std::span<MarkCell> mark_cells_;
    std::size_t channels_ = 1;
    std::uint64_t next_frame_ = 0;  // the one after the last in the ring
    std::uint64_t end_ = ~std::uint64_t{0};
    StreamPhase phase_at_end_ = StreamPhase::idle;  // from stop() to the end of its block
    RecordingState state_;
};

/// Frames of a recording that wait to be read. They follow each other without a gap.
template <class Sample = float>
struct RecordedRun {
    std::uint64_t frame = 0;  ///< of the engine: the first of these, or the one after the last that was read
    std::uint64_t lost = 0;   ///< how many frames are missing before it
    std::size_t frames = 0;
    bool grows = false;  ///< more frames may follow these without a gap: the next call may return a longer run
    bool ended = false;  ///< no more frames will come
    std::array<std::span<const Sample>, 2> samples{};
};

/// The control side of a recording: it reads. One thread at a time uses it. Every call is wait-free.
template <class Memory = StdMemory, class Sample = float>
class RecordingConsumer {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    using MarkCell = typename Memory::template Cell<RecordingMark>;
    using Run = RecordedRun<Sample>;

    RecordingConsumer() = default;

    /// See RecordingProducer.
    RecordingConsumer(SharedRecording<Memory>& shared, std::span<const Sample> samples, std::span<const MarkCell> marks,
                      std::size_t channels)
        : shared_{&shared},
          frames_{shared.frames, samples.size() / channels},
          marks_{shared.marks, marks.size()},
          samples_{samples},
          mark_cells_{marks},
          channels_{channels} {}

    /// Returns the oldest frames that wait, `most` at most, up to the next gap. Read them, and then pop(). At the end
    /// of the recording, returns an empty run with `ended`, and with the number of frames that were lost last.
    [[nodiscard]] Run waiting(std::size_t most) noexcept(never_throws) {
        const bool was_stopped = ended_ || find_end();  // before the look: then all frames that came are found
        const RingPlaces places = run_of(most);
        const bool grows = places.size() < most && !gap_follows_ && !was_stopped;
        return {next_frame_, lost_, places.size(), grows, ended_, places.of_each(channels_).of(samples_)};
    }

    /// Gives the first `frames` frames of the run back to the audio thread. After that, its `lost` is not returned
    /// again.
    void pop(std::size_t frames) noexcept(never_throws) {
        lost_ = 0;
        frames_.pop(frames);
        index_ += frames;
        next_frame_ += frames;
    }

    /// Copies the frames of a run to `interleaved`, as many as fit, and pops them. The run that it returns has no
    /// samples.
    [[nodiscard]] Run read(std::span<float> interleaved) noexcept(never_throws) {
        const RingPlaces places = run_of(whole_frames(interleaved.size(), channels_));
        copy_from(samples_, places.of_each(channels_), interleaved.data());
        const Run run{.frame = next_frame_, .lost = lost_, .frames = places.size(), .ended = ended_};
        pop(places.size());
        return run;
    }

  private:
    /// Finds the next frames and what is missing before them, or the end.
    [[nodiscard]] RingPlaces run_of(std::size_t most) noexcept(never_throws) {
        RingPlaces places = frames_.waiting(most);
        gap_follows_ = false;
        if (places.size() == 0 && most > 0 && !ended_ && find_end()) {
            places = frames_.waiting(most);  // frames that came after the look, and before the end
            if (places.size() == 0) end();
        }
        if (places.size() == 0) return places;
        pass_marks();
        const std::uint64_t run = has_mark_ ? next_mark_.index - index_ : places.size();
        gap_follows_ = run < places.size();
        return gap_follows_ ? frames_.waiting(static_cast<std::size_t>(run)) : places;
    }

    /// Goes past the marks at the index of the next frame. Call it when frames wait.
    void pass_marks() noexcept(never_throws) {
        while (look_at_mark() && next_mark_.index == index_) {
            if (index_ > 0) lost_ += next_mark_.frame - next_frame_;
            next_frame_ = next_mark_.frame;
            has_mark_ = false;
        }
    }

    [[nodiscard]] bool look_at_mark() noexcept(never_throws) {
        if (has_mark_) return true;
        const RingPlaces mark = marks_.waiting(1);
        if (mark.size() == 0) return false;
        const auto copy = [this](const RecordingMark& found) noexcept { next_mark_ = found; };
        mark_cells_[mark.first].read(copy);
        marks_.pop(1);
        has_mark_ = true;
        return true;
    }

    [[nodiscard]] bool find_end() noexcept(never_throws) {
        return shared_->state.read(last_) && has_ended(last_.phase);
    }

    void end() noexcept(never_throws) {
        ended_ = true;
        if (index_ == 0) next_frame_ = last_.first;  // it was stopped where it began: no frame came
        lost_ += last_.frame - std::exchange(next_frame_, last_.frame);
    }

    SharedRecording<Memory>* shared_ = nullptr;
    SpanConsumer<SpanRing<Memory>> frames_;
    SpanConsumer<SpanRing<Memory>> marks_;
    std::span<const Sample> samples_;
    std::span<const MarkCell> mark_cells_;
    std::size_t channels_ = 1;
    std::uint64_t index_ = 0;       // of the next frame
    std::uint64_t next_frame_ = 0;  // its frame, but for marks that were not passed
    std::uint64_t lost_ = 0;        // frames, before the next one
    RecordingMark next_mark_;       // if has_mark_
    bool has_mark_ = false;
    bool gap_follows_ = false;  // after the last run
    bool ended_ = false;
    RecordingState last_;  // read at the end
};

}  // namespace cueline
