// cue_test.cpp: cues, confirmations, transactions and cancels on the offline device.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <cueline/schedule.hpp>

#include "cues.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"

namespace cueline::test {
namespace {

void expect_refused(const Message& message, Reason reason, std::uint64_t wanted_frame) {
    EXPECT_EQ(message.kind, cueline::kind::refused);
    EXPECT_EQ(message.as<Refused>().reason, reason);
    EXPECT_EQ(message.as<Refused>().wanted_frame, wanted_frame);
}

TEST_F(Cues, change_their_own_sample_and_none_before) {
    set(1, 100);
    set(2, 101);
    set(3, 128);  // first frame of a block
    set(4, 191);  // last frame of a block
    const std::vector<float> audio = render(256);
    for (std::size_t frame = 0; frame < audio.size(); ++frame) {
        float expected = 0;
        if (frame >= 100) expected = 1;
        if (frame >= 101) expected = 2;
        if (frame >= 128) expected = 3;
        if (frame >= 191) expected = 4;
        ASSERT_EQ(audio[frame], expected) << frame;
    }
    EXPECT_EQ(counts().late, 0U);
}

TEST_F(Cues, of_one_frame_apply_in_the_order_of_their_sequence) {
    set(1, 70);
    set(2, 70);
    set(3, 70);
    EXPECT_EQ(render(128)[70], 3.0F);
    EXPECT_EQ(processor_->handled(), 3U);
}

TEST_F(Cues, for_a_blocks_first_frame_apply_before_commands_read_in_that_block) {
    set(1, 64);
    render(64);
    set(2, 0);
    set(3, 64);
    EXPECT_EQ(render(64)[0], 3.0F);
}

TEST_F(Cues, without_a_frame_apply_as_soon_as_they_are_read_and_are_never_late) {
    render(640);
    set(1, 0);
    EXPECT_EQ(render(64)[0], 1.0F);
    EXPECT_EQ(counts().late, 0U);
}

TEST_F(Cues, late_ones_apply_at_once_and_are_counted) {
    render(128);
    set(1, 127);
    set(2, 128);
    EXPECT_EQ(render(64)[0], 2.0F);
    EXPECT_EQ(counts().late, 1U);
    EXPECT_EQ(processor_->handled(), 2U);
}

TEST_F(Cues, late_ones_sent_with_drop_are_dropped_and_counted) {
    render(128);
    set(1, 127, delivery::drop_if_late);
    set(2, 130, delivery::drop_if_late);
    EXPECT_EQ(render(64)[0], 0.0F);
    EXPECT_EQ(counts().dropped_late, 1U);
    EXPECT_EQ(counts().late, 0U);
    EXPECT_EQ(processor_->handled(), 1U) << "only the other cue was in time";
    EXPECT_TRUE(events().empty());
}

TEST_F(Cues, give_the_same_samples_at_any_block_size) {
    std::mt19937 random{static_cast<std::uint32_t>(seed())};
    std::vector<std::pair<std::uint64_t, float>> cues;
    for (int count = 0; count < 200; ++count) {
        cues.emplace_back(1 + random() % 1999, static_cast<float>(random() % 1000));
    }
    std::vector<float> expected(2000);
    for (std::size_t frame = 0; frame < expected.size(); ++frame) {
        std::uint64_t latest = 0;
        for (const auto& [at, level] : cues) {
            if (at > frame || at < latest) continue;
            latest = at;
            expected[frame] = level;
        }
    }
    for (const std::uint32_t blocksize : {1U, 7U, 64U, 500U, 2048U}) {
        auto device =
            std::make_unique<OfflineDevice>(Format{.samplerate = 48'000, .outputs = 1, .blocksize = blocksize});
        OfflineDevice& renderer = *device;
        Engine engine{std::move(device), std::make_unique<LevelProcessor>()};
        engine.start();
        for (const auto& [at, level] : cues) engine.control().send(kind::set_level, level, {.frame = at});
        std::vector<float> audio(expected.size());
        renderer.render(audio);
        EXPECT_EQ(audio, expected) << "blocks of " << blocksize;
    }
}

TEST_F(LiveCues, are_refused_with_an_event_when_the_schedule_is_full) {
    constexpr std::uint64_t far = 100'000;
    std::uint32_t sent = 0;
    for (; sent < Schedule::line_capacity; ++sent) {
        ASSERT_EQ(set(static_cast<float>(sent), far + sent), Status::ok);
        if (sent % 256 == 255) render(64);
    }
    set(-1, far - 1);
    render(64);
    const std::vector<Message> told = events();
    ASSERT_EQ(told.size(), 1U);
    expect_refused(told[0], Reason::schedule_full, far - 1);
    EXPECT_EQ(told[0].sequence, sent + 1);
    EXPECT_EQ(counts().refused, 1U);
    EXPECT_EQ(counts().pending, 1024U);

    set(-2, 0);  // no cue, so it needs no room
    EXPECT_EQ(render(64)[0], -2.0F);
    const std::vector<float> audio = render(far + Schedule::line_capacity - engine_->now());
    EXPECT_EQ(audio.back(), static_cast<float>(Schedule::line_capacity - 1));
    EXPECT_EQ(processor_->handled(), Schedule::line_capacity + 1);
}

TEST_F(Cues, are_forgotten_when_cancelled) {
    set(1, 200);
    const std::uint32_t doomed = control().sequence();
    set(2, 201);
    control().cancel(doomed);
    const std::vector<float> audio = render(256);
    EXPECT_EQ(audio[200], 0.0F);
    EXPECT_EQ(audio[201], 2.0F);
    EXPECT_EQ(counts().cancelled, 1U);
    control().cancel(doomed);  // there is no such cue any more
    render(64);
    EXPECT_EQ(counts().cancelled, 1U);
}

TEST_F(Cues, are_all_forgotten_when_all_are_cancelled) {
    for (int count = 0; count < 10; ++count) set(1, 200 + static_cast<std::uint64_t>(count));
    control().cancel_all();
    set(2, 220);  // sent after it
    EXPECT_EQ(render(256)[219], 0.0F);
    EXPECT_EQ(counts().cancelled, 10U);
    EXPECT_EQ(processor_->handled(), 1U);
}

TEST_F(Cues, events_are_stamped_with_the_frame_of_the_cue_that_they_answer) {
    control().send(cueline::kind::ping, Ping{1}, {.frame = 77});
    render(128);
    const std::vector<Message> pongs = events();
    ASSERT_EQ(pongs.size(), 1U);
    EXPECT_EQ(pongs[0].frame, 77U);
}

TEST(BlockTime, maps_frames_to_the_clock_and_back) {
    std::mt19937_64 random{seed()};
    for (int count = 0; count < 10'000; ++count) {
        const BlockTime time{.frame = random() >> 28U,
                             .ns = (random() >> 12U) + (std::uint64_t{1} << 63U),
                             .samplerate = static_cast<std::uint32_t>(1000 + random() % 767'000)};
        const std::uint64_t frame = random() >> 28U;
        ASSERT_EQ(time.frame_at(time.time_at(frame)), frame);
    }
    const BlockTime time{.frame = 48'000, .ns = 7'000'000'000, .samplerate = 48'000};
    EXPECT_EQ(time.time_at(48'000), 7'000'000'000U);
    EXPECT_EQ(time.time_at(72'000), 7'500'000'000U);
    EXPECT_EQ(time.time_at(0), 6'000'000'000U);
    EXPECT_EQ(time.frame_at(7'250'000'000), 60'000U);
    EXPECT_EQ(time.frame_at(5'000'000'000), 0U) << "before the first frame";
}

TEST_F(Cues, time_is_that_of_the_last_block_that_began) {
    EXPECT_NE(refusal<DeviceError>([this] { static_cast<void>(engine_->block_time()); }).find("start the engine"),
              std::string::npos);
    render(640);
    const BlockTime time = engine_->block_time();
    EXPECT_EQ(time.frame, 576U);
    EXPECT_EQ(time.samplerate, 48'000U);
    EXPECT_LE(time.ns, monotonic_ns());
    EXPECT_EQ(engine_->now(), 640U);
}

TEST_F(Cues, confirmations_have_the_frame_at_which_a_cue_applied) {
    set(1, 77, delivery::confirm);
    render(64);
    EXPECT_TRUE(confirmations().empty()) << "the cue has not applied yet";
    render(64);
    const Message applied = confirmation();
    EXPECT_EQ(applied.kind, cueline::kind::applied);
    EXPECT_EQ(applied.frame, 77U);
    EXPECT_EQ(applied.sequence, 1U);
    EXPECT_FALSE(applied.as<Applied>().late);
    EXPECT_TRUE(events().empty()) << "events have a ring of their own";
    EXPECT_EQ(engine_->stats().confirmations.sent, 1U);
}

TEST_F(Cues, confirmations_say_that_a_cue_was_late) {
    render(128);
    set(1, 5, delivery::confirm);
    render(64);
    const Message applied = confirmation();
    EXPECT_EQ(applied.frame, 128U);
    EXPECT_TRUE(applied.as<Applied>().late);
}

TEST_F(LiveCues, confirmations_say_why_a_cue_was_not_applied) {
    render(128);
    set(1, 5, delivery::confirm | delivery::drop_if_late);
    render(64);
    expect_refused(confirmation(), Reason::late, 5);

    control().send(cueline::kind::first_user + 99, 0, {.flags = delivery::confirm});
    render(64);
    expect_refused(confirmation(), Reason::unknown, 0);
    EXPECT_EQ(engine_->stats().unhandled, 1U);

    set(1, 5000, delivery::confirm);
    control().cancel(control().sequence());
    render(64);
    expect_refused(confirmation(), Reason::cancelled, 5000);

    for (std::size_t count = 0; count <= Schedule::line_capacity; ++count) {
        set(1, 6000, delivery::confirm);
        if (count % 256 == 255) render(64);
    }
    render(64);
    expect_refused(confirmation(), Reason::schedule_full, 6000);
    EXPECT_TRUE(events().empty()) << "a confirmed cue gets no event as well";
}

TEST_F(LiveCues, cancelled_ones_leave_their_places_to_a_cue_that_finds_no_room) {
    std::uint32_t sent = 0;
    for (; sent < Schedule::line_capacity; ++sent) {
        set(1, 5000);
        if (sent % 256 == 255) render(64);
    }
    control().cancel(sent);
    set(2, 5000, delivery::confirm);
    render(64);
    EXPECT_EQ(counts().refused, 0U);
    EXPECT_EQ(counts().cancelled, 1U);
    EXPECT_EQ(counts().pending, Schedule::line_capacity);
    EXPECT_TRUE(confirmations().empty());
}

TEST_F(LiveCues, second_sweep_for_room_in_a_block_waits_for_the_end_of_reading) {
    for (std::uint32_t sent = 0; sent < Schedule::line_capacity; ++sent) {
        set(1, 5000);
        if (sent % 256 == 255) render(64);
    }
    control().cancel(1);
    set(2, 5000);
    control().cancel(2);
    set(3, 5000, delivery::confirm);  // it finds no room: one sweep for room a block
    render(64);
    EXPECT_EQ(counts().cancelled, 2U);
    EXPECT_EQ(counts().pending, Schedule::line_capacity - 1);
    expect_refused(confirmation(), Reason::schedule_full, 5000);
    set(4, 5000);
    render(64);
    EXPECT_EQ(counts().refused, 1U);
}

TEST_F(LiveCues, cancels_that_are_cues_themselves_cancel_what_is_due_after_them) {
    const std::uint64_t frame = 100;
    set(1, 90);
    set(2, 110, delivery::confirm);
    const std::uint32_t in_this_block = control().sequence();
    set(3, 500, delivery::confirm);
    const std::uint32_t later = control().sequence();
    for (const std::uint32_t sequence : {in_this_block, later}) {
        control().send(cueline::kind::cancel, Cancel{sequence}, {.frame = frame});
    }
    render(64);
    EXPECT_EQ(render(64).back(), 1.0F);
    const Message first = confirmation();
    expect_refused(first, Reason::cancelled, 110);
    EXPECT_EQ(first.frame, 110U) << "when it would have been due";
    render(64);
    const Message second = confirmation();
    expect_refused(second, Reason::cancelled, 500);
    EXPECT_EQ(second.frame, 128U) << "in the next block";
    EXPECT_EQ(counts().cancelled, 2U);
}

TEST_F(LiveCues, cancel_of_a_number_that_comes_later_does_nothing) {
    control().cancel(2);
    set(1, 100);  // number 2
    EXPECT_EQ(render(128)[100], 1.0F);
    EXPECT_EQ(counts().cancelled, 0U);
}

/// Sends cues on the offline device, however many wait.
class OfflineCues : public Cues {
  protected:
    void cue(float level, std::uint64_t frame, std::uint8_t flags = 0) {
        EXPECT_TRUE(engine_->make_room(0));
        EXPECT_EQ(set(level, frame, flags), Status::ok);
    }
};

TEST_F(OfflineCues, a_hundred_thousand_all_apply_at_their_frames) {
    constexpr std::uint64_t cues = 100'000;
    for (std::uint64_t count = 0; count < cues; ++count) {
        const std::uint64_t frame = 1 + count * 7919 % cues;  // each frame once, in no order
        cue(static_cast<float>(frame), frame);
    }
    EXPECT_EQ(engine_->stats().commands.sent, cues);
    const std::vector<float> audio = render(cues + 1);
    for (std::size_t frame = 0; frame <= cues; ++frame) ASSERT_EQ(audio[frame], static_cast<float>(frame));
    EXPECT_EQ(processor_->handled(), cues);
    EXPECT_EQ(counts().refused, 0U);
    EXPECT_EQ(counts().late, 0U);
    EXPECT_TRUE(events().empty());
}

TEST_F(OfflineCues, of_one_frame_keep_the_order_in_which_they_were_sent) {
    for (int count = 0; count < 5000; ++count)
        cue(static_cast<float>(count), 100 - static_cast<std::uint64_t>(count % 2));
    const std::vector<float> audio = render(128);
    EXPECT_EQ(audio[99], 4999.0F);
    EXPECT_EQ(audio[100], 4998.0F);
    EXPECT_EQ(processor_->handled(), 5000U);
}

TEST_F(OfflineCues, that_make_room_keep_their_order_among_other_commands) {
    while (set(1, 0) == Status::ok) {
    }
    EXPECT_EQ(set(2, 0), Status::full) << "it is no cue";
    EXPECT_EQ(engine_->stats().commands.sent, MessageRing::capacity);
    cue(3, 10);
    EXPECT_EQ(set(4, 0), Status::ok) << "the cue emptied the ring";
    const std::vector<float> audio = render(64);
    EXPECT_EQ(audio[9], 4.0F);
    EXPECT_EQ(audio[10], 3.0F);
    EXPECT_EQ(processor_->handled(), MessageRing::capacity + 2);
    EXPECT_EQ(engine_->stats().commands.dropped, 2U);
    EXPECT_EQ(engine_->stats().commands.high_water, MessageRing::capacity);
}

TEST_F(OfflineCues, beyond_the_ring_are_pending_confirmed_and_cancelled) {
    for (int count = 0; count < 3000; ++count) cue(1, 10'000);
    const std::uint32_t doomed = control().sequence();
    cue(2, 10'000, delivery::confirm);
    EXPECT_EQ(control().cancel(doomed), Status::ok);
    render(64);
    EXPECT_EQ(counts().pending, 3000U);
    EXPECT_EQ(counts().cancelled, 1U);
    for (int count = 0; count < 2000; ++count) cue(3, 20'000);
    Line line = engine_->open_line();
    line.cancel_all(true);
    cue(4, 20'001);
    render(20'128);
    EXPECT_EQ(counts().cancelled, 5001U);
    EXPECT_EQ(processor_->handled(), 1U) << "the cue that was sent after the cancel";
    expect_refused(confirmation(), Reason::cancelled, 10'000);
}

TEST_F(OfflineCues, thousands_of_single_cancels_find_their_cues) {
    constexpr std::uint32_t cues = 10'000;
    for (std::uint32_t count = 0; count < cues; ++count) cue(1, 50'000);
    for (std::uint32_t count = 0; count < cues; ++count) {
        EXPECT_TRUE(engine_->make_room(0));
        ASSERT_EQ(control().cancel(cues - count), Status::ok);
    }
    cue(2, 10);
    EXPECT_EQ(render(64)[10], 2.0F);
    EXPECT_EQ(counts().cancelled, cues);
    EXPECT_EQ(counts().pending, 0U);
}

TEST_F(OfflineCues, that_wait_for_a_block_raise_the_high_water_mark) {
    for (int count = 0; count < 10; ++count) cue(1, 10);
    render(64);
    EXPECT_EQ(engine_->line_stats(0).commands.high_water, 10U);
}

TEST_F(OfflineCues, on_each_line_make_room_in_its_own_ring) {
    Line line = engine_->open_line();
    while (set(1, 0) == Status::ok) {
    }
    for (int count = 0; count < 3000; ++count) {
        ASSERT_TRUE(engine_->make_room(line.number()));
        ASSERT_EQ(line.send(kind::set_level, 2.0F, {.frame = 30}), Status::ok);
    }
    EXPECT_EQ(set(1, 0), Status::full);
    EXPECT_EQ(render(64)[30], 2.0F);
    EXPECT_EQ(processor_->handled(), 4024U);
}

TEST_F(OfflineCues, make_room_while_another_thread_renders) {
    constexpr std::uint64_t cues = 50'000;
    std::atomic<bool> sent = false;
    std::thread renderer{[&] {
        while (!sent) render(64);
    }};
    for (std::uint64_t count = 0; count < cues; ++count) cue(static_cast<float>(count), 1);  // most are late
    sent = true;
    renderer.join();
    EXPECT_EQ(render(64)[63], static_cast<float>(cues - 1));
    EXPECT_EQ(processor_->handled(), cues);
}

TEST_F(LiveCues, have_no_more_room_than_the_ring) {
    while (set(1, 100) == Status::ok) {
    }
    EXPECT_FALSE(engine_->make_room(0));
    EXPECT_EQ(set(1, 100), Status::full);
}

TEST_F(OfflineCues, are_read_in_one_block_whatever_the_budget) {
    Cues::make(std::make_unique<OfflineDevice>(format), 1);
    for (std::uint64_t frame = 1; frame <= 64; ++frame) set(static_cast<float>(frame), frame);
    EXPECT_EQ(render(65).back(), 64.0F);
    EXPECT_EQ(counts().late, 0U);
}

std::vector<Message> levels(std::size_t number) {
    std::vector<Message> members;
    for (std::size_t count = 1; count <= number; ++count) {
        members.push_back(Message::of(kind::set_level, static_cast<float>(count)));
    }
    return members;
}

TEST_F(SmallBudget, transaction_is_applied_in_one_block_whatever_the_budget) {
    set(-1, 0);
    set(-2, 0);
    const std::uint32_t sequence = control().try_send_whole(levels(100), {.flags = delivery::confirm});
    EXPECT_EQ(sequence, 3U);
    EXPECT_EQ(render(64)[0], 100.0F);
    EXPECT_EQ(processor_->handled(), 102U);
    const Message applied = confirmation();
    EXPECT_EQ(applied.sequence, sequence) << "one confirmation for the whole transaction";
    EXPECT_EQ(applied.frame, 0U);
    EXPECT_EQ(control().sequence(), sequence + 100);
}

TEST_F(Cues, transaction_is_refused_whole_when_it_does_not_fit) {
    while (engine_->line_stats(0).commands.sent < 1024 - 100) set(-1, 0);
    EXPECT_EQ(control().try_send_whole(levels(100)), 0U) << "its header needs a place too";
    EXPECT_EQ(engine_->line_stats(0).commands.sent, 1024U - 100);
    EXPECT_NE(control().try_send_whole(levels(99)), 0U);
    EXPECT_EQ(engine_->line_stats(0).commands.sent, 1024U);
}

TEST_F(OfflineCues, transactions_find_room_and_stay_whole) {
    constexpr int transactions = 100;
    for (std::uint64_t count = 1; count <= transactions; ++count) {
        ASSERT_TRUE(engine_->make_room(0, 101));
        ASSERT_NE(control().try_send_whole(levels(100), {.frame = 100 * count, .flags = delivery::confirm}), 0U);
    }
    const std::uint32_t doomed = control().sequence() - 100;
    control().cancel(doomed);
    render(64);
    EXPECT_EQ(counts().pending, 99U * 101U);
    render(10'000);
    EXPECT_EQ(processor_->handled(), 9900U);
    EXPECT_EQ(counts().cancelled, 1U);
    EXPECT_EQ(confirmations().size(), 100U);
}

TEST_F(Cues, transaction_is_applied_at_its_frame_and_not_before) {
    control().try_send_whole(levels(20), {.frame = 100, .flags = delivery::confirm});
    set(-1, 100);
    const std::vector<float> audio = render(128);
    EXPECT_EQ(audio[99], 0.0F);
    EXPECT_EQ(audio[100], -1.0F) << "a later command applies after it";
    EXPECT_EQ(processor_->handled(), 21U);
    EXPECT_EQ(confirmation().frame, 100U);
}

TEST_F(LiveCues, transaction_is_refused_whole_when_the_schedule_is_full) {
    for (std::size_t count = 0; count < Schedule::line_capacity - 20; ++count) {
        set(-1, 5000);
        if (count % 256 == 255) render(64);
    }
    render(64);
    control().try_send_whole(levels(20), {.frame = 4000});
    render(64);
    const std::vector<Message> told = events();
    ASSERT_EQ(told.size(), 1U);
    expect_refused(told[0], Reason::schedule_full, 4000);
    EXPECT_EQ(counts().pending, Schedule::line_capacity - 20);
    control().try_send_whole(levels(19), {.frame = 4000});
    render(64);
    EXPECT_EQ(counts().pending, Schedule::line_capacity);
    EXPECT_TRUE(events().empty());
}

TEST_F(Cues, transaction_is_late_or_dropped_as_one) {
    render(128);
    control().try_send_whole(levels(5), {.frame = 7, .flags = delivery::drop_if_late});
    render(64);
    EXPECT_EQ(processor_->handled(), 0U);
    EXPECT_EQ(counts().dropped_late, 1U);
    control().try_send_whole(levels(5), {.frame = 7});
    EXPECT_EQ(render(64)[0], 5.0F);
    EXPECT_EQ(counts().late, 1U);
}

TEST_F(Cues, transaction_is_cancelled_as_one) {
    set(9, 100);
    const std::uint32_t sequence = control().try_send_whole(levels(5), {.frame = 100, .flags = delivery::confirm});
    control().cancel(sequence + 2);  // a member alone cannot be cancelled
    render(64);
    EXPECT_EQ(counts().pending, 7U);
    control().cancel(sequence);
    EXPECT_EQ(render(64)[100 - 64], 9.0F);
    EXPECT_EQ(counts().cancelled, 1U);
    expect_refused(confirmation(), Reason::cancelled, 100);
}

TEST_F(Cues, transaction_that_cancels_all_is_still_applied_whole) {
    set(9, 300);
    std::vector<Message> members = levels(3);
    members[1] = Message::of(CancelAll{.first_line = 0, .up_to = {1000}});
    control().try_send_whole(members, {.frame = 100});
    EXPECT_EQ(render(512)[511], members[2].as<float>());
    EXPECT_EQ(counts().cancelled, 1U);
}

TEST_F(Cues, flags_without_a_meaning_are_ignored) {
    set(1, 100);
    const std::uint32_t first = control().sequence();
    set(2, 100, static_cast<std::uint8_t>(~delivery::drop_if_late));
    control().cancel(first);
    EXPECT_EQ(render(128)[100], 2.0F);
    EXPECT_EQ(counts().cancelled, 1U);
}

}  // namespace
}  // namespace cueline::test
