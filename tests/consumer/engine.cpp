// engine.cpp: renders a block offline, with the installed engine.
#include <cstdio>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/null_device.hpp>
#include <cueline/engine/offline_device.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine_messages.hpp>

int main() {
    auto own_device = std::make_unique<cueline::OfflineDevice>(cueline::Format{});
    cueline::OfflineDevice& device = *own_device;
    cueline::Engine engine{std::move(own_device), cueline::open_processor("tone")};
    engine.control().ping();
    engine.start();
    std::vector<float> audio(256 * 2);
    const std::size_t frames = device.render(audio) / 2;
    cueline::Message message;
    int pongs = 0;
    while (engine.control().receive(message) == cueline::Status::ok)
        pongs += message.kind == cueline::kind::pong ? 1 : 0;
    const bool sounds = audio.back() != 0;
    std::printf("rendered %zu frames of %s: %d pong\n", frames, sounds ? "tone" : "silence", pongs);
}
