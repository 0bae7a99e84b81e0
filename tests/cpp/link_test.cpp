// link_test.cpp: messages and the link: layout, sides, counters, and shared memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <cueline/audio_side.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>

#include "refusal.hpp"

namespace cueline::test {
namespace {

struct Volume {
    float gain;
    std::uint32_t voice;
};

TEST(Message, is_made_from_exactly_its_own_number_of_bytes) {
    Message message = Message::of(300, Volume{0.5F, 7});
    message.sequence = 8;
    message.frame = 9;
    std::array<std::byte, sizeof(Message) + 1> bytes{};
    std::memcpy(bytes.data(), &message, sizeof message);

    const Message again = Message::from_bytes(std::span{bytes}.first(sizeof message)).value_or(Message{});
    EXPECT_EQ(std::memcmp(&again, &message, sizeof message), 0);
    EXPECT_FALSE(Message::from_bytes(bytes).has_value());
    EXPECT_FALSE(Message::from_bytes(std::span{bytes}.first(sizeof message - 1)).has_value());
    EXPECT_FALSE(Message::from_bytes({}).has_value());
}

TEST(Message, carries_its_payload_and_nothing_else) {
    const Message message = Message::of(300, Volume{0.5F, 7});
    EXPECT_EQ(message.kind, 300U);
    EXPECT_EQ(message.sequence, 0U);
    EXPECT_EQ(message.frame, 0U);
    EXPECT_EQ(message.as<Volume>().gain, 0.5F);
    EXPECT_EQ(message.as<Volume>().voice, 7U);
    for (std::size_t index = sizeof(Volume); index < payload_bytes; ++index) {
        EXPECT_EQ(message.payload[index], std::byte{0}) << index;
    }
}

class LinkTest : public testing::Test {
  protected:
    /// Reads one block.
    std::vector<Message> read_block(std::uint64_t frame = 0) {
        std::vector<Message> commands;
        audio_.begin_block(frame);
        audio_.read([&](std::span<const Message> whole) noexcept {
            commands.insert(commands.end(), whole.begin(), whole.end());
        });
        return commands;
    }

    OwnedLink link_;
    Line line_{link_};
    AudioSide audio_{link_, 4};
    Message message_;
};

TEST_F(LinkTest, commands_arrive_in_order_with_their_sequence) {
    line_.send(300, 1);
    line_.send(301, 2);
    const std::vector<Message> commands = read_block();
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands[0].kind, 300U);
    EXPECT_EQ(commands[0].sequence, 1U);
    EXPECT_EQ(commands[1].kind, 301U);
    EXPECT_EQ(commands[1].sequence, 2U);
}

TEST_F(LinkTest, a_ping_carries_the_clock_of_its_sender) {
    const auto now_ns = [] {
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count());
    };
    const std::uint64_t before = now_ns();
    ASSERT_EQ(line_.ping(), Status::ok);
    const std::uint64_t after = now_ns();
    const std::vector<Message> commands = read_block();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].kind, kind::ping);
    EXPECT_GE(commands[0].as<Ping>().sent_ns, before);
    EXPECT_LE(commands[0].as<Ping>().sent_ns, after);
}

