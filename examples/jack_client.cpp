// jack_client.cpp: cueline without its engine: a link between main() and the callback of a JACK client of your own.
#include <jack/jack.h>
#include <cueline/audio_side.hpp>
#include <cueline/line.hpp>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <span>
#include <thread>

namespace {

struct Pluck {  // a command
    static constexpr cueline::Kind kind = 256;
    float frequency_hz;
};
struct Sounds {  // an event: the audio thread started this note in the event's frame
    static constexpr cueline::Kind kind = 257;
    float frequency_hz;
};

/// The state of the audio thread.
struct Voice {
    cueline::AudioSide audio;
    jack_port_t* port;
    float samplerate;
    std::uint64_t frame = 0;
    float phase = 0, step = 0, level = 0;
};

/// JACK calls this once per block on its own thread. It reads commands, answers them, and renders.
int process(jack_nframes_t frames, void* data) {
    Voice& voice = *static_cast<Voice*>(data);
    auto* const out = static_cast<float*>(jack_port_get_buffer(voice.port, frames));

    voice.audio.begin_block(voice.frame);
    voice.audio.read(
        [&voice](std::span<const cueline::Message> whole) noexcept {  // 256 commands per block: see AudioSide
            const cueline::Message& command = whole.front();
            if (command.kind != Pluck::kind) return;
            const auto pluck = command.as<Pluck>();
            voice.step = 2 * pluck.frequency_hz / voice.samplerate;
            voice.level = 0.5F;
            // If the event ring is full, the event is dropped and counted.
            voice.audio.events().send(Sounds::kind, Sounds{pluck.frequency_hz}, command);
        });
    for (jack_nframes_t i = 0; i < frames; ++i) {
        voice.phase += voice.step - (voice.phase > 1 ? 2.0F : 0.0F);
        voice.level *= 0.9998F;
        out[i] = voice.level * voice.phase;
    }
    voice.frame += frames;
    voice.audio.end_block();
    return 0;
}

}  // namespace

int main() {
    jack_client_t* const client = jack_client_open("pluck", JackNoStartServer, nullptr);
    if (client == nullptr) {
        std::fputs("no JACK server runs: start one, for instance jackd -d dummy\n", stderr);
        return 1;
    }
    const cueline::OwnedLink link{{.lines = 1}};
    cueline::Line line{link};
    Voice voice{cueline::AudioSide{link},
                jack_port_register(client, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0),
                static_cast<float>(jack_get_sample_rate(client))};
    jack_set_process_callback(client, &process, &voice);
    jack_activate(client);
    jack_connect(client, jack_port_name(voice.port), "system:playback_1");  // fails if there is no such port

    const auto tell_what_came = [&line] {
        cueline::Message event;
        while (line.receive(event) == cueline::Status::ok) {
            const auto heard = static_cast<double>(event.as<Sounds>().frequency_hz);
            std::printf("%.1f Hz sounds, from frame %" PRIu64 " on\n", heard, event.frame);
        }
    };
    for (const float hz : {220.0F, 277.2F, 329.6F, 440.0F}) {
        if (line.send(Pluck::kind, Pluck{hz}) == cueline::Status::full) std::puts("the ring is full");
        std::this_thread::sleep_for(std::chrono::milliseconds{300});
        tell_what_came();
    }
    jack_client_close(client);  // no block runs any more
    tell_what_came();           // the last events
    const std::uint64_t dropped = link.line(0).commands.stats().dropped + link.line(0).events.stats().dropped;
    std::printf("%" PRIu64 " sent, %" PRIu64 " dropped\n", link.line(0).commands.stats().sent, dropped);
}
