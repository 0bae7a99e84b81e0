// playback.hpp: samples from a control thread that the audio thread mixes into its outputs.
//
// If a playback runs dry, it is silent, counts the missing frames, and goes on with what is written next.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/ring.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/span_ring.hpp>
#include <cueline/stream.hpp>

namespace cueline {

/// What the audio thread publishes about a playback at the end of a block.
struct PlaybackState {
    std::uint64_t frame = 0;     ///< of the engine, after the block
    std::uint64_t played = 0;    ///< frames that were mixed into the outputs
    std::uint64_t cleared = 0;   ///< frames that clear() dropped
    std::uint64_t underrun = 0;  ///< frames of silence because no frames waited
    StreamPhase phase = StreamPhase::idle;
};

/// A playback at one moment: written = played + cleared + waiting.
struct PlaybackPosition : PlaybackState {
    std::uint64_t written = 0;
    std::uint64_t waiting = 0;  ///< frames that wait to be played, or that the present block plays or drops
};

/// What both ends of a playback share. Zeroed memory is a playback without frames.
template <class Memory = StdMemory>
struct SharedPlayback {
    SpanRing<Memory> frames;
    /// Index up to which the samples are complete: a playback that runs dry there has no underrun. Stored by the
    /// control side.
    alignas(false_sharing_bytes) typename Memory::template Atomic<std::uint64_t> complete{0};
    alignas(false_sharing_bytes) Seqlock<PlaybackState, Memory> state;  // written by the audio side
};

/// Returns the position. Returns false if the audio thread published too often meanwhile: try again. [any thread]
template <class Memory>
[[nodiscard]] bool read_position(const SharedPlayback<Memory>& shared,
                                 PlaybackPosition& position) noexcept(Memory::never_throws) {
    PlaybackState state;
    if (!shared.state.read(state)) return false;
    // The tail is read after the state, so it is not below the frames that the state counts.
    const std::uint64_t written = shared.frames.tail();
    position = {state, written, written - state.played - state.cleared};
    return true;
}

/// Frames of a playback that wait, interleaved. Where the ring wraps, they are in two pieces.
template <class Sample = float>
struct PlaybackRun {
    std::size_t frames = 0;
    std::size_t channels = 1;
    std::array<std::span<const Sample>, 2> samples{};

    /// `frame` must be below `frames`, and `channel` below `channels`.
    [[nodiscard]] Sample sample(std::size_t frame, std::size_t channel) const noexcept CUELINE_NONBLOCKING {
        const std::size_t place = frame * channels + channel;
        return place < samples[0].size() ? samples[0][place] : samples[1][place - samples[0].size()];
    }
};

/// The control side of a playback: it writes. One thread at a time uses it. Every call is wait-free.
template <class Memory = StdMemory, class Sample = float>
class PlaybackProducer {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    PlaybackProducer() = default;

    /// The number of frames in `samples` is a power of two; the consumer must have the same memory. `shared` and
    /// `samples` must outlive this. Throws ArgumentError and EndTakenError as SpanProducer does.
    PlaybackProducer(SharedPlayback<Memory>& shared, std::span<Sample> samples, std::size_t channels)
        : shared_{&shared},
          frames_{shared.frames, samples.size() / channels},
          samples_{samples},
          channels_{channels},
          written_{shared.frames.tail()} {}

    /// Returns the memory of the free frames, `most` at most. Fill it, and then push().
    [[nodiscard]] std::array<std::span<Sample>, 2> room(std::size_t most) noexcept(never_throws) {
        return frames_.room(most).of_each(channels_).of(samples_);
    }

    /// Hands the first `frames` frames of room() to the audio thread. If they are the `last` ones for now, no underrun
    /// is counted after them.
    void push(std::size_t frames, bool last = false) noexcept(never_throws) {
        written_ += frames;
        if (last) complete();  // before the push: a thread that finds these frames also finds the mark
        frames_.push(frames);
    }

    /// Writes as many frames of `interleaved` as there is room for. Returns how many.
    std::size_t write(std::span<const float> interleaved, bool last = false) noexcept(never_throws) {
        const std::size_t wanted = whole_frames(interleaved.size(), channels_);
        const RingPlaces places = frames_.room(wanted);
        copy_to(samples_, places.of_each(channels_), interleaved.data());
        push(places.size(), last && places.size() == wanted);
        return places.size();
    }

    /// Marks what was written so far as complete: no underrun is counted after it.
    void complete() noexcept(never_throws) {
        // Relaxed: the consumer compares it with the index of what it has played, and follows it nowhere.
        shared_->complete.store(written_, std::memory_order_relaxed);
    }

