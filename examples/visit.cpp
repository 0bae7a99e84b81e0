// visit.cpp: dispatches a processor's messages by type. A visitor that forgets a type does not compile.
#include <cueline/engine/tone_messages.hpp>
#include <cueline/visit.hpp>

#include <cstdint>
#include <cstdio>

// `cueline header` writes such structs for message classes in Python: see examples/typed_messages.py.
struct SetTone {
    static constexpr cueline::Kind kind = 256;
    std::uint32_t voice;
    float frequency_hz;
    float gain;
};
struct NoteOff {
    static constexpr cueline::Kind kind = 257;
    std::uint32_t voice;
};
using Commands = cueline::Messages<SetTone, NoteOff>;

int main() {
    const auto show = [](const cueline::Message& message) {
        const bool known = Commands::visit(
            message, cueline::Overloaded{
                         [](const SetTone& tone) {
                             std::printf("voice %u: %.0f Hz\n", tone.voice, static_cast<double>(tone.frequency_hz));
                         },
                         [](const NoteOff& note) { std::printf("voice %u is off\n", note.voice); },
                     });  // without one of the two functions it would not compile
        if (!known) std::printf("kind %u is unknown\n", static_cast<unsigned>(message.kind));
    };
    show(cueline::Message::of(SetTone{1, 440.0F, 0.2F}));
    show(cueline::Message::of(NoteOff{1}));
    show(cueline::Message{});
}
