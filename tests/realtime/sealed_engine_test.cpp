// sealed_engine_test.cpp: the kernel proves that the block function is real-time safe: a million messages go through it
// on a thread that dies at any system call.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/engine_messages.hpp>
#include "fake_jack.hpp"
#include "freeing.hpp"
#include "processors.hpp"
#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"
#include "rule_breaking.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"
#include "wrapping_processor.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {
namespace {

constexpr std::uint64_t warm_up = 20'000;
constexpr std::uint64_t all_messages = 1'000'000;

/// The commands, by their number: pings, commands for the processor, and two kinds that nothing handles.
enum class Cue : std::uint8_t { ping, known, not_ours, not_the_processors };

Cue cue_of(std::uint64_t number) {
    switch (number % 8) {
        case 0:
        case 4:
            return Cue::known;
        case 3:
            return Cue::not_ours;
        case 6:
            return Cue::not_the_processors;
        default:
            return Cue::ping;
    }
}

bool is_answered(Cue cue) {
    return cue == Cue::ping || cue == Cue::known;
}

Status send(Line& control, std::uint64_t number) {
    const auto level = static_cast<float>(number % 100);
    switch (cue_of(number)) {
        case Cue::known:
            return control.send(kind::set_level, level);
        case Cue::not_ours:
            return control.send(cueline::kind::first_processor - 1, level);
        case Cue::not_the_processors:
            return control.send(Kind{0xFFFF}, level);
        default:
            return control.ping();
    }
}

[[noreturn]] void give_up(std::uint64_t expected, const Message& event) {
    std::fprintf(stderr, "expected an answer to %llu, got kind %u to %u\n", static_cast<unsigned long long>(expected),
                 event.kind, event.sequence);
    std::_Exit(3);
}

/// The control side of the test. It ends the process if an answer is not the expected one.
class Conversation {
  public:
    explicit Conversation(Engine& engine) : engine_{&engine}, control_{&engine.control()} {}

    /// Sends and receives until `count` messages are sent and answered. It never has more in flight than the event ring
    /// can hold, so that no answer is dropped.
    void go_on_to(std::uint64_t count) {
        while (next_due_ <= count) {
            if (next_sent_ <= count && next_sent_ - next_due_ < MessageRing::capacity) {
                if (send(*control_, next_sent_) == Status::ok) ++next_sent_;
            }
            take_answers(count);
            turn_knobs();
        }
    }

    /// Makes the event ring overflow, and drains it.
    void overflow(const Engine& engine) {
        constexpr std::uint32_t events = 2 * MessageRing::capacity;
        const auto all = [&engine] {
            const RingStats counts = engine.stats().events;
            return counts.sent + counts.dropped;
        };
        const std::uint64_t before = all();
        while (control_->send(kind::flood, events) != Status::ok) {
        }
        while (all() < before + events) {
        }
        Message event;
        while (control_->receive(event) == Status::ok) {
        }
        next_due_ = ++next_sent_;
    }

    [[nodiscard]] std::uint64_t sent() const { return next_sent_ - 1; }

    /// Whether every parameter was set, and every meter changed.
    [[nodiscard]] bool all_moved() const {
        return moved_.size() == engine_->controls().parameter_specs().size() + engine_->controls().meter_specs().size();
    }

  private:
    /// Sets each parameter to one end of its range and then to the other, and reads each meter.
    void turn_knobs() {
        ProcessorControls& panel = engine_->controls();
        up_ = !up_;
        for (std::size_t index = 0; const ParameterSpec& spec : panel.parameter_specs()) {
            panel.set(index, up_ ? spec.highest : spec.lowest);
            moved_.insert(spec.name);
            ++index;
        }
        for (std::size_t index = 0; const MeterSpec& spec : panel.meter_specs()) {
            if (panel.read(index).frame > 0) moved_.insert(spec.name);
            ++index;
        }
    }

    void take_answers(std::uint64_t count) {
        Message event;
        while (next_due_ < next_sent_ && next_due_ <= count) {
            if (is_answered(cue_of(next_due_))) {
                if (control_->receive(event) != Status::ok) return;
                const auto kind = cue_of(next_due_) == Cue::ping ? cueline::kind::pong : kind::level_was_set;
                if (event.sequence != next_due_ || event.kind != kind) give_up(next_due_, event);
            }
            ++next_due_;
        }
    }

