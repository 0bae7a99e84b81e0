// stage.hpp: an engine whose blocks a benchmark runs one by one.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/monotonic.hpp>

#include "step_device.hpp"

namespace cueline::bench {

inline constexpr std::uint64_t far_away = 1'000'000'000'000;

struct Stage {
    explicit Stage(std::unique_ptr<Processor> processor = std::make_unique<SilenceProcessor>(),
                   std::int64_t budget = Ring<Message>::capacity, std::int64_t lines = default_lines)
        : Stage{std::make_unique<StepDevice>(block_format), std::move(processor), budget, lines} {}
    Stage(std::unique_ptr<StepDevice> made, std::unique_ptr<Processor> processor, std::int64_t budget,
          std::int64_t lines)
        : device{made.get()}, engine{std::move(made), std::move(processor), budget, lines} {
        engine.start();
    }

    void run_block() const { device->run_block(block_ns); }
    void send_pings(std::int64_t count, std::uint64_t frame) {
        const Ping ping{1};
        for (std::int64_t number = 0; number < count; ++number) {
            engine.control().send(kind::ping, ping, {.frame = frame});
        }
    }
    void take_events() {
        Message event;
        while (engine.control().receive(event) == Status::ok) {
        }
    }
    /// Makes `count` cues wait that are never due here.
    void fill(std::int64_t cues) {
        send_pings(cues, far_away);
        run_block();
    }

    StepDevice* device;
    Engine engine;
    std::uint64_t block_ns = monotonic_ns();  // read once: a device reads the clock, not the block
};

}  // namespace cueline::bench
