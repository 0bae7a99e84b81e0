// engine.cpp: renders a block offline, with the installed engine.
#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine_messages.hpp>

#include <cstdio>
#include <vector>

int main() {
    cueline::Engine engine{cueline::open_device({.device = "offline"}), cueline::open_processor("tone")};
    engine.control().ping();
    engine.start();
    std::vector<float> audio(256 * 2);
    const std::size_t frames = engine.device().render(audio);
    cueline::Message message;
    int pongs = 0;
    while (engine.control().receive(message) == cueline::Status::ok)
        pongs += message.kind == cueline::kind::pong ? 1 : 0;
    const bool sounds = audio.back() != 0;
    std::printf("rendered %zu frames of %s: %d pong\n", frames, sounds ? "tone" : "silence", pongs);
}