    Engine* engine_;
    Line* control_;
    bool up_ = false;
    std::set<std::string_view> moved_;
    std::uint64_t next_sent_ = 1;
    std::uint64_t next_due_ = 1;
};

/// Runs the whole test with `engine` on a sealed thread, where `run_block` runs its blocks. Ends the process: with 0 if
/// the thread had no page fault, wait or allocation.
template <class RunBlock>
[[noreturn]] void be_sealed_with(Engine& engine, RunBlock run_block, std::uint64_t messages,
                                 const std::vector<int>& also_allowed) {
    engine.start();

    Conversation conversation{engine};
    const Toll toll = run_blocks_sealed(
        run_block,
        [&] {
            conversation.go_on_to(warm_up);
            conversation.overflow(engine);
        },
        [&] {
            conversation.go_on_to(warm_up + messages / 2);
            conversation.overflow(engine);
            conversation.go_on_to(warm_up + messages);
        },
        also_allowed);

    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr,
        "%llu messages in %llu blocks, %llu unhandled, %llu events dropped: "
        "page faults %llu, voluntary switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(conversation.sent()), static_cast<unsigned long long>(stats.blocks),
        static_cast<unsigned long long>(stats.unhandled), static_cast<unsigned long long>(stats.events.dropped),
        static_cast<unsigned long long>(toll.page_faults), static_cast<unsigned long long>(toll.voluntary_switches),
        static_cast<unsigned long long>(toll.allocations));
    const bool complete = stats.commands.sent >= messages && stats.unhandled >= messages / 8 &&
                          stats.events.dropped > 0 && conversation.all_moved();
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

template <class ProcessorType>
[[noreturn]] void be_sealed(std::uint64_t messages, const std::vector<int>& also_allowed = {}) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<ProcessorType>()};
    be_sealed_with(engine, [&device] { device.run_block(); }, messages, also_allowed);
}

[[noreturn]] void be_sealed_on_jack(std::uint64_t messages) {
    const FakeJack jack;
    Engine engine{jack.device({.inputs = 2}), std::make_unique<WaveProcessor>()};
    be_sealed_with(engine, [&jack] { FakeJack::play(jack.blocksize); }, messages, {});
}

TEST_F(SealedEngine, a_million_messages_take_no_system_call_no_page_fault_no_wait_no_allocation) {
    EXPECT_EXIT(be_sealed<WaveProcessor>(all_messages), testing::ExitedWithCode(0),
                "page faults 0, voluntary switches 0");
}

TEST_F(SealedEngine, a_million_messages_in_jacks_callback_are_real_time_safe) {
    EXPECT_EXIT(be_sealed_on_jack(all_messages), testing::ExitedWithCode(0), "page faults 0, voluntary switches 0");
}

/// The test tone, driven by the messages of this test: each level sets a new tone, and a flood sends its levels.
class LedTone final : public WrappingProcessor<ToneProcessor> {
  public:
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind == kind::set_level) {
            const auto level = command.as<float>();
            const SetTone tone{level * 10, level / 100};
            WrappingProcessor::handle(Message::of(cueline::kind::set_tone, tone), context);
            context.events().send(kind::level_was_set, level, command);
            return true;
        }
        if (command.kind != kind::flood) return false;
        for (auto left = command.as<std::uint32_t>(); left > 0; --left) {
            WrappingProcessor::handle(Message::of(cueline::kind::get_level, GetLevel{}), context);
        }
        return true;
    }
};

TEST_F(SealedEngine, a_million_messages_to_the_test_tone_are_real_time_safe) {
    EXPECT_EXIT(be_sealed<LedTone>(all_messages), testing::ExitedWithCode(0), "page faults 0, voluntary switches 0");
}

constexpr std::uint32_t sealed_slots = 8;

/// Starts voices that loop, of all kinds: with copied samples, with kernels of 32 and of 64 taps, and in choke groups.
PlayBuffer sealed_start(std::uint16_t slot, std::uint64_t number) {
    constexpr std::array rates{1.0F, 0.7F, 1.7F, 5.0F};
    return {.slot = slot,
            .choke_group = static_cast<std::uint16_t>(number % 3),
            .loop = 1,
            .pan = 0.5F,
            .rate = rates[number % rates.size()],
            .loop_end = static_cast<std::uint32_t>(number % 100)};
}

