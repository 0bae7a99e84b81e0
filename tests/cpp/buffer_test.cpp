// buffer_test.cpp: buffers handed to the audio thread: whole, counted, refused with numbers, and freed on a control
// thread.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/error.hpp>
#include <cueline/schedule.hpp>

#include "allocation_counter.hpp"
#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "engine/buffer_pool.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "refusal.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

constexpr Format format{.samplerate = 48'000, .outputs = 2, .blocksize = 64};

/// Sample N of each block is the first sample in slot N, as far as the block reaches. The processor reads all samples
/// in its slots, and counts those that differ from the first: a torn buffer.
class SlotsProcessor final : public Processor {
  public:
    explicit SlotsProcessor(std::uint32_t slots) : slots_{slots}, firsts_(slots) {}
    void prepare(const Format&) override {}
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        for (std::uint32_t slot = 0; slot < slots_; ++slot) {
            const Buffer* const buffer = context.buffer(slot);
            firsts_[slot] = buffer == nullptr ? 0 : buffer->sample(0, 0);
            if (buffer == nullptr) continue;
            const float first = firsts_[slot];
            for (const float sample : buffer->interleaved) {
                if (sample != first) torn_.add(1);
            }
            if (slot < block.frames) block.output(0)[slot] = first;
        }
        seen_.raise_to(allocations_on_this_thread());
    }
    /// The first sample in each slot in the last block, 0 for an empty one. Only while no block runs.
    [[nodiscard]] const std::vector<float>& firsts() const { return firsts_; }
    [[nodiscard]] std::uint64_t torn() const { return torn_.get(); }
    [[nodiscard]] std::uint64_t allocations() const { return seen_.get(); }

  private:
    std::uint32_t slots_;
    std::vector<float> firsts_;
    SilenceProcessor quiet_;
    Counter torn_;
    Counter seen_;
};

struct Offline {
    explicit Offline(std::uint32_t slots = 8) : Offline{std::make_unique<SlotsProcessor>(slots)} {}
    explicit Offline(std::unique_ptr<SlotsProcessor> own,
                     std::unique_ptr<Device> opened = std::make_unique<OfflineDevice>(format))
        : processor{own.get()}, device{opened.get()}, engine{std::move(opened), std::move(own)} {
        engine.start();
    }

    Status publish(std::int64_t slot, float value, std::size_t frames = 10) {
        return engine.publish(slot, std::vector<float>(frames, value), 1);
    }
    /// The value in each of the first slots, 0 for an empty one.
    std::vector<float> block() {  // NOLINT(readability-make-member-function-const): it plays on
        std::vector<float> audio(std::size_t{format.blocksize} * format.outputs);
        device->render(audio);
        std::vector<float> values;
        for (std::size_t slot = 0; slot < std::min(engine.buffer_slots(), format.blocksize); ++slot)
            values.push_back(audio[slot * format.outputs]);
        return values;
    }
    [[nodiscard]] std::uint32_t in_use() const { return engine.stats().buffers.in_use; }

    SlotsProcessor* processor;
    Device* device;
    Engine engine;
};

/// Both sides of a pool, without an engine.
struct Pool {
    explicit Pool(std::uint32_t count, std::uint32_t loaded = 0)
        : control{count, loaded, returns}, slots{control.audio_side()} {}

    BufferHandle publish(const std::vector<float>& samples, std::uint32_t channels = 1) {
        return control.hand_over(control.make(samples, channels));
    }

    BufferSlots::Table::Returns returns;
    BufferPool control;
    BufferSlots slots;
};

TEST(Buffers, one_is_in_its_slot_in_the_block_that_reads_its_command) {
    Offline offline;
    EXPECT_EQ(offline.publish(3, 0.5F), Status::ok);
    EXPECT_EQ(offline.block(), (std::vector<float>{0, 0, 0, 0.5F, 0, 0, 0, 0}));
    EXPECT_EQ(offline.engine.stats().unhandled, 0U);
}

