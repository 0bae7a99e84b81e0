// effects_mutants.cpp: mutants that clang must refuse. No build compiles this file; the tests effects.* do, and check
// clang's errors.
#include <cueline/audio_side.hpp>
#include <cueline/control_side.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/schedule.hpp>
#include <cueline/visit.hpp>

#include "rule_breakers.hpp"

namespace cueline::test {

// A block function without the mark.
struct Forgotten {
    void process() noexcept {}
};
constexpr void (Forgotten::*unmarked)() noexcept CUELINE_NONBLOCKING = &Forgotten::process;

// A reader in place that may allocate.
void collect(Consumer<MessageRing>& commands, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    commands.consume([&messages](const Message& command) noexcept { messages.push_back(command); });
}

// A function that makes commands for try_send_each() and may allocate.
void collect(CommandSender& line, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    line.try_send_each([&messages](std::size_t) noexcept { return &messages.emplace_back(); }, 4);
}

/// A visitor that may allocate.
void collect(const Message& message, std::vector<Level>& levels) noexcept CUELINE_NONBLOCKING {
    Messages<Level>::visit(message, [&levels](const Level& level) noexcept { levels.push_back(level); });
}

/// A function that takes cues out of a schedule and may allocate.
void collect(Schedule& schedule, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    schedule.take_out([](const Message&) noexcept { return true; },
                      [&messages](const Message& cue) noexcept { messages.push_back(cue); });
}

}  // namespace cueline::test
