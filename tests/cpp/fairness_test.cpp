// fairness_test.cpp: lines share the budget of a block, and no traffic of one line takes another line's share.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <cueline/audio_side.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/line.hpp>

namespace cueline::test {
namespace {

constexpr std::uint32_t budget = 256;

/// Some open lines, and how many commands the audio side read of each.
class Lines {
  public:
    explicit Lines(std::size_t count, std::uint32_t its_budget = budget) : audio_{link_, its_budget} {
        lines_.emplace_back(link_);
        while (lines_.size() < count) lines_.push_back(open_line(link_));
    }

    [[nodiscard]] std::size_t size() const { return lines_.size(); }
    Line& operator[](std::size_t number) { return lines_.at(number); }
    [[nodiscard]] bool waits(std::size_t number) const { return link_.line(number).commands.messages.size() > 0; }
    [[nodiscard]] const std::vector<std::size_t>& wholes() const { return wholes_; }

    /// Reads a block. Returns how many commands it read of each line.
    std::array<std::int64_t, max_lines> read_block() {
        std::array<std::int64_t, max_lines> read{};
        wholes_.clear();
        audio_.begin_block(0);
        audio_.read([&](std::span<const Message> whole) noexcept {
            read.at(whole.front().line) += static_cast<std::int64_t>(whole.size());
            wholes_.push_back(whole.size());
        });
        audio_.end_block();
        return read;
    }

    bool send_whole(std::size_t line, std::size_t members) {
        const std::vector<Message> messages(members, Message::of(300, 0));
        return (*this)[line].try_send_whole(messages) != 0;
    }
    void fill(std::size_t line) {
        while ((*this)[line].room() > 0) (*this)[line].send(300, 0);
    }

