// playback_test.cpp: what is written is played once and in order; underruns, the end mark, clear, positions, two
// threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <cueline/error.hpp>
#include <cueline/playback.hpp>
#include <cueline/ring.hpp>
#include <cueline/stream.hpp>

#include "broken_memory.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using Samples = std::vector<float>;

constexpr float never_written = -1;

/// A playback with both ends. Samples are numbers, so that each can be told from the others.
template <class Memory = StdMemory>
struct Played {
    Played(std::size_t capacity, std::size_t channels, std::size_t fade_frames = clear_fade_frames)
        : channels_{channels},
          samples_(capacity * channels, never_written),
          producer{shared, std::span{samples_}, channels},
          consumer{shared, std::span<const float>{samples_}, channels, fade_frames} {}

    /// Plays a block, and returns it interleaved.
    Samples block(std::size_t frames, std::size_t outputs = 0) {
        if (outputs == 0) outputs = channels_;
        std::vector<Samples> planar(outputs, Samples(frames, 0.0F));
        std::vector<float*> pointers;
        for (Samples& channel : planar) pointers.push_back(channel.data());
        consumer.mix(pointers, frames);
        frame_ += frames;
        consumer.publish(frame_);
        Samples interleaved;
        for (std::size_t frame = 0; frame < frames; ++frame) {
            for (const Samples& channel : planar) interleaved.push_back(channel[frame]);
        }
        return interleaved;
    }

    /// Writes the next `frames` numbers, in all channels. Returns how many frames there was room for.
    std::size_t write(std::size_t frames, bool last = false) {
        Samples numbers;
        for (std::size_t frame = 0; frame < frames; ++frame) {
            for (std::size_t channel = 0; channel < channels_; ++channel) numbers.push_back(number(written_ + frame));
        }
        const std::size_t taken = producer.write(numbers, last);
        written_ += taken;
        return taken;
    }

    PlaybackPosition position() {
        PlaybackPosition position;
        EXPECT_TRUE(read_position(shared, position));
        return position;
    }

    /// The sample of a frame: from 1 on, so that none is silent.
    static float number(std::uint64_t index) { return static_cast<float>(index % 4'000'000 + 1); }

  private:
    std::size_t channels_;
    Samples samples_;
    std::uint64_t frame_ = 0;
    std::uint64_t written_ = 0;

  public:
    SharedPlayback<Memory> shared;
    PlaybackProducer<Memory> producer;
    PlaybackConsumer<Memory> consumer;
};

/// The numbers from `first` to before `end`.
Samples numbers(int first, int end) {
    Samples some;
    for (int number = first; number < end; ++number) some.push_back(static_cast<float>(number));
    return some;
}

TEST(Playback, plays_what_was_written_once_and_in_order_across_the_end_of_its_storage) {
    Played played{8, 1};
    played.consumer.start();
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(played.write(5), 5U);
        EXPECT_EQ(played.block(5), numbers(5 * round + 1, 5 * round + 6));
    }
}

TEST(Playback, takes_as_many_frames_as_there_is_room_for) {
    Played played{8, 2};
    EXPECT_EQ(played.write(5), 5U);
    EXPECT_EQ(played.write(5), 3U);
    EXPECT_EQ(played.write(1), 0U);
    played.consumer.start();
    EXPECT_EQ(played.block(2), (Samples{1, 1, 2, 2}));
    EXPECT_EQ(played.write(5), 2U);
}

TEST(Playback, adds_to_the_outputs) {
    Played played{8, 1};
    played.consumer.start();
    played.write(2);
    Samples output{10, 20};
    played.consumer.mix(std::array{output.data()}, 2);
    EXPECT_EQ(output, (Samples{11, 22}));
}

TEST(Playback, of_one_channel_goes_to_all_outputs) {
    Played played{8, 1};
    played.consumer.start();
    played.write(2);
    EXPECT_EQ(played.block(2, 3), (Samples{1, 1, 1, 2, 2, 2}));
}

TEST(Playback, of_several_channels_goes_to_as_many_outputs) {
    Played played{8, 2};
    played.consumer.start();
    played.producer.write(Samples{1, 2, 3, 4, 5, 6, 7, 8});
    EXPECT_EQ(played.block(2, 3), (Samples{1, 2, 0, 3, 4, 0}));
    EXPECT_EQ(played.block(2, 1), (Samples{5, 7})) << "a channel without an output is not heard";
}

TEST(Playback, is_silent_and_keeps_what_waits_until_it_starts_and_while_it_is_stopped) {
    Played played{8, 1};
    played.write(4);
    EXPECT_EQ(played.block(2), (Samples{0, 0}));
    EXPECT_TRUE(played.consumer.start());
    EXPECT_EQ(played.block(2), (Samples{1, 2}));
    EXPECT_TRUE(played.consumer.stop());
    EXPECT_EQ(played.block(2), (Samples{0, 0}));
    EXPECT_EQ(played.position().underrun, 0U);
    EXPECT_TRUE(played.consumer.start());
    EXPECT_EQ(played.block(2), (Samples{3, 4}));
}

