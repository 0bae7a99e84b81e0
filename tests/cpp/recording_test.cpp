// recording_test.cpp: what is recorded is read once, in order and with its frames; gaps, start and stop, two threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/recording.hpp>
#include <cueline/ring.hpp>
#include <cueline/stream.hpp>

#include "broken_memory.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using Samples = std::vector<float>;

/// A recording with both ends. A sample is the number of its frame, plus a half in every second channel.
template <class Memory = StdMemory>
struct Recorded {
    using MarkCell = RecordingProducer<Memory>::MarkCell;

    Recorded(std::size_t capacity, std::size_t channels, std::size_t marks = recording_marks)
        : channels_{channels},
          samples_(capacity * channels, -1.0F),
          marks_(marks),
          producer{shared, std::span{samples_}, std::span{marks_}, channels},
          consumer{shared, std::span<const float>{samples_}, std::span<const MarkCell>{marks_}, channels} {}

    /// Records a block of so many frames. Without inputs, they are silence.
    void block(std::size_t frames, bool with_inputs = true) {
        std::vector<Samples> planar(with_inputs ? channels_ : 0, Samples(frames));
        std::vector<const float*> pointers;
        for (std::size_t channel = 0; channel < planar.size(); ++channel) {
            for (std::size_t at = 0; at < frames; ++at) planar[channel][at] = sample(frame + at, channel);
            pointers.push_back(planar[channel].data());
        }
        producer.record(pointers, frame, frames);
        producer.publish();
        frame += frames;
    }

    /// Reads at most `most` frames. The samples lie in `read_samples`.
    RecordedRun<> read(std::size_t most) {
        read_samples.assign(most * channels_, -1);
        const RecordedRun<> run = consumer.read(read_samples);
        read_samples.resize(run.frames * channels_);
        return run;
    }

    RecordingState state() {
        RecordingState state;
        EXPECT_TRUE(shared.state.read(state));
        return state;
    }

    static float sample(std::uint64_t frame, std::size_t channel) {
        return static_cast<float>(frame % 4'000'000) + (channel % 2 == 0 ? 0.0F : 0.5F);
    }

  private:
    std::size_t channels_;
    Samples samples_;
    std::vector<MarkCell> marks_;

  public:
    SharedRecording<Memory> shared;
    RecordingProducer<Memory> producer;
    RecordingConsumer<Memory> consumer;
    std::uint64_t frame = 1000;  // of the engine
    Samples read_samples;
};

/// A run in short: its frame, the frames lost before it, its frames, whether it is the end.
std::string text(const RecordedRun<>& run) {
    return std::to_string(run.frame) + ": " + std::to_string(run.frames) + " after " + std::to_string(run.lost) +
           (run.ended ? ", ended" : "");
}

TEST(Recording, gives_what_was_recorded_once_and_in_order_across_the_end_of_its_storage) {
    Recorded recorded{8, 1};
    recorded.producer.start(1000);
    for (std::uint64_t round = 0; round < 20; ++round) {
        recorded.block(5);
        EXPECT_EQ(text(recorded.read(8)), std::to_string(1000 + 5 * round) + ": 5 after 0");
        for (std::size_t at = 0; at < 5; ++at) {
            EXPECT_EQ(recorded.read_samples[at], Recorded<>::sample(1000 + 5 * round + at, 0));
        }
    }
    EXPECT_EQ(text(recorded.read(8)), "1100: 0 after 0");
}

TEST(Recording, interleaves_its_channels) {
    Recorded recorded{8, 2};
    recorded.producer.start(1000);
    recorded.block(2);
    EXPECT_EQ(text(recorded.read(8)), "1000: 2 after 0");
    EXPECT_EQ(recorded.read_samples, (Samples{1000, 1000.5, 1001, 1001.5}));
}

TEST(Recording, of_missing_inputs_is_silence) {
    Recorded recorded{8, 2};
    recorded.producer.start(1000);
    recorded.block(2, false);
    EXPECT_EQ(text(recorded.read(8)), "1000: 2 after 0");
    EXPECT_EQ(recorded.read_samples, Samples(4));
}

