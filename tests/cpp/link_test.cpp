// link_test.cpp: messages and the link: layout, sides, counters, budget, and shared memory.
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <cueline/audio_side.hpp>
#include <cueline/control_side.hpp>
#include <cueline/engine_messages.hpp>

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
    std::unique_ptr<Link> link_ = std::make_unique<Link>();
    ControlSide control_{*link_};
    AudioSide audio_{*link_, 4};
    Message message_;
};

TEST_F(LinkTest, commands_arrive_in_order_with_their_sequence) {
    control_.send(300, 1);
    control_.send(301, 2);
    audio_.begin_block(0);
    ASSERT_EQ(audio_.receive(message_), Status::ok);
    EXPECT_EQ(message_.kind, 300U);
    EXPECT_EQ(message_.sequence, 1U);
    ASSERT_EQ(audio_.receive(message_), Status::ok);
    EXPECT_EQ(message_.kind, 301U);
    EXPECT_EQ(message_.sequence, 2U);
    EXPECT_EQ(audio_.receive(message_), Status::empty);
}

TEST_F(LinkTest, a_ping_carries_the_clock_of_its_sender) {
    const auto now_ns = [] {
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count());
    };
    const std::uint64_t before = now_ns();
    ASSERT_EQ(control_.ping(), Status::ok);
    const std::uint64_t after = now_ns();
    audio_.begin_block(0);
    ASSERT_EQ(audio_.receive(message_), Status::ok);
    EXPECT_EQ(message_.kind, kind::ping);
    EXPECT_GE(message_.as<Ping>().sent_ns, before);
    EXPECT_LE(message_.as<Ping>().sent_ns, after);
}