TEST(Buffers, one_has_its_frames_channels_and_samples) {
    Pool pool{1};
    const std::vector<float> samples{1, 2, 3, 4, 5, 6};
    pool.slots.apply({0, pool.publish(samples, 2)});
    const Buffer& buffer = *pool.slots.at(0);
    EXPECT_EQ(buffer.frames, 3U);
    EXPECT_EQ(buffer.channels, 2U);
    EXPECT_EQ(buffer.serial, 1U);
    EXPECT_EQ(buffer.sample(0, 1), 2);
    EXPECT_EQ(buffer.sample(2, 0), 5);
    EXPECT_TRUE(std::ranges::equal(buffer.interleaved, samples));
    EXPECT_NE(buffer.interleaved.data(), samples.data());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.interleaved.data()) % page_bytes, 0U);
}

TEST(Buffers, a_copy_is_made) {
    Offline offline;
    std::vector<float> samples(100, 0.5F);
    offline.engine.publish(0, samples, 1);
    std::ranges::fill(samples, 9.0F);
    EXPECT_EQ(offline.block()[0], 0.5F);
    EXPECT_EQ(offline.processor->torn(), 0U);
}

TEST(Buffers, a_swap_frees_the_old_one_at_the_next_call) {
    Offline offline;
    offline.publish(0, 0.1F);
    offline.block();
    offline.publish(0, 0.2F);
    EXPECT_EQ(offline.in_use(), 2U);  // it is in flight
    EXPECT_EQ(offline.block()[0], 0.2F);
    EXPECT_EQ(offline.in_use(), 1U);
    EXPECT_EQ(offline.publish(0, 0.3F), Status::ok);
    offline.block();
    offline.publish(1, 0.4F);  // publish() also takes back what returned
    EXPECT_EQ(offline.in_use(), 2U);
}