TEST(Playback, counts_missing_frames_as_an_underrun_and_goes_on) {
    Played played{8, 1};
    played.consumer.start();
    played.write(3);
    EXPECT_EQ(played.block(5), (Samples{1, 2, 3, 0, 0}));
    EXPECT_EQ(played.position().underrun, 2U);
    EXPECT_EQ(played.block(5), Samples(5));
    EXPECT_EQ(played.position().underrun, 7U);
    played.write(2);
    EXPECT_EQ(played.block(2), (Samples{4, 5}));
    EXPECT_EQ(played.position().underrun, 7U);
    EXPECT_EQ(played.position().played, 5U);
}

TEST(Playback, has_no_underrun_before_the_first_write) {
    Played played{8, 1};
    played.consumer.start();
    played.block(100);
    EXPECT_EQ(played.position().underrun, 0U);
}

TEST(Playback, has_no_underrun_at_the_end_mark) {
    Played played{8, 1};
    played.consumer.start();
    played.write(3);
    played.producer.complete();
    played.block(5);
    played.write(3, true);
    played.block(5);
    EXPECT_EQ(played.position().underrun, 0U);
    played.write(3);
    played.block(5);
    EXPECT_EQ(played.position().underrun, 2U) << "the mark is behind";
}

TEST(Playback, has_no_end_mark_if_only_a_part_of_the_last_frames_was_taken) {
    Played played{4, 1};
    played.consumer.start();
    EXPECT_EQ(played.write(6, true), 4U);
    played.block(6);
    EXPECT_EQ(played.position().underrun, 2U);
    EXPECT_EQ(played.write(2, true), 2U);
    played.block(6);
    EXPECT_EQ(played.position().underrun, 2U);
}

TEST(Playback, clear_fades_out_and_drops_the_rest) {
    Played played{16, 1, 3};
    played.consumer.start();
    played.producer.write(Samples(10, 4.0F));
    played.block(2);
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    EXPECT_EQ(played.block(2), (Samples{3, 2}));
    EXPECT_EQ(played.block(2), (Samples{1, 0})) << "the fade goes on in the next block";
    EXPECT_EQ(played.position().played, 5U);
    EXPECT_EQ(played.position().cleared, 5U);
    EXPECT_EQ(played.position().waiting, 0U);
    EXPECT_EQ(played.position().underrun, 0U);
}

TEST(Playback, what_is_written_after_a_clear_follows_the_fade) {
    Played played{16, 1, 3};
    played.consumer.start();
    played.producer.write(Samples(8, 4.0F));
    const std::uint64_t up_to = played.producer.clear_up_to();
    played.producer.write(Samples{7, 8, 9}, true);
    EXPECT_EQ(played.block(1), Samples{4}) << "it goes on until the clear";
    EXPECT_TRUE(played.consumer.clear(up_to));
    EXPECT_EQ(played.block(8), (Samples{3, 2, 1, 7, 8, 9, 0, 0}));
    EXPECT_EQ(played.position().underrun, 0U);
}

TEST(Playback, a_fade_has_no_more_frames_than_waited) {
    Played played{16, 1, 9};
    played.consumer.start();
    played.producer.write(Samples(3, 4.0F));
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    played.producer.write(Samples{7});
    EXPECT_EQ(played.block(4), (Samples{3, 2, 1, 7}));
    EXPECT_EQ(played.position().cleared, 0U);
}

TEST(Playback, a_clear_in_a_fade_drops_more) {
    Played played{16, 1, 3};
    played.consumer.start();
    played.producer.write(Samples(6, 4.0F));
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    played.producer.write(Samples(6, 8.0F));
    EXPECT_EQ(played.block(1), Samples{3});
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    played.producer.write(Samples{9});
    EXPECT_EQ(played.block(4), (Samples{2, 1, 9, 0}));
    EXPECT_EQ(played.position().cleared, 9U);
}

TEST(Playback, a_clear_of_a_stopped_playback_drops_at_once) {
    Played played{16, 1};
    played.write(6);
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    played.write(1);
    played.consumer.start();
    EXPECT_EQ(played.block(1), Samples{7});
    EXPECT_EQ(played.position().cleared, 6U);
}

TEST(Playback, a_stop_ends_the_fade) {
    Played played{16, 1, 3};
    played.consumer.start();
    played.write(6);
    EXPECT_TRUE(played.consumer.clear(played.producer.clear_up_to()));
    played.block(1);
    played.consumer.stop();
    played.write(1);
    played.consumer.start();
    EXPECT_EQ(played.block(1), Samples{7});
    EXPECT_EQ(played.position().played, 2U);
    EXPECT_EQ(played.position().cleared, 5U);
}