TEST_F(LinkTest, events_carry_the_frame_of_their_block) {
    audio_.begin_block(12'800);
    Message cause;
    cause.sequence = 77;
    audio_.events().send(400, 1, cause);
    ASSERT_EQ(line_.receive(message_), Status::ok);
    EXPECT_EQ(message_.kind, 400U);
    EXPECT_EQ(message_.sequence, 77U);
    EXPECT_EQ(message_.frame, 12'800U);
    EXPECT_EQ(line_.receive(message_), Status::empty);
}

TEST_F(LinkTest, an_event_that_answers_nothing_goes_to_line_0_and_to_lines_with_all_events) {
    const Line all = open_line(link_, Events::all);
    const Line own = open_line(link_);
    audio_.begin_block(0);
    audio_.events().send(400, 1);
    EXPECT_EQ(line_.waiting(), 1U);
    EXPECT_EQ(all.waiting(), 1U);
    EXPECT_EQ(own.waiting(), 0U);
}

TEST_F(LinkTest, counted_messages_are_there_to_receive) {
    EXPECT_EQ(line_.waiting(), 0U);
    for (std::size_t sent = 0; sent < MessageRing::capacity + 3; ++sent) audio_.events().send(400, 0);
    ASSERT_EQ(line_.waiting(), MessageRing::capacity);
    ASSERT_EQ(line_.receive(message_), Status::ok);
    EXPECT_EQ(line_.waiting(), MessageRing::capacity - 1);
    std::vector<Message> events(MessageRing::capacity);
    EXPECT_EQ(line_.receive(events), MessageRing::capacity - 1);
    EXPECT_EQ(line_.waiting(), 0U);
}

TEST_F(LinkTest, the_budget_limits_a_block_and_starts_again_in_the_next) {
    for (int number = 0; number < 10; ++number) line_.send(300, number);
    int expected = 0;
    for (const std::size_t in_this_block : {4U, 4U, 2U, 0U}) {
        const std::vector<Message> commands = read_block();
        EXPECT_EQ(commands.size(), in_this_block);
        for (const Message& command : commands) EXPECT_EQ(command.as<int>(), expected++);
        audio_.end_block();
    }
}

TEST_F(LinkTest, refused_commands_are_counted_and_take_no_sequence) {
    for (int number = 0; number < 1024; ++number) ASSERT_EQ(line_.send(300, number), Status::ok);
    EXPECT_EQ(line_.ping(), Status::full);
    EXPECT_EQ(line_.send(300, 0), Status::full);

    std::uint32_t last = 0;
    for (int blocks = 0; blocks < 300; ++blocks) {
        for (const Message& command : read_block()) ASSERT_EQ(command.sequence, ++last);
        if (blocks == 0) {
            const RingStats counts = link_.line(0).commands.stats();
            EXPECT_EQ(counts.sent, 1024U);
            EXPECT_EQ(counts.dropped, 2U);
            EXPECT_EQ(counts.high_water, 1024U);
            ASSERT_EQ(line_.send(300, 0), Status::ok);
        }
    }
    EXPECT_EQ(last, 1025U);
}

TEST_F(LinkTest, dropped_events_are_counted) {
    audio_.begin_block(0);
    for (int number = 0; number < 1030; ++number) audio_.events().send(400, number);
    audio_.end_block();
    const RingStats counts = link_.line(0).events.stats();
    EXPECT_EQ(counts.sent, 1024U);
    EXPECT_EQ(counts.dropped, 6U);
    EXPECT_EQ(counts.high_water, 1024U);
}

TEST_F(LinkTest, high_water_is_the_greatest_number_that_waited) {
    for (int number = 0; number < 3; ++number) line_.send(300, number);
    EXPECT_EQ(link_.line(0).commands.stats().high_water, 0U) << "the audio side has not measured yet";
    for (const Message& command : read_block()) audio_.events().send(400, 0, command);
    audio_.end_block();
    while (line_.receive(message_) == Status::ok) {
    }
    line_.send(300, 9);
    read_block();
    audio_.end_block();
    EXPECT_EQ(link_.line(0).commands.stats().high_water, 3U) << "it never decreases";
    EXPECT_EQ(link_.line(0).events.stats().high_water, 3U);
}

TEST(Sequences, skip_0_and_continue_with_the_next_owner_of_a_line) {
    static_assert(sequence_after(0) == 1);
    static_assert(sequence_after(7) == 8);
    static_assert(sequence_after(0xFFFF'FFFF) == 1, "0 stands for none");
    static_assert(last_sequence(0) == 0 && last_sequence(1) == 1 && last_sequence(0xFFFF'FFFF) == 0xFFFF'FFFF);
    static_assert(last_sequence(0x1'0000'0000) == 1 && last_sequence(0x1'FFFF'FFFE) == 0xFFFF'FFFF);
    static_assert(last_sequence(0x1'FFFF'FFFF) == 1, "as often as it has gone round");
    static_assert(is_later(2, 1) && !is_later(1, 1) && !is_later(1, 2) && is_later(1, 0xFFFF'FFFF));
    const OwnedLink link;
    Line{link}.send(300, 0);
    Line{link}.send(300, 0);
    AudioSide audio{link};
    audio.begin_block(0);
    std::uint32_t expected = 0;
    audio.read([&](std::span<const Message> whole) noexcept { EXPECT_EQ(whole.front().sequence, ++expected); });
    EXPECT_EQ(expected, 2U);
}

TEST(Link, the_default_budget_is_256_commands_a_block) {
    const OwnedLink link;
    Line line{link};
    AudioSide audio{link};
    for (int number = 0; number < 300; ++number) line.send(300, number);
    audio.begin_block(0);
    int received = 0;
    audio.read([&](std::span<const Message>) noexcept { ++received; });
    EXPECT_EQ(received, 256);
}

TEST_F(LinkTest, a_second_side_of_either_kind_is_refused) {
    EXPECT_THROW(Line{link_}, EndTakenError);
    EXPECT_THROW(AudioSide{link_}, EndTakenError);
}

TEST(Link, refuses_a_line_that_it_does_not_have) {
    const OwnedLink link{{.lines = 3}};
    EXPECT_EQ(Line(link, 2).number(), 2U);
    for (const std::size_t number : {std::size_t{3}, max_lines}) {
        EXPECT_EQ(refusal<ArgumentError>([&] { const Line line{link, number}; }),
                  "a line must be from 0 to 2, got " + std::to_string(number));
    }
}

TEST(Link, gives_its_ends_back) {
    const OwnedLink link;
    for (int round = 0; round < 2; ++round) {
        const Line line{link};
        const AudioSide audio{link};
    }
}

TEST(Link, refuses_counts_beyond_its_limits_with_the_numbers) {
    EXPECT_EQ(refusal<ArgumentError>([] { OwnedLink{{.lines = 65}}; }),
              "a link has 1 to 64 lines, at most " + std::to_string(max_parameters) + " parameters and at most " +
                  std::to_string(max_meters) + " meters, got 65, 0 and 0");
    EXPECT_THROW(OwnedLink{{.lines = 0}}, ArgumentError);
    EXPECT_THROW(OwnedLink{{.parameters = max_parameters + 1}}, ArgumentError);
    EXPECT_THROW(OwnedLink{{.meters = max_meters + 1}}, ArgumentError);
}

TEST(Link, what_it_holds_changes_only_the_counts_that_were_declared) {
    const std::size_t bare = Link::bytes_of_first_line({});
    EXPECT_EQ(Link::bytes_for({.lines = 1}), bare);
    EXPECT_EQ(Link::bytes_for({.lines = 64}), bare + 63 * sizeof(LinkLine));
    EXPECT_LE(bare, 730U * 1024);
}

TEST(AudioSideTest, ignores_lines_that_the_link_does_not_have) {
    const OwnedLink link{{.lines = 2}};
    AudioSide audio{link};
    link.header().used_lines.store(~std::uint64_t{0});  // a hostile or damaged control side
    link.header().open_lines.store(~std::uint64_t{0});
    link.header().all_events.store(~std::uint64_t{0});
    audio.begin_block(0);
    int received = 0;
    audio.read([&](std::span<const Message>) noexcept { ++received; });
    Message cause;
    cause.line = 63;
    cause.sequence = 1;
    audio.events().send(400, 1, cause);
    audio.end_block();
    EXPECT_EQ(received, 0);
}

TEST(AudioSideTest, reads_past_a_line_that_counts_commands_it_does_not_have) {
    const OwnedLink link;
    Line line{link};
    Line damaged = open_line(link);
    AudioSide audio{link};
    line.ping();
    auto& tail = reinterpret_cast<std::atomic<std::uint64_t>&>(link.line(1).commands);  // its first member
    ASSERT_EQ(damaged.ping(), Status::ok);
    ASSERT_EQ(tail.load(), 1U);
    tail.store(500);
    audio.begin_block(0);
    int received = 0;
    audio.read([&](std::span<const Message>) noexcept { ++received; });
    EXPECT_GE(received, 2);
}

}  // namespace
}  // namespace cueline::test
