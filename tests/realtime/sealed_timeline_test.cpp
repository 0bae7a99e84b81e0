// sealed_timeline_test.cpp: cues in beats on nine lines, while tempo, place and region of the timeline change, on a
// thread that dies at any system call.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
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

/// Sends all commands of the timeline, and cues for beats and grids, round by round, on all lines of an engine.
class TimelineConversation {
  public:
    explicit TimelineConversation(Engine& engine) : engine_{&engine} {
        while (lines_.size() < engine.lines() - 1) lines_.push_back(engine.open_line());
    }

    void go_on(std::uint64_t rounds) {
        for (std::uint64_t last = round_ + rounds; round_ < last; ++round_) {
            for (std::size_t number = 0; number < engine_->lines(); ++number) send_cues(line(number));
            until_read();
            take_answers();
        }
    }

    [[nodiscard]] std::uint64_t confirmations() const { return confirmations_; }

  private:
    [[nodiscard]] Line& line(std::size_t line) { return line == 0 ? engine_->control() : lines_.at(line - 1); }
    [[nodiscard]] double number(double least, double most) {
        return std::uniform_real_distribution<double>{least, most}(random_);
    }

    [[nodiscard]] Message some_command() {
        switch (random_() % 12) {
            case 0:
                return Message::of(SetTempo{number(60, 1000)});
            case 1:
                return Message::of(RampTempo{number(60, 1000), number(0.01, 4), RampOver::beats});
            case 2:
                return Message::of(RampTempo{number(60, 1000), number(0.01, 1), RampOver::seconds});
            case 3:
                return Message::of(SetSignature{static_cast<std::uint32_t>(1 + random_() % 9), 8});
            case 4:
                return random_() % 8 == 0 ? Message::of(StopTimeline{}) : Message::of(StartTimeline{});
            case 5:
                return Message::of(Locate{number(0, 8)});
            case 6:
                return random_() % 4 == 0 ? Message::of(SetLoop{0, 0})
                                          : Message::of(SetLoop{number(0, 4), number(4.1, 8)});
            default:
                return Message::of(kind::set_level, 1.0F);
        }
    }

    [[nodiscard]] Delivery some_delivery() {
        const auto flags = static_cast<std::uint8_t>(random_() % 4);
        switch (random_() % 5) {
            case 0:
                return {engine_->now() + random_() % 6400, flags};
            case 1:
                return random_() % 2 == 0 ? at_bar(flags) : at_grid(number(0.01, 2), flags);
            default:
                return at_beat(number(0, 8), flags);
        }
    }

    static void send_surely(Line& line, Message message, const Delivery& delivery) {
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        while (line.try_send(message) == Status::full) {
        }
    }

    void send_cues(Line& line) {
        for (int count = 0; count < 60; ++count) send_surely(line, some_command(), some_delivery());
        std::array<Message, 20> members;
        for (Message& member : members) member = some_command();
        while (line.try_send_whole(members, some_delivery()) == 0) {
        }
        if (round_ % 4 == 0) line.cancel(line.sequence() - 30);
        if (round_ % 16 == 15) line.cancel_all(true);
    }

    void until_read() {
        const Message ping = Message::of(cueline::kind::ping, Ping{});
        for (std::size_t number = 0; number < engine_->lines(); ++number) send_surely(line(number), ping, {});
        const std::uint64_t blocks = engine_->stats().blocks + 40;
        while (engine_->stats().blocks < blocks) {
        }
        (void)engine_->timeline();
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
    std::mt19937_64 random_{1};  // NOLINT(bugprone-random-generator-seed): each run is the same
    std::uint64_t round_ = 0;
    std::uint64_t confirmations_ = 0;
};

/// Runs `rounds` rounds on a sealed thread, and ends the process: with 0 if nothing was counted against it.
template <class Processor = WaveProcessor>
[[noreturn]] void be_sealed_over_beats(std::uint64_t rounds) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<Processor>()};
    engine.start();
    TimelineConversation conversation{engine};
    const Toll toll = run_blocks_sealed([&] { device.run_block(); }, [&] { conversation.go_on(16); },
                                        [&] { conversation.go_on(rounds); });
    const CueStats cues = engine.stats().cues;
    const std::size_t segments = engine.timeline().map.size();
    std::fprintf(
        stderr,
        "%llu cues late, %llu dropped late, %llu cancelled, %llu confirmations, %zu segments: page faults "
        "%llu, voluntary switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(cues.late), static_cast<unsigned long long>(cues.dropped_late),
        static_cast<unsigned long long>(cues.cancelled), static_cast<unsigned long long>(conversation.confirmations()),
        segments, static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool complete = cues.late > rounds && cues.dropped_late > rounds && cues.cancelled > rounds &&
                          conversation.confirmations() > 100 * rounds && segments == TempoMap::capacity;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, cues_in_beats_under_all_that_moves_the_timeline_are_real_time_safe) {
    EXPECT_EXIT(be_sealed_over_beats<>(200), testing::ExitedWithCode(0),
                "page faults 0, voluntary switches 0, allocations 0");
}

/// A WaveProcessor that allocates whenever a command comes at a beat that the timeline has.
class AllocatingAtABeat final : public WrappingProcessor<WaveProcessor> {
  public:
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (context.timeline().beat_at(static_cast<double>(context.events().frame())) > 1) {
            break_the_rule([] {
                const auto made = std::make_unique<int>(1);
                escaped = made.get();
            });
        }
        return WrappingProcessor::handle(command, context);
    }
};

TEST_F(SealedEngine, the_counter_catches_a_processor_that_allocates_at_a_beat) {
    EXPECT_EXIT(be_sealed_over_beats<AllocatingAtABeat>(20), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
