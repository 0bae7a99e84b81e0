// effects_mutants.cpp: the mutants as they are: clang must refuse each act in it. No build compiles this; the tests
// named effects.* do, and look for what clang says.
#include <cueline/audio_side.hpp>
#include <cueline/control_side.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/schedule.hpp>
#include <cueline/visit.hpp>

#include "rule_breakers.hpp"

namespace cueline::test {

// A block function that somebody forgot to mark.
struct Forgotten {
    void process() noexcept {}
};
constexpr void (Forgotten::*unmarked)() noexcept CUELINE_NONBLOCKING = &Forgotten::process;

// What reads in place, and is no more sound than it ought to be.
void collect(Consumer<MessageRing>& commands, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    commands.consume([&messages](const Message& command) noexcept { messages.push_back(command); });
}

// And what sends commands that it makes where there may be no room for them.
void collect(CommandSender& line, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    line.try_send_each([&messages](std::size_t) noexcept { return &messages.emplace_back(); }, 4);
}

/// A visitor that is no more sound either.
void collect(const Message& message, std::vector<Level>& levels) noexcept CUELINE_NONBLOCKING {
    Messages<Level>::visit(message, [&levels](const Level& level) noexcept { levels.push_back(level); });
}

/// Nor is who takes cues out of a schedule and keeps them where there may be no room.
void collect(Schedule& schedule, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    schedule.take_out([](const Message&) noexcept { return true; },
                      [&messages](const Message& cue) noexcept { messages.push_back(cue); });
}

}  // namespace cueline::test
