// effects_mutants.cpp: mutants that clang must refuse. No build compiles this file; the tests effects.* do, and check
// clang's errors.
#include <cueline/audio_side.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/line.hpp>
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

// What accepts commands, and may allocate.
void collect(AudioSide& audio, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    audio.read([&messages](std::span<Message> whole) noexcept { messages.push_back(whole.front()); });
}

// A function that fills commands for try_send_each() and may allocate.
void collect(Line& line, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    const auto fill = [&messages](std::size_t, Message& command) noexcept {
        command = messages.emplace_back();
        return true;
    };
    line.try_send_each(fill, 4);
}

/// A visitor that may allocate.
void collect(const Message& message, std::vector<Level>& levels) noexcept CUELINE_NONBLOCKING {
    Messages<Level>::visit(message, [&levels](const Level& level) noexcept { levels.push_back(level); });
}

/// A function that takes cues out of a schedule and may allocate.
void collect(Schedule& schedule, std::vector<Message>& messages) noexcept CUELINE_NONBLOCKING {
    schedule.take_out([](const Schedule::Cue&) noexcept { return true; },
                      [&messages](const Schedule::Cue& cue) noexcept { messages.push_back(cue.command); });
}

}  // namespace cueline::test
