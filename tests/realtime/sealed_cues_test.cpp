// sealed_cues_test.cpp: hundreds of cues, transactions, confirmations and cancels on nine lines, on a thread that dies
// at any system call.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include "processors.hpp"
#include "rule_breaking.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"
#include "wrapping_processor.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {
namespace {

/// Uses all features of the schedule, round by round, on all lines of an engine.
class CueConversation {
  public:
    explicit CueConversation(Engine& engine) : engine_{&engine} {
        while (lines_.size() < engine.lines() - 1) lines_.push_back(engine.open_line());
    }

    void go_on(std::uint64_t rounds) {
        for (std::uint64_t last = round_ + rounds; round_ < last; ++round_) {
            for (std::size_t line = 0; line < engine_->lines(); ++line) send_cues(this->line(line));
            send_whole(line(round_ % engine_->lines()));
            if (round_ % 4 == 3) overfill();
            until_read();
            if (round_ % 8 != 7) take_answers();  // so that the rings to the control side overflow now and then
        }
    }

    [[nodiscard]] std::uint64_t confirmations() const { return confirmations_; }

  private:
    [[nodiscard]] Line& line(std::size_t line) { return line == 0 ? engine_->control() : lines_.at(line - 1); }

    /// Some cues for this block, some for the next hundred, some too late, and one that is cancelled.
    void send_cues(Line& line) {
        const std::uint64_t now = engine_->now();
        for (std::uint64_t number = 0; number < 60; ++number) {
            const std::uint64_t frame = number % 10 == 9 ? now / 2 : now + number * 997 % 6400;
            const auto flags = static_cast<std::uint8_t>(number % 4);  // every combination of the two flags
            send_surely(line, Message::of(kind::set_level, static_cast<float>(number)), {frame, flags});
        }
        line.cancel(line.sequence());
        send_surely(line, Message::of(cueline::kind::ping, Ping{now}), {now + 64, delivery::confirm});
        line.cancel(line.sequence());
    }

    static void send_surely(Line& line, Message message, const Delivery& delivery) {
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        while (line.try_send(message) == Status::full) {
        }
    }

    void send_whole(Line& line) {
        std::array<Message, 200> members;
        members.fill(Message::of(kind::set_level, 1.0F));
        const Delivery delivery{engine_->now() + round_ % 3 * 500, delivery::confirm};
        while (line.try_send_whole(members, delivery) == 0) {
        }
    }

    /// Sends more cues than there is room for. Then cancels all, once they have been read or while they are read.
    void overfill() {
        constexpr std::uint64_t far_away = 1'000'000'000'000;
        for (std::uint64_t number = 0; number < 1100; ++number) {
            const auto flags = static_cast<std::uint8_t>(number % 2 == 0 ? 0 : delivery::confirm);
            // Each is before all others of its round: the longest insertion.
            send_surely(line(0), Message::of(kind::set_level, 1.0F), {far_away - number, flags});
        }
        const bool once_read = round_ % 8 == 3;
        while (line(1).room() == 0 || (once_read && line(0).room() < MessageRing::capacity)) {
        }
        line(1).cancel_all(true);
    }

    void until_read() {
        const Message ping = Message::of(cueline::kind::ping, Ping{});
        for (std::size_t number = 0; number < engine_->lines(); ++number) send_surely(line(number), ping, {});
        const std::uint64_t blocks = engine_->stats().blocks + 40;
        while (engine_->stats().blocks < blocks) {
        }
    }

    void take_answers() {
        for (std::size_t number = 0; number < engine_->lines(); ++number) {
            Message message;
            while (line(number).receive(message) == Status::ok) {
            }
            while (line(number).receive_confirmation(message) == Status::ok) ++confirmations_;
        }
    }

    Engine* engine_;
    std::vector<Line> lines_;
    std::uint64_t round_ = 0;
    std::uint64_t confirmations_ = 0;
};

/// Runs `rounds` rounds on a sealed thread, and ends the process: with 0 if nothing was counted against it.
template <class Processor = WaveProcessor>
[[noreturn]] void be_sealed_over_cues(std::uint64_t rounds) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<Processor>()};
    engine.start();
    CueConversation conversation{engine};
    const Toll toll = run_blocks_sealed([&] { device.run_block(); }, [&] { conversation.go_on(16); },
                                        [&] { conversation.go_on(rounds); });
    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr,
        "%llu cues late, %llu dropped late, %llu refused, %llu cancelled, %llu confirmations, %llu events "
        "dropped: page faults %llu, voluntary switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(stats.cues.late), static_cast<unsigned long long>(stats.cues.dropped_late),
        static_cast<unsigned long long>(stats.cues.refused), static_cast<unsigned long long>(stats.cues.cancelled),
        static_cast<unsigned long long>(conversation.confirmations()),
        static_cast<unsigned long long>(stats.events.dropped), static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool complete = stats.cues.late > rounds && stats.cues.dropped_late > rounds && stats.cues.refused > rounds &&
                          stats.cues.cancelled > 100 * rounds && conversation.confirmations() > 100 * rounds;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

constexpr std::uint64_t all_rounds = 400;  // of about 1000 commands each

TEST_F(SealedEngine, cues_transactions_confirmations_and_cancels_on_nine_lines_are_real_time_safe) {
    EXPECT_EXIT(be_sealed_over_cues<>(all_rounds), testing::ExitedWithCode(0),
                "page faults 0, voluntary switches 0, allocations 0");
}

/// A WaveProcessor that allocates whenever a cue applies inside a block.
class AllocatingAtACue final : public WrappingProcessor<WaveProcessor> {
  public:
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.frame != 0 && command.frame == context.events().frame() && command.frame % 64 != 0) {
            break_the_rule([] {
                const auto made = std::make_unique<int>(1);
                escaped = made.get();
            });
        }
        return WrappingProcessor::handle(command, context);
    }
};

TEST_F(SealedEngine, the_counter_catches_a_processor_that_allocates_at_a_cue) {
    EXPECT_EXIT(be_sealed_over_cues<AllocatingAtACue>(20), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