  private:
    OwnedLink link_{{.lines = max_lines}};
    std::vector<Line> lines_;
    AudioSide audio_;
    std::vector<std::size_t> wholes_;
};

std::int64_t sum(const std::array<std::int64_t, max_lines>& numbers) {
    std::int64_t all = 0;
    for (const std::int64_t number : numbers) all += number;
    return all;
}

TEST(Fairness, a_flood_on_one_line_leaves_the_others_their_share) {
    Lines lines{4};
    for (std::size_t line = 0; line < lines.size(); ++line) lines.fill(line);
    for (int block = 0; block < 4; ++block) {
        const auto read = lines.read_block();
        for (std::size_t line = 0; line < lines.size(); ++line) EXPECT_EQ(read.at(line), 64);
    }
}

TEST(Fairness, what_a_line_cannot_use_goes_to_the_others) {
    Lines lines{4};
    lines.fill(0);
    lines.fill(2);
    for (int count = 0; count < 10; ++count) lines[1].send(300, 0);
    auto read = lines.read_block();
    EXPECT_EQ(read[1], 10);
    EXPECT_EQ(sum(read), 256);
    EXPECT_NEAR(static_cast<double>(read[0]), 123, 1);
    EXPECT_NEAR(static_cast<double>(read[2]), 123, 1);
    read = lines.read_block();
    EXPECT_EQ(read[0], 128);
    EXPECT_EQ(read[2], 128);
}

TEST(Fairness, each_line_has_its_turn_if_there_are_more_lines_than_the_budget_has_commands) {
    Lines lines{64, 3};
    for (std::size_t line = 0; line < lines.size(); ++line) lines.fill(line);
    std::array<std::int64_t, max_lines> read{};
    for (int block = 0; block < 64; ++block) {
        const auto now = lines.read_block();
        EXPECT_EQ(sum(now), 3);
        for (std::size_t line = 0; line < max_lines; ++line) read.at(line) += now.at(line);
    }
    for (const std::int64_t count : read) EXPECT_NEAR(static_cast<double>(count), 3, 2);
}

TEST(Fairness, a_transaction_is_read_whole_and_its_line_makes_up_for_it) {
    Lines lines{2};
    for (int count = 0; count < 3; ++count) ASSERT_TRUE(lines.send_whole(0, 256));
    lines.fill(1);
    auto read = lines.read_block();
    EXPECT_EQ(lines.wholes().front(), 257U);
    EXPECT_EQ(read[0], 257);
    EXPECT_EQ(read[1], 0) << "the budget is spent";
    read = lines.read_block();
    EXPECT_EQ(read[1], 256) << "it is first, with the share of the block before";
    EXPECT_EQ(read[0], 0);
}

TEST(Fairness, a_transaction_that_is_alone_does_not_wait) {
    Lines lines{1};
    for (int count = 0; count < 3; ++count) ASSERT_TRUE(lines.send_whole(0, 256));
    for (int block = 0; block < 3; ++block) EXPECT_EQ(lines.read_block()[0], 257);
    EXPECT_EQ(lines.read_block()[0], 0);
}

TEST(Fairness, a_small_budget_still_reads_whole_transactions) {
    Lines lines{3, 1};
    ASSERT_TRUE(lines.send_whole(1, 100));
    lines[2].send(300, 0);
    EXPECT_EQ(sum(lines.read_block()), 101);
    EXPECT_EQ(lines.wholes(), std::vector<std::size_t>{101});
    EXPECT_EQ(lines.read_block()[2], 1);
}

TEST(Fairness, a_header_that_announces_too_many_members_gets_those_that_there_are) {
    Lines lines{1};
    lines[0].send(kind::transaction, Transaction{0xFFFF'FFFF});
    for (int count = 0; count < 5; ++count) lines[0].send(300, 0);
    EXPECT_EQ(lines.read_block()[0], 6);
    EXPECT_EQ(lines.wholes(), std::vector<std::size_t>{6});

    lines[0].send(kind::transaction, Transaction{1'000});
    for (int count = 0; count < 500; ++count) lines[0].send(300, 0);
    EXPECT_EQ(lines.read_block()[0], 257);
    EXPECT_EQ(lines.wholes(), std::vector<std::size_t>{257});
}

TEST(Fairness, a_header_inside_a_transaction_is_a_member) {
    Lines lines{1};
    const std::vector<Message> members{Message::of(Transaction{200}), Message::of(300, 0)};
    ASSERT_NE(lines[0].try_send_whole(members), 0U);
    lines[0].send(300, 0);
    lines.read_block();
    EXPECT_EQ(lines.wholes(), (std::vector<std::size_t>{3, 1}));
}

/// Any traffic on 64 lines: singles and transactions of any size, from lines that keep on sending.
TEST(Fairness, no_traffic_takes_more_than_257_commands_of_a_share_or_of_a_block) {
    for (const std::uint32_t its_budget : {1U, 7U, 256U, 1024U}) {
        std::mt19937 random{its_budget};  // NOLINT(cert-msc51-cpp): the same each time
        const auto up_to = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random() % (most + 1)); };
        Lines lines{max_lines, its_budget};
        std::array<double, max_lines> due{};
        std::array<std::int64_t, max_lines> read{};
        std::array<bool, max_lines> always_waited{};
        always_waited.fill(true);
        for (int block = 0; block < 2000; ++block) {
            for (std::size_t line = 0; line < lines.size(); ++line) {
                // Some lines send transactions only, some single commands only, some now and then.
                if (line % 4 == 0) {
                    lines.send_whole(line, 1 + up_to(255));
                } else if (line % 4 == 1 || up_to(20) == 0) {
                    for (std::uint32_t count = up_to(30); count > 0; --count) lines[line].send(300, 0);
                } else if (line % 4 == 2) {
                    lines.send_whole(line, 256);
                }
            }
            std::size_t waiting = 0;
            for (std::size_t line = 0; line < lines.size(); ++line) waiting += lines.waits(line) ? 1 : 0;
            for (std::size_t line = 0; line < lines.size(); ++line) {
                due.at(line) += static_cast<double>(its_budget) / static_cast<double>(waiting);
            }
            const auto now = lines.read_block();
            ASSERT_LE(sum(now), std::int64_t{its_budget} + 257);
            for (std::size_t line = 0; line < lines.size(); ++line) {
                read.at(line) += now.at(line);
                always_waited.at(line) = always_waited.at(line) && lines.waits(line);  // also after the block
                if (!always_waited.at(line)) continue;
                ASSERT_GE(static_cast<double>(read.at(line)), std::floor(due.at(line)) - 257)
                    << "line " << line << ", block " << block << ", budget " << its_budget;
            }
        }
    }
}

}  // namespace
}  // namespace cueline::test