TEST(Buffers, publish_nothing_empties_a_slot) {
    Offline offline;
    offline.publish(0, 0.1F);
    offline.publish(1, 0.2F);
    offline.block();
    EXPECT_EQ(offline.engine.publish_nothing(0), Status::ok);
    EXPECT_EQ(offline.engine.publish_nothing(7), Status::ok);
    EXPECT_EQ(offline.block(), (std::vector<float>{0, 0.2F, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(offline.in_use(), 1U);
}

TEST(Buffers, too_many_in_flight_are_refused_and_counted) {
    Offline offline;
    for (std::size_t count = 0; count < 128; ++count) ASSERT_EQ(offline.publish(0, 0.5F), Status::ok);
    EXPECT_EQ(offline.publish(0, 9.0F), Status::no_buffer);
    EXPECT_EQ(offline.engine.publish_nothing(1), Status::ok) << "it needs no handle";
    const BufferStats stats = offline.engine.stats().buffers;
    EXPECT_EQ(stats.limit, 128U);
    EXPECT_EQ(stats.published, stats.limit);
    EXPECT_EQ(stats.refused, 1U);
    EXPECT_EQ(stats.in_use, stats.limit);
    EXPECT_EQ(offline.block()[0], 0.5F);
    EXPECT_EQ(offline.in_use(), 1U);
    EXPECT_EQ(offline.publish(0, 0.7F), Status::ok);
    EXPECT_EQ(offline.block()[0], 0.7F);
}

TEST(Buffers, a_full_command_ring_refuses_and_nothing_is_kept) {
    Offline offline;
    while (offline.engine.control().ping() == Status::ok) {
    }
    const std::uint64_t dropped = offline.engine.stats().commands.dropped;
    EXPECT_EQ(offline.publish(0, 0.5F), Status::full);
    const EngineStats stats = offline.engine.stats();
    EXPECT_EQ(stats.buffers.in_use, 0U);
    EXPECT_EQ(stats.buffers.bytes, 0U);
    EXPECT_EQ(stats.buffers.published, 0U);
    EXPECT_EQ(stats.commands.dropped, dropped + 1);
}

TEST(Buffers, as_many_slots_as_there_can_be_are_filled_and_swapped) {
    constexpr std::uint32_t slots = max_buffer_slots;
    Offline offline{slots};
    EXPECT_EQ(offline.engine.buffer_slots(), slots);
    EXPECT_EQ(offline.engine.stats().buffers.limit, 2 * slots);
    const auto fill = [&](float first) {
        for (std::uint32_t slot = 0; slot < slots; ++slot) {
            ASSERT_EQ(offline.publish(slot, first + static_cast<float>(slot)), Status::ok) << slot;
            if (slot % 1000 == 999) offline.block();  // the command ring holds 1024
        }
        offline.block();
    };
    std::vector<float> expected(slots);
    std::iota(expected.begin(), expected.end(), 1.0F);
    fill(1);
    EXPECT_EQ(offline.processor->firsts(), expected);
    EXPECT_EQ(offline.in_use(), slots);
    std::iota(expected.begin(), expected.end(), 10'000.0F);
    fill(10'000);
    EXPECT_EQ(offline.processor->firsts(), expected);
    EXPECT_EQ(offline.in_use(), slots);
    EXPECT_EQ(offline.processor->torn(), 0U);
    EXPECT_EQ(offline.engine.stats().unhandled, 0U);

    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        ASSERT_EQ(offline.engine.publish_nothing(slot), Status::ok);
        if (slot % 1000 == 999) offline.block();
    }
    offline.block();
    EXPECT_TRUE(offline.engine.has_returned_buffers());
    EXPECT_EQ(offline.in_use(), 0U) << "all came back, and are freed in one call";
    EXPECT_FALSE(offline.engine.has_returned_buffers());
    EXPECT_EQ(offline.engine.stats().buffers.bytes, 0U);
}

TEST(Buffers, there_are_twice_as_many_as_slots_and_at_least_128) {
    EXPECT_EQ(max_buffers(0), 0U);
    EXPECT_EQ(max_buffers(1), 128U);
    EXPECT_EQ(max_buffers(64), 128U);
    EXPECT_EQ(max_buffers(1080), 2160U);
    EXPECT_EQ(max_buffers(4096), 8192U);
    Pool pool{100};  // no power of two
    const std::vector<float> samples(1);
    for (int count = 0; count < 200; ++count) {
        ASSERT_TRUE(pool.slots.apply({static_cast<std::uint32_t>(count) % 100, pool.publish(samples)}));
    }
    std::vector<BufferHandle> under_way;
    for (int count = 0; count < 100; ++count) under_way.push_back(pool.publish(samples));
    EXPECT_FALSE(static_cast<bool>(pool.control.make(samples, 1)));
    for (const BufferHandle handle : under_way) pool.slots.discard({0, handle});
    EXPECT_EQ(pool.control.stats().in_use, 100U);
}

TEST(Buffers, without_slots_there_are_none) {
    Pool pool{0};
    EXPECT_FALSE(static_cast<bool>(pool.control.make(std::vector<float>(1), 1)));
    EXPECT_FALSE(pool.slots.apply({0, no_buffer}));
    pool.slots.discard({0, first_handle(0)});
    EXPECT_EQ(pool.slots.at(0), nullptr);
    EXPECT_EQ(pool.control.stats().limit, 0U);
}

TEST(Buffers, refusals_have_the_numbers) {
    Offline offline;
    const std::vector<float> six(6);
    const auto said = [&](std::int64_t slot, std::span<const float> samples, std::int64_t channels) {
        return refusal<ArgumentError>([&] { offline.engine.publish(slot, samples, channels); });
    };
    EXPECT_EQ(said(9, six, 1), "slot must be from 0 to 7, got 9");
    EXPECT_EQ(said(8, six, 1), "slot must be from 0 to 7, got 8");
    EXPECT_EQ(said(-1, six, 1), "slot must be from 0 to 7, got -1");
    EXPECT_EQ(said(std::numeric_limits<std::int64_t>::max(), six, 1),
              "slot must be from 0 to 7, got 9223372036854775807");
    EXPECT_EQ(said(0, six, 0), "channels must be from 1 to 1024, got 0");
    EXPECT_EQ(said(0, six, 1025), "channels must be from 1 to 1024, got 1025");
    EXPECT_EQ(said(0, six, 4), "a buffer of 4 channels must have whole frames, got 6 samples");
    EXPECT_EQ(said(0, {}, 1), "a buffer must be from 1 to 2147483647 samples, got 0");
    EXPECT_EQ(said(0, {six.data(), std::size_t{1} << 31U}, 1),
              "a buffer must be from 1 to 2147483647 samples, got 2147483648");
    EXPECT_EQ(refusal<ArgumentError>([&] { offline.engine.publish_nothing(8); }), "slot must be from 0 to 7, got 8");
    EXPECT_EQ(offline.in_use(), 0U);
    EXPECT_EQ(offline.engine.stats().commands.sent, 0U);

    Offline without{0};
    EXPECT_EQ(refusal<ArgumentError>([&] { without.publish(0, 1); }),
              "this engine's processor has no slots for buffers");
    EXPECT_EQ(refusal<ArgumentError>([] { const Offline wants_too_many{4097}; }),
              "a processor has at most 4096 slots for buffers, got 4097");
}

TEST(Buffers, commands_that_publish_did_not_send_do_nothing) {
    Offline offline;
    offline.publish(0, 0.5F);
    offline.block();
    const auto send = [&](std::uint32_t slot, std::uint32_t handle) {
        offline.engine.control().send(cueline::kind::publish_buffer, PublishBuffer{slot, handle});
    };
    constexpr BufferHandle sent_handles = 3 * 129;
    const auto send_all = [&] {
        // The first handles of each place, and of one outside the table. One of them is in slot 0, and none else is
        // offered.
        for (BufferHandle handle = 0; handle < sent_handles; ++handle) {
            send(1, handle % 129 + handle / 129 * handle_places);
            if (handle % 100 == 99) offline.block();
        }
        send(1, no_buffer - 1);
        send(8, no_buffer);  // no such slot
    };
    send_all();
    EXPECT_EQ(offline.block(), (std::vector<float>{0.5F, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(offline.engine.stats().unhandled, sent_handles + 2);
    EXPECT_EQ(offline.in_use(), 1U);

    offline.engine.publish_nothing(0);
    offline.block();
    send_all();  // while the buffer is on its way back
    EXPECT_EQ(offline.block(), (std::vector<float>(8)));
    EXPECT_EQ(offline.engine.stats().unhandled, 2 * (sent_handles + 2));
    EXPECT_EQ(offline.in_use(), 0U);
    EXPECT_EQ(offline.publish(1, 0.25F), Status::ok);
    EXPECT_EQ(offline.block()[1], 0.25F);
}

TEST(Buffers, a_copy_of_a_command_does_nothing) {
    Offline offline;
    offline.publish(0, 0.5F);
    const auto send_copy = [&] {
        const PublishBuffer copy{0, first_handle(0)};
        offline.engine.control().send(cueline::kind::publish_buffer, copy);
    };
    send_copy();
    EXPECT_EQ(offline.block()[0], 0.5F);
    EXPECT_EQ(offline.engine.stats().unhandled, 1U);

    offline.engine.publish_nothing(0);
    offline.block();  // the buffer is on its way back: its place is still filled
    send_copy();
    EXPECT_EQ(offline.block()[0], 0.0F);
    EXPECT_EQ(offline.engine.stats().unhandled, 2U);

    EXPECT_EQ(offline.in_use(), 0U);  // frees it
    send_copy();
    EXPECT_EQ(offline.block()[0], 0.0F);
    EXPECT_EQ(offline.engine.stats().unhandled, 3U);

    offline.publish(1, 0.25F);  // the same place, filled again
    send_copy();
    EXPECT_EQ(offline.block(), (std::vector<float>{0, 0.25F, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(offline.engine.stats().unhandled, 4U);
    EXPECT_EQ(offline.in_use(), 1U);
}

TEST(Buffers, handles_of_a_place_begin_again_before_no_buffer) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{5}, std::size_t{handle_places - 1}}) {
        const BufferHandle first = first_handle(place);
        EXPECT_EQ(place_of(first), place);
        EXPECT_EQ(handle_after(first), first + handle_places);
        BufferHandle handle = first;
        std::uint32_t count = 1;
        for (; handle_after(handle) != first; ++count) {
            handle = handle_after(handle);
            ASSERT_EQ(place_of(handle), place);
            ASSERT_NE(handle, no_buffer);
        }
        EXPECT_EQ(count, (1U << 19U) - 2);
    }
}

TEST(Buffers, one_that_is_never_applied_comes_straight_back) {
    Pool pool{1};
    const std::vector<float> samples(10);
    const BufferHandle dropped = pool.publish(samples);
    pool.slots.discard({0, dropped});
    pool.slots.discard({0, no_buffer});
    pool.slots.discard({0, first_handle(128)});  // outside the table
    EXPECT_EQ(pool.slots.at(0), nullptr);
    EXPECT_EQ(pool.control.stats().in_use, 0U);

    const BufferHandle applied = pool.publish(samples);
    EXPECT_TRUE(pool.slots.apply({0, applied}));
    const Buffer* const buffer = pool.slots.at(0);
    pool.slots.discard({0, applied});  // it is not in flight
    EXPECT_EQ(pool.control.stats().in_use, 1U);
    const BufferHandle astray = pool.publish(samples);
    EXPECT_FALSE(pool.slots.apply({1, astray}));  // no such slot
    pool.slots.discard({1, astray});
    EXPECT_EQ(pool.control.stats().in_use, 1U);
    EXPECT_EQ(pool.slots.at(0), buffer);
}

TEST(Buffers, one_can_be_published_at_a_frame) {
    Offline offline;
    const std::vector<float> samples(10, 0.5F);
    EXPECT_EQ(offline.engine.publish(0, samples, 1, {.frame = 64}), Status::ok);
    EXPECT_EQ(offline.engine.publish_nothing(0, {.frame = 128}), Status::ok);
    EXPECT_EQ(offline.block()[0], 0);
    EXPECT_EQ(offline.block()[0], 0.5F);
    EXPECT_EQ(offline.block()[0], 0);
    EXPECT_EQ(offline.in_use(), 0U);
}

TEST(Buffers, one_for_a_frame_finds_room_in_a_full_ring_on_the_offline_device) {
    Offline offline;
    const auto fill = [&] {
        while (offline.engine.control().ping() == Status::ok) {
        }
    };
    const std::vector<float> samples(10, 0.5F);
    fill();
    EXPECT_EQ(offline.engine.publish(0, samples, 1, {.frame = 64}), Status::ok);
    fill();
    EXPECT_EQ(offline.engine.publish_nothing(0, {.frame = 128}), Status::ok);
    EXPECT_EQ(offline.block()[0], 0);
    EXPECT_EQ(offline.block()[0], 0.5F);
    EXPECT_EQ(offline.block()[0], 0);
}

TEST(Buffers, dropped_cancelled_and_refused_ones_come_back) {
    Offline offline{std::make_unique<SlotsProcessor>(8), std::make_unique<StepDevice>(format)};
    const std::vector<float> samples(10, 0.5F);
    offline.publish(0, 0.25F);
    offline.block();
    // Dropped because they are late.
    offline.engine.publish(0, samples, 1, {.frame = 1, .flags = delivery::drop_if_late});
    EXPECT_EQ(offline.in_use(), 2U);
    offline.block();
    EXPECT_EQ(offline.in_use(), 1U);
    // Cancelled: one alone, then all.
    offline.engine.publish(0, samples, 1, {.frame = 10'000});
    offline.engine.control().cancel(offline.engine.control().sequence());
    offline.engine.publish(0, samples, 1, {.frame = 10'000});
    offline.engine.publish(0, samples, 1, {.frame = 10'000});
    offline.engine.control().cancel_all();
    EXPECT_EQ(offline.in_use(), 4U);
    offline.block();
    EXPECT_EQ(offline.in_use(), 1U);
    // Refused by a full schedule, a single command.
    for (std::size_t cue = 0; cue < Schedule::line_capacity; ++cue) {
        offline.engine.control().send(cueline::kind::ping, Ping{}, {.frame = 10'000});
        if (cue % default_budget == 0) offline.block();
    }
    for (int block = 0; block < 5; ++block) offline.block();
    EXPECT_EQ(offline.engine.stats().cues.pending, Schedule::line_capacity);
    offline.engine.publish(0, samples, 1, {.frame = 10'000});
    EXPECT_EQ(offline.in_use(), 2U);
    offline.block();
    EXPECT_EQ(offline.in_use(), 1U);
    EXPECT_EQ(offline.engine.stats().unhandled, 0U);
    EXPECT_EQ(offline.block()[0], 0.25F);
}

TEST(Buffers, one_that_was_made_but_not_sent_is_freed) {
    Offline offline;
    {
        const std::vector<float> samples(10);
        PendingBuffer made = offline.engine.make_buffer(0, samples, 1);
        PendingBuffer moved = std::move(made);
        EXPECT_TRUE(static_cast<bool>(moved));
        EXPECT_EQ(offline.in_use(), 1U);
        moved = offline.engine.make_buffer(0, samples, 1);
    }
    EXPECT_EQ(offline.in_use(), 0U);
}

TEST(Buffers, closing_frees_all_wherever_they_are) {
    Offline offline;
    offline.publish(0, 0.1F);  // in a slot
    offline.publish(1, 0.2F);  // on its way back
    offline.block();
    offline.publish(1, 0.3F);
    offline.block();
    offline.publish(2, 0.4F);                                                       // in a command
    PendingBuffer made = offline.engine.make_buffer(3, std::vector<float>(10), 1);  // not sent yet
    offline.engine.close();
    EXPECT_EQ(offline.engine.stats().buffers.bytes, 0U);
    EXPECT_EQ(refusal<ClosedError>([&] { offline.engine.publish(3, std::move(made)); }),
              "this engine is closed: make a new one");
    EXPECT_EQ(offline.in_use(), 0U);
    EXPECT_EQ(refusal<ClosedError>([&] { offline.publish(0, 1); }), "this engine is closed: make a new one");
}

TEST(Buffers, an_engine_frees_them_in_every_state) {
    // The address sanitizer's leak check finds what is not freed.
    Offline offline;
    for (int round = 0; round < 3; ++round) {
        for (int slot = 0; slot < 8; ++slot) offline.publish(slot, 0.5F);
        if (round < 2) offline.block();
    }
    EXPECT_GT(offline.in_use(), 8U);
}

TEST(Buffers, the_audio_thread_frees_none) {
    auto own = std::make_unique<SlotsProcessor>(2);
    const SlotsProcessor& processor = *own;
    Engine engine{std::make_unique<NullDevice>(Format{.blocksize = 64}), std::move(own)};
    engine.start();
    ASSERT_TRUE(eventually([&] { return engine.stats().blocks > 2; }));
    const std::uint64_t before = processor.allocations();
    std::uint64_t accepted = 0;
    while (accepted < 500) {
        const std::vector<float> samples(1'000, static_cast<float>(accepted + 1));
        if (engine.publish(static_cast<std::int64_t>(accepted % 2), samples, 1) == Status::ok) {
            ++accepted;
        } else {
            std::this_thread::yield();
        }
    }
    ASSERT_TRUE(eventually([&] { return engine.stats().buffers.in_use == 2; }));
    const std::uint64_t swaps = engine.stats().buffers.published;
    engine.close();
    EXPECT_EQ(swaps, accepted);
    EXPECT_EQ(processor.torn(), 0U);
    EXPECT_EQ(engine.stats().unhandled, 0U);
    if (allocations_are_counted()) {
        EXPECT_EQ(processor.allocations(), before);
    }
}

TEST(Buffers, freeing_one_on_the_audio_thread_would_be_counted) {
    if (!allocations_are_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
    const std::uint64_t before = allocations_on_this_thread();
    {
        const LockedSamples freed_here{std::vector<float>(10)};
    }
    EXPECT_GT(allocations_on_this_thread(), before);
}

TEST(Buffers, many_threads_make_them_at_once_and_all_arrive_whole) {
    auto own = std::make_unique<SlotsProcessor>(8);
    const SlotsProcessor& processor = *own;
    Engine engine{std::make_unique<NullDevice>(Format{.blocksize = 64}), std::move(own)};
    engine.start();
    std::mutex sending;
    std::atomic<std::uint64_t> accepted = 0;
    const auto publish_some = [&](std::uint64_t seed) {
        std::mt19937_64 random{seed};
        for (int count = 0; count < 300; ++count) {
            const std::vector<float> samples(1 + random() % 5'000, static_cast<float>(random() % 1'000));
            const auto slot = static_cast<std::int64_t>(random() % 8);
            PendingBuffer made = engine.make_buffer(slot, samples, 1);
            const std::scoped_lock lock{sending};
            if (engine.publish(slot, std::move(made)) == Status::ok) ++accepted;
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) threads.emplace_back(publish_some, seed);
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(eventually([&] { return engine.stats().buffers.in_use <= 8; }));
    EXPECT_EQ(engine.stats().buffers.published, accepted);
    EXPECT_EQ(processor.torn(), 0U);
}

/// Plays the loaded buffer that a message names. Releases it if a message says so.
class LoadProcessor final : public Processor {
  public:
    struct Play {
        static constexpr Kind kind = 300;
        BufferHandle sound;
    };
    struct Release {
        static constexpr Kind kind = 301;
        BufferHandle sound;
    };

    explicit LoadProcessor(std::uint32_t loaded, std::uint32_t slots = 0) : loaded_{loaded}, slots_{slots} {}
    void prepare(const Format&) override {}
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return loaded_; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind == Release::kind) return context.release_buffer(command.as<Release>().sound);
        if (command.kind != Play::kind) return false;
        sound_ = command.as<Play>().sound;
        return context.loaded_buffer(sound_) != nullptr;
    }
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        context.release_buffer(command.as<Play>().sound);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
        const Buffer* const buffer = context.loaded_buffer(sound_);
        if (buffer == nullptr) return;
        for (std::uint32_t frame = 0; frame < std::min(block.frames, buffer->frames); ++frame) {
            block.output(0)[frame] = buffer->sample(frame, 0);
        }
    }

  private:
    std::uint32_t loaded_;
    std::uint32_t slots_;
    BufferHandle sound_ = 0;
    SilenceProcessor quiet_;
};

class LoadedBuffers : public testing::Test {
  protected:
    using Play = LoadProcessor::Play;
    using Release = LoadProcessor::Release;

    BufferHandle load(float value) {
        const auto handle = engine_->load_buffer(std::vector<float>(10, value), 1);
        EXPECT_TRUE(handle.has_value());
        return handle.value_or(0);
    }
    template <class Command>
    void send(const Command& command, const Delivery& delivery = {}) {
        EXPECT_EQ(engine_->control().send(Command::kind, command, delivery), Status::ok);
    }
    /// The first sample of the next block.
    float block() { return device_->run().front(); }
    [[nodiscard]] BufferStats buffers() const { return engine_->stats().buffers; }

    StepDevice* device_ = nullptr;
    std::unique_ptr<Engine> engine_ = [this] {
        auto device = std::make_unique<StepDevice>(format);
        device_ = device.get();
        auto engine = std::make_unique<Engine>(std::move(device), std::make_unique<LoadProcessor>(4));
        engine->start();
        return engine;
    }();
};

TEST_F(LoadedBuffers, one_is_found_by_its_handle_in_any_number_of_messages) {
    const BufferHandle half = load(0.5F);
    const BufferHandle quarter = load(0.25F);
    EXPECT_NE(half, quarter);
    for (int round = 0; round < 3; ++round) {
        send(Play{half});
        EXPECT_EQ(block(), 0.5F);
        EXPECT_EQ(block(), 0.5F);
        send(Play{quarter});
        EXPECT_EQ(block(), 0.25F);
    }
    EXPECT_EQ(buffers().in_use, 2U);
    EXPECT_EQ(buffers().published, 2U);
    EXPECT_EQ(engine_->stats().unhandled, 0U);
}

TEST_F(LoadedBuffers, one_is_freed_when_it_was_unloaded_and_not_before_the_command_applies) {
    const BufferHandle sound = load(0.5F);
    send(Play{sound});
    EXPECT_EQ(engine_->unload_buffer(sound, {.frame = 100, .flags = delivery::confirm}), Status::ok);
    EXPECT_EQ(block(), 0.5F);
    EXPECT_EQ(buffers().in_use, 1U);
    block();
    EXPECT_EQ(buffers().in_use, 0U);
    EXPECT_EQ(buffers().bytes, 0U);
    EXPECT_EQ(block(), 0.0F) << "nobody finds it any more";
    engine_->unload_buffer(sound, {.flags = delivery::confirm});
    block();
    Message first;
    Message second;
    EXPECT_EQ(engine_->control().receive_confirmation(first), Status::ok);
    EXPECT_EQ(engine_->control().receive_confirmation(second), Status::ok);
    EXPECT_EQ(first.as<Applied>().value, 1U);
    EXPECT_EQ(second.as<Applied>().value, 0U) << "it was not loaded any more";
    EXPECT_EQ(engine_->stats().unhandled, 0U);
}

TEST_F(LoadedBuffers, a_processor_releases_one) {
    const BufferHandle sound = load(0.5F);
    send(Play{sound});
    send(Release{sound});
    EXPECT_EQ(block(), 0.0F);
    EXPECT_EQ(buffers().in_use, 0U);
    send(Release{sound});
    block();
    EXPECT_EQ(engine_->stats().unhandled, 1U) << "the second release finds nothing";
}

TEST_F(LoadedBuffers, one_that_a_discarded_command_carried_is_released_by_the_processor) {
    send(Play{load(0.5F)}, {.frame = 1000});
    engine_->control().cancel_all();
    block();
    EXPECT_EQ(buffers().in_use, 0U);
}

TEST_F(LoadedBuffers, close_frees_all) {
    const BufferHandle waiting = load(0.5F);
    load(0.25F);
    send(Play{waiting}, {.frame = 1000});
    block();
    EXPECT_EQ(buffers().in_use, 2U);
    engine_->close();
    EXPECT_EQ(buffers().in_use, 0U);
    EXPECT_EQ(buffers().bytes, 0U);
    EXPECT_THROW(engine_->load_buffer(std::vector<float>{1}, 1), ClosedError);
}

TEST_F(LoadedBuffers, no_more_are_loaded_than_the_processor_declares_and_an_old_handle_finds_no_new_buffer) {
    const BufferHandle first = load(0.1F);
    for (int count = 0; count < 3; ++count) load(0.2F);
    EXPECT_FALSE(engine_->load_buffer(std::vector<float>{1}, 1));
    EXPECT_EQ(buffers().refused, 1U);
    EXPECT_EQ(buffers().limit, 4U);
    engine_->unload_buffer(first);
    block();
    const BufferHandle again = load(0.3F);
    EXPECT_EQ(place_of(again), place_of(first));
    send(Play{first});
    EXPECT_EQ(block(), 0.0F);
    EXPECT_EQ(engine_->stats().unhandled, 1U);
    send(Play{again});
    EXPECT_EQ(block(), 0.3F);
}

TEST_F(LoadedBuffers, a_handle_of_a_closed_engine_finds_nothing_in_the_processors_next_engine) {
    const auto processor = std::make_shared<LoadProcessor>(4);
    for (int engine = 0; engine < 3; ++engine) {
        engine_->close();
        auto device = std::make_unique<StepDevice>(format);
        device_ = device.get();
        engine_ = std::make_unique<Engine>(std::move(device), processor);
        engine_->start();
        std::vector<BufferHandle> handles;
        for (int buffer = 0; buffer < 4; ++buffer) handles.push_back(load(0.5F));
        EXPECT_EQ(block(), 0.0F) << "the processor still has a handle of the engine before";
        send(Play{handles[0]});
        EXPECT_EQ(block(), 0.5F);
    }
}

TEST_F(LoadedBuffers, any_number_is_looked_up_safely) {
    load(0.5F);
    for (const BufferHandle handle : {0U, 1U, 8191U, 8192U + 4, 2 * 8192U, no_buffer, no_buffer - 1}) {
        send(Play{handle});
        EXPECT_EQ(block(), 0.0F) << handle;
        send(Release{handle});
        engine_->unload_buffer(handle);
    }
    block();
    EXPECT_EQ(buffers().in_use, 1U);
}

TEST_F(LoadedBuffers, one_in_a_slot_is_not_loaded_and_cannot_be_unloaded) {
    Pool pool{1, 1};
    const BufferHandle published = pool.publish({1, 2});
    pool.slots.apply({0, published});
    EXPECT_EQ(pool.slots.loaded(published), nullptr);
    EXPECT_FALSE(pool.slots.release(published));
    EXPECT_NE(pool.slots.at(0), nullptr);
}

TEST_F(LoadedBuffers, a_processor_that_declares_none_or_too_many_is_refused_with_the_number) {
    const auto made = [](std::uint32_t loaded, std::uint32_t slots) {
        return std::make_unique<Engine>(std::make_unique<StepDevice>(format),
                                        std::make_unique<LoadProcessor>(loaded, slots));
    };
    EXPECT_EQ(refusal<ArgumentError>([&] { made(0, 2)->load_buffer(std::vector<float>{1}, 1); }),
              "this engine's processor loads no buffers without a slot");
    EXPECT_EQ(made(8192, 0)->loaded_buffers(), 8192U);
    EXPECT_EQ(made(6192, 1000)->stats().buffers.limit, 8192U);
    EXPECT_EQ(refusal<ArgumentError>([&] { made(6193, 1000); }),
              "a processor with 1000 slots for buffers has at most 6192 buffers without a slot, got 6193");
}

}  // namespace
}  // namespace cueline::test
