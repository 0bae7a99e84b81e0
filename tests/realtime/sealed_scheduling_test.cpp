// sealed_scheduling_test.cpp: a processor that schedules, cancels, refuses, takes back and releases buffers, on a
// thread that dies at any system call.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/processor.hpp>
#include <cueline/visit.hpp>

#include "rule_breaking.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"
#include "wrapping_processor.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {
namespace {

/// Plays `sound` in `frames` frames.
struct Later {
    static constexpr Kind kind = 300;
    BufferHandle sound;
    std::uint32_t frames;
};
/// Plays it now, in place of the one before.
struct Sound {
    static constexpr Kind kind = 301;
    BufferHandle sound;
};

/// Releases each buffer: the one that another replaces, and those of commands that are cancelled or refused.
class TakingPart : public Processor {
  public:
    static constexpr std::uint32_t loaded = 64;

    void prepare(const Format&) override {}
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return loaded; }
    void begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (++blocks_ % 8 == 0) context.cancel(last_);
    }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        const auto act = Overloaded{
            [&](const Later& later) noexcept CUELINE_NONBLOCKING -> Outcome {
                if (later.frames == 0) {
                    context.release_buffer(later.sound);
                    return Outcome::refused(first_own_reason);
                }
                last_ = command;
                return context.schedule(Message::of(Sound{later.sound}), context.events().frame() + later.frames);
            },
            [&](const Sound& sound) noexcept CUELINE_NONBLOCKING -> Outcome {
                context.release_buffer(sound_);
                sound_ = sound.sound;
                return Outcome::applied(sound.sound);
            },
        };
        return Messages<Later, Sound>::visit(command, act);
    }
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (command.kind == Sound::kind) context.release_buffer(command.as<Sound>().sound);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        const Buffer* const buffer = context.loaded_buffer(sound_);
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            const bool sounds = buffer != nullptr && frame < buffer->frames;
            for (float* const channel : block.outputs) channel[frame] = sounds ? buffer->sample(frame, 0) : 0;
        }
    }

  private:
    BufferHandle sound_ = 0;
    Cause last_;
    std::uint64_t blocks_ = 0;
};

struct Counts {
    std::uint64_t applied = 0;
    std::uint64_t refused = 0;
    std::uint64_t cancelled = 0;
};

void go_on(Engine& engine, std::uint64_t commands, Counts& counts) {
    Line& line = engine.control();
    const std::vector<float> samples(1000, 0.5F);
    const auto take_confirmations = [&] {
        for (Message message; line.receive_confirmation(message) == Status::ok;) {
            if (message.kind == cueline::kind::applied) {
                ++counts.applied;
            } else if (message.as<Refused>().reason == Reason::cancelled) {
                ++counts.cancelled;
            } else {
                ++counts.refused;
            }
        }
    };
    for (std::uint64_t sent = 0; sent < commands;) {
        const auto handle = engine.load_buffer(samples, 2);
        take_confirmations();
        if (!handle) continue;
        const Later later{.sound = *handle, .frames = static_cast<std::uint32_t>(sent * 997 % 300)};
        while (line.send(Later::kind, later, {.flags = delivery::confirm}) == Status::full) {
        }
        if (++sent % 5 == 0) line.cancel(line.sequence());
    }
    while (engine.stats().buffers.in_use > 1) take_confirmations();
    take_confirmations();
}

/// Sends until `commands` buffers have come and gone. Ends the process: with 0 if nothing was counted against it.
template <class ProcessorType>
[[noreturn]] void be_sealed_while_it_takes_part(std::uint64_t commands) {
    auto own_device = std::make_unique<HandDevice>();
    HandDevice& device = *own_device;
    Engine engine{std::move(own_device), std::make_unique<ProcessorType>()};
    engine.start();
    Counts counts;
    const Toll toll = run_blocks_sealed([&] { device.run_block(); }, [&] { go_on(engine, 1000, counts); },
                                        [&] { go_on(engine, commands, counts); });
    std::fprintf(stderr,
                 "%llu applied, %llu refused, %llu cancelled: page faults %llu, voluntary switches %llu, "
                 "allocations %llu\n",
                 static_cast<unsigned long long>(counts.applied), static_cast<unsigned long long>(counts.refused),
                 static_cast<unsigned long long>(counts.cancelled), static_cast<unsigned long long>(toll.page_faults),
                 static_cast<unsigned long long>(toll.voluntary_switches),
                 static_cast<unsigned long long>(toll.allocations));
    const bool complete = counts.applied > 0 && counts.refused > 0 && counts.cancelled > 0 &&
                          counts.applied + counts.refused + counts.cancelled == commands + 1000;
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

TEST_F(SealedEngine, a_processor_that_schedules_cancels_and_releases_buffers_is_real_time_safe) {
    EXPECT_EXIT(be_sealed_while_it_takes_part<TakingPart>(20'000), testing::ExitedWithCode(0),
                "page faults 0, voluntary switches 0, allocations 0");
}

/// Allocates when a command comes back.
class AllocatingInDiscarded final : public TakingPart {
  public:
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        break_the_rule([] {
            const auto made = std::make_unique<int>(1);
            escaped = made.get();
        });
        TakingPart::discarded(command, context);
    }
};

TEST_F(SealedEngine, the_counter_catches_a_processor_that_allocates_when_it_takes_a_command_back) {
    EXPECT_EXIT(be_sealed_while_it_takes_part<AllocatingInDiscarded>(1000), testing::ExitedWithCode(1),
                "allocations [1-9]");
}

}  // namespace
}  // namespace cueline::test