    /// Returns the index for PlaybackConsumer::clear(), which drops what was written so far. Marks that as complete.
    [[nodiscard]] std::uint64_t clear_up_to() noexcept(never_throws) {
        complete();
        return written_;
    }

  private:
    SharedPlayback<Memory>* shared_ = nullptr;
    SpanProducer<SpanRing<Memory>> frames_;
    std::span<Sample> samples_;
    std::size_t channels_ = 1;
    std::uint64_t written_ = 0;
};

inline constexpr std::size_t clear_fade_frames = 64;  ///< how long clear() fades out what is being played

/// The audio side of a playback: it mixes what was written into the outputs. One thread uses it. Every call is
/// wait-free, and the constructor is the control side's.
template <class Memory = StdMemory, class Sample = float>
class PlaybackConsumer {
    static constexpr bool never_throws = Memory::never_throws;

  public:
    PlaybackConsumer() = default;

    /// See PlaybackProducer. Frames that are cleared while they are played fade out in `fade_frames` frames.
    PlaybackConsumer(SharedPlayback<Memory>& shared, std::span<const Sample> samples, std::size_t channels,
                     std::size_t fade_frames = clear_fade_frames)
        : shared_{&shared},
          frames_{shared.frames, samples.size() / channels},
          samples_{samples},
          channels_{channels},
          longest_fade_{fade_frames},
          index_{shared.frames.head()} {}

    [[nodiscard]] StreamPhase phase() const noexcept CUELINE_NONBLOCKING { return state_.phase; }

    /// Begins to play, or goes on. Returns false if the playback has ended.
    bool start() noexcept CUELINE_NONBLOCKING {
        if (has_ended(state_.phase)) return false;
        state_.phase = StreamPhase::running;
        return true;
    }

    /// Stops at once; what waits stays. Returns false if the playback has ended.
    bool stop() noexcept(never_throws) CUELINE_NONBLOCKING { return leave(StreamPhase::idle); }

    /// Ends the playback for this reason.
    void end(StreamPhase reason) noexcept(never_throws) CUELINE_NONBLOCKING { leave(reason); }

    /// Drops the frames below the index `up_to`, which clear_up_to() returned. What is being played fades out; frames
    /// of the fade count as played. What was written after them begins when the fade has ended. Returns false, and
    /// does nothing, if no such frames were written.
    bool clear(std::uint64_t up_to) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (up_to - index_ > frames_.waiting().size()) return up_to < index_;  // they have been played before
        clear_to_ = std::max(clear_to_, up_to);
        if (state_.phase != StreamPhase::running) {
            drop_cleared();
        } else if (fade_left_ == 0) {
            fade_left_ = fade_frames_ =
                static_cast<std::size_t>(std::min<std::uint64_t>(up_to - index_, longest_fade_));
            if (fade_left_ == 0) drop_cleared();
        }
        return true;
    }

    /// Drops all frames that wait, as clear(up_to) does.
    void clear() noexcept(never_throws) CUELINE_NONBLOCKING { clear(index_ + frames_.waiting().size()); }

    /// Whether frames that were cleared are still fading out.
    [[nodiscard]] bool fades_out() const noexcept CUELINE_NONBLOCKING { return fade_left_ > 0; }