TEST(Recording, begins_and_ends_at_frames_within_blocks) {
    Recorded recorded{16, 1};
    recorded.block(4);
    EXPECT_TRUE(recorded.producer.start(1006));
    recorded.block(4);
    EXPECT_TRUE(recorded.producer.stop(1009));
    recorded.block(4);
    recorded.block(4);
    EXPECT_EQ(text(recorded.read(16)), "1006: 3 after 0");
    EXPECT_EQ(recorded.read_samples, (Samples{1006, 1007, 1008}));
    EXPECT_EQ(text(recorded.read(16)), "1009: 0 after 0, ended");
    EXPECT_EQ(text(recorded.read(16)), "1009: 0 after 0, ended");
    EXPECT_EQ(recorded.state().first, 1006U);
    EXPECT_EQ(recorded.state().frame, 1009U);
    EXPECT_EQ(recorded.state().phase, StreamPhase::stopped);
}

TEST(Recording, can_begin_and_end_in_one_block) {
    Recorded recorded{16, 1};
    EXPECT_TRUE(recorded.producer.start(1002));
    EXPECT_TRUE(recorded.producer.stop(1005));
    EXPECT_FALSE(recorded.producer.start(1006));
    recorded.block(16);
    EXPECT_EQ(text(recorded.read(16)), "1002: 3 after 0");
    EXPECT_EQ(text(recorded.read(16)), "1005: 0 after 0, ended");
}

TEST(Recording, that_was_stopped_before_it_began_has_no_frames) {
    Recorded recorded{16, 1};
    EXPECT_TRUE(recorded.producer.stop(1001));
    EXPECT_FALSE(recorded.producer.start(1002));
    EXPECT_FALSE(recorded.producer.stop(1003));
    recorded.block(16);
    EXPECT_EQ(text(recorded.read(16)), "1001: 0 after 0, ended");
}

TEST(Recording, says_why_it_has_ended) {
    Recorded recorded{16, 1};
    recorded.producer.start(1000);
    recorded.block(4);
    recorded.producer.stop(1004, StreamPhase::new_samplerate);
    recorded.block(4);
    EXPECT_EQ(recorded.state().phase, StreamPhase::new_samplerate);
    EXPECT_EQ(text(recorded.read(16)), "1000: 4 after 0");
    EXPECT_EQ(text(recorded.read(16)), "1004: 0 after 0, ended");
}

TEST(Recording, loses_the_newest_frames_if_its_ring_is_full_and_says_where) {
    Recorded recorded{8, 1};
    recorded.producer.start(1000);
    recorded.block(6);
    recorded.block(6);  // 4 of these are lost
    recorded.block(6);  // and all of these
    EXPECT_EQ(recorded.state().lost, 10U);
    EXPECT_EQ(text(recorded.read(6)), "1000: 6 after 0");
    recorded.block(6);
    EXPECT_EQ(text(recorded.read(16)), "1006: 2 after 0") << "a run ends at the gap";
    EXPECT_EQ(text(recorded.consumer.waiting(3)), "1018: 3 after 10");
    EXPECT_EQ(text(recorded.consumer.waiting(16)), "1018: 6 after 10") << "until it is popped";
    EXPECT_EQ(text(recorded.read(1)), "1018: 1 after 10");
    EXPECT_EQ(text(recorded.read(16)), "1019: 5 after 0");
    EXPECT_EQ(recorded.read_samples, (Samples{1019, 1020, 1021, 1022, 1023}));
    EXPECT_EQ(recorded.state().recorded, 14U);
    EXPECT_EQ(recorded.state().lost, 10U);
    EXPECT_EQ(recorded.state().frame, 1024U);
}

TEST(Recording, says_whether_a_run_may_grow) {
    Recorded recorded{8, 1};
    EXPECT_TRUE(recorded.consumer.waiting(4).grows);
    recorded.producer.start(1000);
    recorded.block(6);
    EXPECT_TRUE(recorded.consumer.waiting(8).grows);
    EXPECT_FALSE(recorded.consumer.waiting(6).grows) << "it is as long as was wanted";
    recorded.block(6);  // 4 of these are lost
    EXPECT_EQ(text(recorded.read(6)), "1000: 6 after 0");
    recorded.block(2);
    EXPECT_FALSE(recorded.consumer.waiting(8).grows) << "a gap follows";
    EXPECT_EQ(text(recorded.read(8)), "1006: 2 after 0");
    EXPECT_TRUE(recorded.consumer.waiting(8).grows);
    recorded.producer.stop(1015);
    recorded.block(6);
    EXPECT_FALSE(recorded.consumer.waiting(8).grows) << "the end follows";
    EXPECT_EQ(text(recorded.read(8)), "1012: 3 after 4");
}