/// Publishes into the player's slots, whose voices all loop, until `swaps` buffers were swapped. Ends the process: with
/// 0 if the thread had no page fault, wait or allocation.
template <class Processor = PlayerProcessor>
[[noreturn]] void be_sealed_while_buffers_are_swapped(std::uint64_t swaps) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<Processor>()};
    engine.start();
    std::uint32_t sequence = 0;
    std::uint32_t voice = 0;
    const auto send = [&](const auto& command) {
        const bool sent = engine.control().send(command.kind, command) == Status::ok;
        sequence += sent ? 1 : 0;
        return sent;
    };
    const auto swap = [&](std::uint64_t count) {
        std::vector<float> samples(std::size_t{2} * 4096);
        for (std::uint64_t number = 0; number < count;) {
            const auto slot = static_cast<std::uint16_t>(number % sealed_slots);
            samples.resize(2 * (1 + number * 997 % 4096), 0.1F);
            if (engine.publish(slot, samples, 2) == Status::ok) {
                ++number;
                ++sequence;
            }
            if (send(sealed_start(slot, number))) voice = sequence;
            send(SetVoice{.voice = voice, .gain = 0.5F, .rate = 1.3F, .loop = looping::on});
            send(SetSlot{.slot = slot, .attack_s = 0.001F});
            if (number % 5 == 0) send(StopVoice{voice});
            if (number % 50 == 0) send(StopBuffer{slot});
        }
        while (engine.stats().buffers.in_use > sealed_slots) {
        }
    };
    const Toll toll = run_blocks_sealed([&] { device.run_block(); }, [&] { swap(500); }, [&] { swap(swaps); });
    const EngineStats stats = engine.stats();
    std::fprintf(
        stderr, "%llu buffers: page faults %llu, voluntary switches %llu, allocations %llu\n",
        static_cast<unsigned long long>(stats.buffers.published), static_cast<unsigned long long>(toll.page_faults),
        static_cast<unsigned long long>(toll.voluntary_switches), static_cast<unsigned long long>(toll.allocations));
    const bool complete = stats.buffers.published >= swaps && stats.unhandled == 0;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, twenty_thousand_buffer_swaps_are_real_time_safe) {
    EXPECT_EXIT(be_sealed_while_buffers_are_swapped<>(20'000), testing::ExitedWithCode(0),
                "buffers: page faults 0, voluntary switches 0, allocations 0");
}

TEST_F(SealedEngine, the_counter_catches_a_player_that_frees) {
    EXPECT_EXIT(be_sealed_while_buffers_are_swapped<Freeing<PlayerProcessor>>(1'000), testing::ExitedWithCode(1),
                "allocations [1-9]");
}

/// A WaveProcessor that does `Act` once, some time after the thread was sealed.
template <class Act>
class OnceProcessor final : public WrappingProcessor<WaveProcessor> {
  public:
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (++handled_ == act_at) Act::act();
        return WrappingProcessor::handle(command, context);
    }

  private:
    // Three of eight messages go to a processor.
    static constexpr std::uint64_t act_at = warm_up * 3 / 8 + 1000;

    std::uint64_t handled_ = 0;
};

constexpr std::uint64_t enough_for_a_mutant = 20'000;

TEST_F(SealedEngine, the_mutants_processor_passes_without_its_act) {
    EXPECT_EXIT(be_sealed<OnceProcessor<DoesNothing>>(enough_for_a_mutant), testing::ExitedWithCode(0), "");
}

struct AsksForItsProcess {
    static void act() noexcept CUELINE_NONBLOCKING {
        break_the_rule([] { syscall(SYS_getpid); });
    }
};

TEST_F(SealedEngine, the_seal_catches_one_getpid) {
    EXPECT_EXIT(be_sealed<OnceProcessor<AsksForItsProcess>>(enough_for_a_mutant), testing::KilledBySignal(SIGSYS), "");
}

TEST_F(SealedEngine, the_seal_catches_a_sleep) {
    EXPECT_EXIT(be_sealed<OnceProcessor<Sleeps>>(enough_for_a_mutant), testing::KilledBySignal(SIGSYS), "");
}

TEST_F(SealedEngine, the_seal_catches_a_printf) {
    struct PrintsAtOnce {
        static void act() noexcept CUELINE_NONBLOCKING {
            break_the_rule([] {
                std::printf("a message\n");
                std::fflush(stdout);
            });
        }
    };
    EXPECT_EXIT(be_sealed<OnceProcessor<PrintsAtOnce>>(enough_for_a_mutant), testing::KilledBySignal(SIGSYS), "");
}

TEST_F(SealedEngine, the_account_catches_a_wait) {
    // The filter allows the sleep here, so the kernel's count of waits must show it.
    EXPECT_EXIT(be_sealed<OnceProcessor<Sleeps>>(enough_for_a_mutant, {SYS_clock_nanosleep, SYS_nanosleep}),
                testing::ExitedWithCode(1), "voluntary switches [1-9]");
}

std::array<char, 1 << 20> untouched;  // zero-initialized, so no memory is mapped yet

TEST_F(SealedEngine, the_account_catches_a_page_fault) {
    struct TouchesAFreshPage {
        static void act() noexcept CUELINE_NONBLOCKING {
            untouched[untouched.size() / 2] = 1;
            escaped = untouched.data();
        }
    };
    EXPECT_EXIT(be_sealed<OnceProcessor<TouchesAFreshPage>>(enough_for_a_mutant), testing::ExitedWithCode(1),
                "page faults [1-9]");
}

TEST_F(SealedEngine, the_counter_catches_one_string_too_long) {
    EXPECT_EXIT(be_sealed<OnceProcessor<MakesALongString>>(enough_for_a_mutant), testing::ExitedWithCode(1),
                "allocations [1-9]");
}

TEST_F(SealedEngine, the_counter_catches_an_operator_new) {
    struct News {
        static void act() noexcept CUELINE_NONBLOCKING {
            break_the_rule([] {
                const auto number = std::make_unique<int>(1);
                escaped = number.get();
            });
        }
    };
    EXPECT_EXIT(be_sealed<OnceProcessor<News>>(enough_for_a_mutant), testing::ExitedWithCode(1), "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