    /// Adds the next `frames` frames to the outputs. One channel goes to all of them, otherwise each goes to the output
    /// of its number.
    void mix(std::span<float* const> outputs, std::size_t frames) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (state_.phase != StreamPhase::running) return;
        std::size_t done = 0;
        if (fade_left_ > 0) {
            done = play<true>(outputs, 0, std::min(frames, fade_left_));
            if (fade_left_ == 0) drop_cleared();
        }
        done += play<false>(outputs, done, frames - done);
        count_missing(frames - done);
    }

    /// Returns the next frames, `most` at most, for a processor that plays them itself. Returns none if the playback
    /// does not run.
    [[nodiscard]] PlaybackRun<Sample> waiting(std::size_t most) noexcept(never_throws) CUELINE_NONBLOCKING {
        const RingPlaces places = frames_.waiting(state_.phase == StreamPhase::running ? most : 0);
        return {places.size(), channels_, places.of_each(channels_).of(samples_)};
    }

    /// Counts `frames` frames as played, and drops them. If fewer wait, counts the missing ones as an underrun.
    void use(std::size_t frames) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (state_.phase != StreamPhase::running) return;
        const std::size_t used = frames_.waiting(frames).size();
        pop(used);
        state_.played += used;
        count_missing(frames - used);
    }

    /// Publishes the counts at the end of a block. `frame` is the engine's frame after it.
    void publish(std::uint64_t frame) noexcept(never_throws) CUELINE_NONBLOCKING {
        state_.frame = frame;
        shared_->state.write(state_);
    }

  private:
    bool leave(StreamPhase phase) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (has_ended(state_.phase)) return false;
        state_.phase = phase;
        fade_left_ = 0;
        drop_cleared();
        return true;
    }

    void drop_cleared() noexcept(never_throws) CUELINE_NONBLOCKING {
        if (clear_to_ <= index_) return;
        const std::size_t dropped = frames_.waiting(static_cast<std::size_t>(clear_to_ - index_)).size();
        pop(dropped);
        state_.cleared += dropped;
    }

    /// Plays as many frames as wait, `most` at most. Returns how many.
    template <bool Fades>
    std::size_t play(std::span<float* const> outputs, std::size_t at, std::size_t most) noexcept(never_throws)
        CUELINE_NONBLOCKING {
        const RingPlaces places = frames_.waiting(most);
        for (const std::span<const Sample> piece : places.of_each(channels_).of(samples_)) {
            const std::size_t frames = whole_frames(piece.size(), channels_);
            if constexpr (Fades) {
                add_faded(piece, outputs, at);
                fade_left_ -= frames;
            } else {
                add(piece, outputs, at);
            }
            at += frames;
        }
        pop(places.size());
        state_.played += places.size();
        return places.size();
    }

    /// Adds `piece` to the outputs, from the frame `at` on.
    void add(std::span<const Sample> piece, std::span<float* const> outputs, std::size_t at) noexcept(never_throws)
        CUELINE_NONBLOCKING {
        const std::size_t frames = whole_frames(piece.size(), channels_);
        for (std::size_t output = 0; output < heard(outputs); ++output) {
            float* const to = outputs[output] + at;
            if (channels_ == 1) {  // a loop of its own, which the compiler vectorizes
                for (std::size_t frame = 0; frame < frames; ++frame) to[frame] += piece[frame];
            } else {
                for (std::size_t frame = 0; frame < frames; ++frame) to[frame] += piece[frame * channels_ + output];
            }
        }
    }

    /// Does the same, with the falling gain of the fade.
    void add_faded(std::span<const Sample> piece, std::span<float* const> outputs,
                   std::size_t at) noexcept(never_throws) CUELINE_NONBLOCKING {
        const std::size_t frames = whole_frames(piece.size(), channels_);
        const float step = 1.0F / static_cast<float>(fade_frames_ + 1);
        for (std::size_t frame = 0; frame < frames; ++frame) {
            const float gain = step * static_cast<float>(fade_left_ - frame);
            for (std::size_t output = 0; output < heard(outputs); ++output) {
                const Sample& sample = piece[frame * channels_ + (channels_ == 1 ? 0 : output)];
                outputs[output][at + frame] += gain * sample;
            }
        }
    }

    /// How many outputs hear this playback.
    [[nodiscard]] std::size_t heard(std::span<float* const> outputs) const noexcept CUELINE_NONBLOCKING {
        return channels_ == 1 ? outputs.size() : std::min(outputs.size(), channels_);
    }

    void count_missing(std::size_t frames) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (frames == 0 || complete_at_ == index_) return;
        // Relaxed: see complete().
        if (shared_->complete.load(std::memory_order_relaxed) == index_) {
            complete_at_ = index_;  // so it stays complete while the producer is about to push more
        } else {
            state_.underrun += frames;
        }
    }

    void pop(std::size_t frames) noexcept(never_throws) CUELINE_NONBLOCKING {
        if (frames == 0) return;
        frames_.pop(frames);
        index_ += frames;
    }

    SharedPlayback<Memory>* shared_ = nullptr;
    SpanConsumer<SpanRing<Memory>> frames_;
    std::span<const Sample> samples_;
    std::size_t channels_ = 1;
    std::size_t longest_fade_ = clear_fade_frames;
    std::uint64_t index_ = 0;        // of the next frame
    std::uint64_t clear_to_ = 0;     // frames below are dropped when the fade has ended
    std::uint64_t complete_at_ = 0;  // the last end mark that was reached
    std::size_t fade_left_ = 0;      // frames of the fade
    std::size_t fade_frames_ = 0;
    PlaybackState state_;
};

}  // namespace cueline