TEST(Recording, reports_what_was_lost_before_its_end) {
    Recorded recorded{8, 1};
    recorded.producer.start(1000);
    recorded.block(12);
    recorded.producer.stop(1014);
    recorded.block(12);
    EXPECT_EQ(text(recorded.read(16)), "1000: 8 after 0");
    EXPECT_EQ(text(recorded.consumer.waiting(16)), "1014: 0 after 6, ended");
    EXPECT_EQ(text(recorded.read(16)), "1014: 0 after 6, ended");
    EXPECT_EQ(text(recorded.read(16)), "1014: 0 after 0, ended");
}

TEST(Recording, loses_more_while_all_its_marks_wait) {
    Recorded recorded{4, 1, 2};
    recorded.producer.start(1000);
    recorded.block(4);  // the first mark is its start
    recorded.block(4);
    EXPECT_EQ(text(recorded.read(1)), "1000: 1 after 0");  // takes one mark
    recorded.block(4);                                     // marks a gap of 4, takes 1 frame
    EXPECT_EQ(text(recorded.read(1)), "1001: 1 after 0");  // takes no mark from behind its run
    recorded.block(4);                                     // takes the last place for a mark
    EXPECT_EQ(recorded.state().recorded, 6U);
    recorded.consumer.pop(0);
    EXPECT_EQ(text(recorded.read(1)), "1002: 1 after 0");
    recorded.block(4);
    EXPECT_EQ(text(recorded.read(4)), "1003: 1 after 0");
    EXPECT_EQ(text(recorded.read(4)), "1008: 1 after 4");
    EXPECT_EQ(text(recorded.read(4)), "1012: 1 after 3");
    recorded.block(2);
    EXPECT_EQ(recorded.state().recorded, recorded.state().frame - 1000 - recorded.state().lost);
}

TEST(Recording, has_one_end_of_each_kind_and_a_power_of_two_of_frames) {
    Samples samples(12);
    std::vector<RecordingProducer<>::MarkCell> marks(4);
    SharedRecording<> shared;
    const std::span cells{marks};
    EXPECT_EQ(refusal<ArgumentError>([&] { const RecordingProducer<> end{shared, std::span{samples}, cells, 1}; }),
              "a ring's capacity must be a power of two, got 12");
    const RecordingProducer<> producer{shared, std::span{samples}, cells, 3};
    EXPECT_THROW((RecordingProducer<>{shared, std::span{samples}, cells, 3}), EndTakenError);
    const RecordingConsumer<> consumer{shared, std::span{samples}, cells, 3};
    EXPECT_THROW((RecordingConsumer<>{shared, std::span{samples}, cells, 3}), EndTakenError);
}

/// Records and reads at random, beside a plain model. Returns the difference, or an empty text.
template <class Memory>
std::string differs(std::size_t capacity, std::size_t marks, std::uint64_t seed, int steps) {
    struct Frame {
        std::uint64_t frame;
        std::uint64_t lost;  // before it
    };
    constexpr std::size_t channels = 2;
    std::mt19937_64 random{seed};
    Recorded<Memory> recorded{capacity, channels, marks};
    std::deque<Frame> waiting;
    std::deque<std::uint64_t> unread_marks;  // their frames
    std::uint64_t lost = 0;
    std::uint64_t lost_now = 0;  // since the last frame that was recorded
    recorded.producer.start(recorded.frame);
    unread_marks.push_back(recorded.frame);
    bool begun = false;
    int read_percent = 50;
    for (int step = 0; step < steps; ++step) {
        if (step % 256 == 0) read_percent = static_cast<int>(random() % 100);
        const std::size_t some = 1 + random() % (capacity + 2);
        if (std::cmp_less(random() % 100, read_percent)) {
            const RecordedRun<> run = recorded.read(some);
            if (run.frames > some || run.ended) return "wrong run";
            if (run.frames == 0 && !waiting.empty()) return "a run is missing";
            for (std::size_t at = 0; at < run.frames; ++at) {
                if (waiting.empty()) return "a run is too long";
                const Frame expected = waiting.front();
                waiting.pop_front();
                if (run.frame + at != expected.frame) return "wrong frame";
                if ((at == 0 ? run.lost : 0) != expected.lost) return "wrong number of lost frames";
                for (std::size_t channel = 0; channel < channels; ++channel) {
                    if (recorded.read_samples[at * channels + channel] != Recorded<>::sample(expected.frame, channel)) {
                        return "wrong sample";
                    }
                }
            }
        } else {
            const std::uint64_t before = recorded.state().recorded;
            const std::uint64_t first = recorded.frame;
            recorded.block(some);
            const std::uint64_t taken = recorded.state().recorded - before;
            if (marks >= capacity + 2 && taken != std::min(some, capacity - waiting.size())) return "wrong room";
            if (taken > std::min(some, capacity - waiting.size())) return "more than there is room for";
            for (std::uint64_t at = 0; at < taken; ++at) {
                waiting.push_back({first + at, begun ? lost_now : 0});
                begun = true;
                lost_now = 0;
            }
            lost += some - taken;
            lost_now += some - taken;
            const RecordingState state = recorded.state();
            if (state.lost != lost) return "wrong number of lost frames in the state";
            if (state.frame - state.first != state.recorded + state.lost) return "the state does not add up";
        }
    }
    recorded.producer.stop(recorded.frame);
    recorded.block(1);
    while (!waiting.empty()) {
        const RecordedRun<> run = recorded.read(waiting.size());
        if (run.frames == 0 || run.frames > waiting.size()) return "wrong rest";
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(run.frames));
    }
    const RecordedRun<> end = recorded.read(1);
    if (!end.ended || end.lost != lost_now) return "wrong end";
    return "";
}