TEST_F(LinkTest, events_carry_the_frame_of_their_block) {
    audio_.begin_block(12'800);
    Message cause;
    cause.sequence = 77;
    cause.line = 3;
    audio_.events().send(400, 1, cause);
    ASSERT_EQ(control_.receive(message_), Status::ok);
    EXPECT_EQ(message_.kind, 400U);
    EXPECT_EQ(message_.sequence, 77U);
    EXPECT_EQ(message_.line, 3);
    EXPECT_EQ(message_.frame, 12'800U);
    EXPECT_EQ(control_.receive(message_), Status::empty);
}

TEST_F(LinkTest, counted_messages_are_there_to_receive) {
    EXPECT_EQ(control_.waiting(), 0U);
    for (std::size_t sent = 0; sent < MessageRing::capacity + 3; ++sent) audio_.events().send(400, 0);
    ASSERT_EQ(control_.waiting(), MessageRing::capacity);
    ASSERT_EQ(control_.receive(message_), Status::ok);
    EXPECT_EQ(control_.waiting(), MessageRing::capacity - 1);
    std::vector<Message> events(MessageRing::capacity);
    EXPECT_EQ(control_.receive(events), MessageRing::capacity - 1);
    EXPECT_EQ(control_.waiting(), 0U);
}

TEST_F(LinkTest, the_budget_limits_a_block_and_starts_again_in_the_next) {
    for (int number = 0; number < 10; ++number) control_.send(300, number);
    int expected = 0;
    for (const int in_this_block : {4, 4, 2, 0}) {
        audio_.begin_block(0);
        for (int count = 0; count < in_this_block; ++count, ++expected) {
            ASSERT_EQ(audio_.receive(message_), Status::ok);
            EXPECT_EQ(message_.as<int>(), expected);
        }
        EXPECT_EQ(audio_.receive(message_), Status::empty);
        audio_.end_block();
    }
}

TEST_F(LinkTest, refused_commands_are_counted_and_take_no_sequence) {
    for (int number = 0; number < 1024; ++number) ASSERT_EQ(control_.send(300, number), Status::ok);
    EXPECT_EQ(control_.ping(), Status::full);
    EXPECT_EQ(control_.send(300, 0), Status::full);
    const RingStats counts = link_->commands(0).stats();
    EXPECT_EQ(counts.sent, 1024U);
    EXPECT_EQ(counts.dropped, 2U);
    EXPECT_EQ(counts.high_water, 1024U);

    audio_.begin_block(0);
    ASSERT_EQ(audio_.receive(message_), Status::ok);
    ASSERT_EQ(control_.send(300, 0), Status::ok);
    std::uint32_t last = message_.sequence;
    for (int number = 0; number < 1024; ++number) {
        if (audio_.receive(message_) == Status::empty) {
            audio_.begin_block(0);
            ASSERT_EQ(audio_.receive(message_), Status::ok);
        }
        ASSERT_EQ(message_.sequence, ++last);
    }
}

TEST_F(LinkTest, dropped_events_are_counted) {
    audio_.begin_block(0);
    for (int number = 0; number < 1030; ++number) audio_.events().send(400, number);
    audio_.end_block();
    const RingStats counts = link_->events().stats();
    EXPECT_EQ(counts.sent, 1024U);
    EXPECT_EQ(counts.dropped, 6U);
    EXPECT_EQ(counts.high_water, 1024U);
}

TEST_F(LinkTest, high_water_is_the_greatest_number_that_waited) {
    for (int number = 0; number < 3; ++number) control_.send(300, number);
    EXPECT_EQ(link_->commands(0).stats().high_water, 0U) << "the audio side has not measured yet";
    audio_.begin_block(0);
    while (audio_.receive(message_) == Status::ok) audio_.events().send(400, 0);
    audio_.end_block();
    while (control_.receive(message_) == Status::ok) {
    }
    control_.send(300, 9);
    audio_.begin_block(0);
    audio_.end_block();
    EXPECT_EQ(link_->commands(0).stats().high_water, 3U) << "it never decreases";
    EXPECT_EQ(link_->events().stats().high_water, 3U);
}

TEST_F(LinkTest, sequences_skip_0_and_continue_with_the_next_control_side) {
    static_assert(sequence_after(0) == 1);
    static_assert(sequence_after(7) == 8);
    static_assert(sequence_after(0xFFFF'FFFF) == 1, "0 stands for none");
    static_assert(last_sequence(0) == 0 && last_sequence(1) == 1 && last_sequence(0xFFFF'FFFF) == 0xFFFF'FFFF);
    static_assert(last_sequence(0x1'0000'0000) == 1 && last_sequence(0x1'FFFF'FFFE) == 0xFFFF'FFFF);
    static_assert(last_sequence(0x1'FFFF'FFFF) == 1, "as often as it has gone round");
    static_assert(is_later(2, 1) && !is_later(1, 1) && !is_later(1, 2) && is_later(1, 0xFFFF'FFFF));
    const auto link = std::make_unique<Link>();
    std::make_unique<ControlSide>(*link)->send(300, 0);
    std::make_unique<ControlSide>(*link)->send(300, 0);
    AudioSide audio{*link};
    audio.begin_block(0);
    audio.receive(message_);
    EXPECT_EQ(message_.sequence, 1U);
    audio.receive(message_);
    EXPECT_EQ(message_.sequence, 2U);
}

TEST(Link, the_default_budget_is_256_commands_a_block) {
    const auto link = std::make_unique<Link>();
    ControlSide control{*link};
    AudioSide audio{*link};
    for (int number = 0; number < 300; ++number) control.send(300, number);
    audio.begin_block(0);
    Message message;
    int received = 0;
    while (audio.receive(message) == Status::ok) ++received;
    EXPECT_EQ(received, 256);
}

TEST_F(LinkTest, a_second_side_of_either_kind_is_refused) {
    EXPECT_THROW(ControlSide{*link_}, EndTakenError);
    EXPECT_THROW(AudioSide{*link_}, EndTakenError);
}

TEST(Link, works_through_two_mappings_of_one_memory) {
    const int file = memfd_create("link", 0);
    ASSERT_GE(file, 0);
    ASSERT_EQ(ftruncate(file, sizeof(Link)), 0);
    void* here = mmap(nullptr, sizeof(Link), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void* there = mmap(nullptr, sizeof(Link), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ASSERT_NE(here, MAP_FAILED);
    ASSERT_NE(there, MAP_FAILED);
    ASSERT_NE(here, there);
    {
        Link& link_here = *new (here) Link;
        Link& link_there = *std::launder(static_cast<Link*>(there));
        ControlSide control{link_here};
        AudioSide audio{link_there};
        ASSERT_EQ(control.send(300, 42), Status::ok);
        audio.begin_block(5);
        Message message;
        ASSERT_EQ(audio.receive(message), Status::ok);
        EXPECT_EQ(message.as<int>(), 42);
        audio.events().send(400, 43, message);
        ASSERT_EQ(control.receive(message), Status::ok);
        EXPECT_EQ(message.as<int>(), 43);
        EXPECT_EQ(link_here.events().stats().sent, 1U);
        EXPECT_EQ(link_there.events().stats().sent, 1U);
    }
    munmap(here, sizeof(Link));
    munmap(there, sizeof(Link));
    close(file);
}

}  // namespace
}  // namespace cueline::test