TEST(Playback, a_clear_of_frames_that_were_played_does_nothing) {
    Played played{16, 1};
    played.consumer.start();
    played.write(4);
    const std::uint64_t up_to = played.producer.clear_up_to();
    played.write(4);
    played.block(6);
    EXPECT_TRUE(played.consumer.clear(up_to));
    EXPECT_EQ(played.block(2), (Samples{7, 8}));
}

TEST(Playback, a_clear_of_frames_that_were_never_written_is_refused) {
    Played played{16, 1};
    played.consumer.start();
    played.write(4);
    EXPECT_FALSE(played.consumer.clear(5));
    EXPECT_FALSE(played.consumer.clear(~std::uint64_t{0}));
    EXPECT_EQ(played.block(4), numbers(1, 5));
}

TEST(Playback, that_has_ended_stays_so) {
    Played played{16, 1};
    played.consumer.start();
    played.write(4);
    played.block(1);
    played.consumer.end(StreamPhase::new_samplerate);
    EXPECT_EQ(played.block(2), (Samples{0, 0}));
    EXPECT_EQ(played.position().phase, StreamPhase::new_samplerate);
    EXPECT_EQ(played.position().waiting, 3U);
    EXPECT_FALSE(played.consumer.start());
    EXPECT_FALSE(played.consumer.stop());
    EXPECT_EQ(played.position().phase, StreamPhase::new_samplerate);
}

TEST(Playback, has_one_end_of_each_kind_and_a_power_of_two_of_frames) {
    Samples samples(12);
    SharedPlayback<> shared;
    EXPECT_EQ(refusal<ArgumentError>([&] { const PlaybackProducer<> end{shared, std::span{samples}, 1}; }),
              "a ring's capacity must be a power of two, got 12");
    const PlaybackProducer<> producer{shared, std::span{samples}, 3};
    EXPECT_THROW((PlaybackProducer<>{shared, std::span{samples}, 3}), EndTakenError);
    const PlaybackConsumer<> consumer{shared, std::span{samples}, 3};
    EXPECT_THROW((PlaybackConsumer<>{shared, std::span{samples}, 3}), EndTakenError);
}

/// Writes, plays, clears, starts and stops at random, beside a plain model. Returns the difference, or an empty text.
template <class Memory>
std::string differs(std::size_t capacity, std::uint64_t seed, int steps) {
    constexpr std::size_t fade = 3;
    Played<Memory> played{capacity, 1, fade};
    std::deque<float> waiting;
    PlaybackPosition model;
    std::uint64_t complete = 0;
    std::uint64_t clear_to = 0;
    std::size_t fade_left = 0;
    std::size_t fade_frames = 0;
    bool runs = false;
    std::mt19937_64 random{seed};
    const auto index = [&] { return model.played + model.cleared; };
    const auto drop = [&] {
        for (; index() < clear_to; ++model.cleared) waiting.pop_front();
    };
    for (int step = 0; step < steps; ++step) {
        const std::size_t some = random() % (capacity + 2);
        switch (random() % 8) {
            case 0:
            case 1:
            case 2: {
                const bool last = random() % 4 == 0;
                const std::size_t expected = std::min(some, capacity - waiting.size());
                const std::uint64_t first = model.written;
                if (played.write(some, last) != expected) return "wrong room";
                model.written += expected;
                for (std::uint64_t at = first; at < model.written; ++at) waiting.push_back(Played<>::number(at));
                if (last && expected == some) complete = model.written;
                break;
            }
            case 3:
                if (runs) {
                    played.consumer.stop();
                    fade_left = 0;
                    drop();
                } else {
                    played.consumer.start();
                }
                runs = !runs;
                break;
            case 4: {
                complete = model.written;
                if (!played.consumer.clear(played.producer.clear_up_to())) return "refused a clear";
                clear_to = model.written;
                if (runs && fade_left == 0) fade_left = fade_frames = std::min(waiting.size(), fade);
                if (!runs || fade_left == 0) drop();
                break;
            }
            default: {
                const Samples block = played.block(some);
                for (const float found : block) {
                    float expected = 0;
                    if (runs && fade_left > 0) {
                        expected = waiting.front() * (1.0F / static_cast<float>(fade_frames + 1)) *
                                   static_cast<float>(fade_left);
                        waiting.pop_front();
                        ++model.played;
                        if (--fade_left == 0) drop();
                    } else if (runs && !waiting.empty()) {
                        expected = waiting.front();
                        waiting.pop_front();
                        ++model.played;
                    } else if (runs && index() != complete) {
                        ++model.underrun;
                    }
                    if (std::abs(found - expected) > 1e-6F * expected) return "wrong sample";
                }
                const PlaybackPosition position = played.position();
                if (position.played != model.played) return "wrong number of played frames";
                if (position.cleared != model.cleared) return "wrong number of cleared frames";
                if (position.underrun != model.underrun) return "wrong underrun";
                if (position.written != model.written) return "wrong number of written frames";
                if (position.waiting != waiting.size()) return "wrong number of waiting frames";
            }
        }
    }
    return "";
}