TEST(Recording, does_what_a_plain_model_does) {
    const std::uint64_t number = seed();
    for (const std::size_t capacity : {1U, 2U, 8U, 64U}) {
        EXPECT_EQ(differs<StdMemory>(capacity, recording_marks, number, 20'000), "") << capacity;
        EXPECT_EQ(differs<StdMemory>(capacity, 2, number, 20'000), "") << capacity << ", few marks";
    }
}

TEST(Recording, broken_ones_differ_from_a_plain_model) {
    const std::uint64_t number = seed();
    EXPECT_NE(differs<SkewedMemory<1>>(8, recording_marks, number, 20'000), "");
    EXPECT_NE(differs<SkewedMemory<-1>>(8, recording_marks, number, 20'000), "");
    EXPECT_NE(differs<MuteMemory>(8, recording_marks, number, 20'000), "");
}

/// A thread records numbers, while another reads, at times too slowly. Returns the first fault, or an empty text.
template <class Memory>
std::string goes_wrong_between_threads(std::uint64_t frames, std::size_t marks) {
    constexpr std::size_t capacity = 64;
    constexpr std::size_t channels = 2;
    Recorded<Memory> recorded{capacity, channels, marks};
    const std::uint64_t first = recorded.frame;
    std::atomic<bool> gave_up = false;
    std::thread audio{[&] {
        recorded.producer.start(first);
        for (std::size_t block = 1; recorded.frame < first + frames && !gave_up; block = block % 23 + 1) {
            recorded.block(block);
            std::this_thread::yield();
        }
        recorded.producer.stop(recorded.frame);
        recorded.block(1);
    }};
    std::string wrong;
    std::uint64_t next = first;
    std::uint64_t read = 0;
    std::uint64_t lost = 0;
    RecordingState state;
    Samples samples(100 * channels);
    for (std::size_t turn = 1; wrong.empty(); turn = turn % 100 + 1) {
        const RecordedRun<> run = recorded.consumer.read(std::span{samples}.first(turn * channels));
        if (run.frames == 0 && !run.ended) {
            std::this_thread::yield();
            continue;
        }
        if (run.frame != next + run.lost) wrong = "a frame is missing, and not said to be";
        for (std::size_t at = 0; at < run.frames * channels; ++at) {
            if (samples[at] != Recorded<>::sample(run.frame + at / channels, at % channels)) wrong = "wrong sample";
        }
        next = run.frame + run.frames;
        read += run.frames;
        lost += run.lost;
        if (recorded.shared.state.read(state) && state.frame - state.first != state.recorded + state.lost) {
            wrong = "a state does not add up";
        }
        if (run.ended) break;
    }
    gave_up = true;
    audio.join();
    if (!wrong.empty()) return wrong;
    state = recorded.state();
    if (read != state.recorded || lost != state.lost) return "the reader's counts are not those of the audio thread";
    if (read + lost != state.frame - first) return "a frame is not accounted for";
    return "";
}

TEST(Recording, between_threads_accounts_for_every_frame) {
    EXPECT_EQ(goes_wrong_between_threads<StdMemory>(200'000, recording_marks), "");
    EXPECT_EQ(goes_wrong_between_threads<StdMemory>(200'000, 2), "");
}

TEST(Recording, through_a_skewed_ring_does_not) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE(goes_wrong_between_threads<SkewedMemory<1>>(200'000, recording_marks), "");
}

}  // namespace
}  // namespace cueline::test