TEST(Playback, does_what_a_plain_model_does) {
    const std::uint64_t number = seed();
    for (const std::size_t capacity : {1U, 2U, 8U, 64U}) {
        EXPECT_EQ(differs<StdMemory>(capacity, number, 20'000), "") << capacity;
    }
}

TEST(Playback, broken_ones_differ_from_a_plain_model) {
    const std::uint64_t number = seed();
    EXPECT_NE(differs<SkewedMemory<1>>(8, number, 20'000), "");
    EXPECT_NE(differs<SkewedMemory<-1>>(8, number, 20'000), "");
    EXPECT_NE(differs<MuteMemory>(8, number, 20'000), "");
}

/// A thread writes numbers and may clear now and then, while another plays blocks. Returns the first fault, or an empty
/// text. A mutant must not clear: frames under a ramp are not checked, and it would wait for ever after a fault there.
template <class Memory>
std::string goes_wrong_between_threads(std::uint64_t count, bool clears_too) {
    constexpr std::size_t capacity = 64;
    constexpr std::size_t channels = 2;
    constexpr std::size_t fade = 4;
    constexpr std::size_t most = 13;  // frames of a block
    Played<Memory> played{capacity, channels, fade};
    Ring<std::uint64_t, 16> clears;
    Producer<decltype(clears)> to_audio{clears};
    Consumer<decltype(clears)> commands{clears};
    std::atomic<bool> all_written = false;
    std::atomic<bool> gave_up = false;
    std::string wrong;
    std::uint64_t heard = 0;
    std::thread audio{[&] {
        played.consumer.start();
        float last = 0;
        std::size_t fading = 0;
        for (std::size_t frames = 1; wrong.empty(); frames = frames % most + 1) {
            const bool is_last = all_written;
            for (std::uint64_t up_to = 0; commands.try_pop(up_to) == Status::ok; fading = fade) {
                if (!played.consumer.clear(up_to)) wrong = "a clear is refused";
            }
            const Samples block = played.block(frames);
            for (std::size_t frame = 0; frame < frames; ++frame) {
                const float sample = block[frame * channels];
                if (block[frame * channels + 1] != sample) wrong = "a frame is torn";
                if (sample == 0) continue;
                ++heard;
                if (fading > 0) {
                    --fading;  // it may be under the ramp
                    continue;
                }
                if (sample <= last || sample != std::floor(sample)) wrong = "a frame is old, or no whole number";
                last = sample;
            }
            if (is_last && block.back() == 0) break;
            std::this_thread::yield();
        }
        gave_up = true;
    }};
    std::string wrong_position;
    std::uint64_t written = 0;
    PlaybackPosition before;
    for (std::size_t turn = 1; written < count && !gave_up; ++turn) {
        const std::size_t frames = played.write(std::min<std::uint64_t>(turn % 17, count - written));
        written += frames;
        if (clears_too && turn % 50 == 0) to_audio.try_push(played.producer.clear_up_to());
        PlaybackPosition now;
        if (read_position(played.shared, now)) {
            const bool adds_up = now.written == written && now.played + now.cleared + now.waiting == written;
            // A block may drop all that waits and play on before it counts that.
            if (!adds_up || now.waiting > 2 * capacity + most) wrong_position = "a position does not add up";
            if (now.played < before.played || now.cleared < before.cleared) wrong_position = "a count goes back";
            before = now;
        }
        if (frames == 0) std::this_thread::yield();
    }
    all_written = true;
    audio.join();
    if (wrong.empty()) wrong = wrong_position;
    const PlaybackPosition end = played.position();
    if (wrong.empty() && end.waiting != 0) wrong = "frames wait at the end";
    if (wrong.empty() && end.played != heard) wrong = "played is not what was heard";
    return wrong;
}

TEST(Playback, between_threads_accounts_for_every_frame) {
    EXPECT_EQ(goes_wrong_between_threads<StdMemory>(200'000, true), "");
}

TEST(Playback, through_a_skewed_ring_does_not) {
    if (thread_sanitizer) GTEST_SKIP() << "a race on purpose, under the thread sanitizer";
    EXPECT_NE(goes_wrong_between_threads<SkewedMemory<1>>(200'000, false), "");
}

}  // namespace
}  // namespace cueline::test
