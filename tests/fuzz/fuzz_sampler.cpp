// fuzz_sampler.cpp: random use of the example's sampler, in blocks of two sizes at once. Both must send the same events
// and play the same samples, and the events must be valid.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "sampler_processor.hpp"
#include "two_sizes.hpp"

namespace cueline::fuzz {
namespace {

using sampler::LoopPad;
using sampler::PadEnded;
using sampler::SamplerProcessor;
using sampler::StopPad;
using sampler::Trigger;
using Payload = std::array<std::byte, payload_bytes>;

// At most this many commands are in flight. So none waits for the next block's budget, where block sizes would rightly
// make a difference. There are as many buffers.
constexpr std::size_t round_commands = 100;

/// Both samplers, and what must follow from their commands.
class Conversation {
  public:
    explicit Conversation(FuzzedDataProvider& input)
        : both_{input, [] { return std::make_unique<SamplerProcessor>(); }} {}

    [[nodiscard]] std::uint64_t now() { return both_.engine().now(); }
    [[nodiscard]] bool has_room() const { return commands_ < round_commands; }

    void send(const Message& command, std::uint64_t frame) {
        ++commands_;
        const bool known = makes_sense(command);
        unhandled_ += known ? 0 : 1;
        triggers_ += known && command.kind == Trigger::kind ? 1 : 0;
        both_.each([&](Engine& engine) {
            require(engine.control().send(command.kind, command.payload, {.frame = frame}) == Status::ok,
                    "there is room");
        });
    }
    void publish(std::uint32_t pad, const std::vector<float>& samples, std::uint32_t channels, std::uint64_t frame) {
        ++commands_;
        both_.each([&](Engine& engine) {
            (void)engine.stats();  // takes back what came back
            require(engine.publish(pad, samples, channels, {.frame = frame}) == Status::ok, "a pad is loaded");
        });
    }
    void unload(std::uint32_t pad, std::uint64_t frame) {
        ++commands_;
        both_.each([&](Engine& engine) { engine.publish_nothing(pad, {.frame = frame}); });
    }
    void set(std::size_t knob, double part) { both_.set_parameter(knob, part); }

    void render(std::size_t frames) {
        require(std::ranges::all_of(both_.render(frames), [](float sample) { return std::abs(sample) <= loudest; }),
                "it is no louder than the triggered sounds");
        const std::vector<Message> said = both_.take_events();
        for (const Message& event : said) {
            require(event.kind == PadEnded::kind, "every event is a PadEnded");
            const auto ended = event.as<PadEnded>();
            require(event.frame <= now() && ended.pad < SamplerProcessor::pads && ended.reason <= 3,
                    "events have valid values");
        }
        ended_ += said.size();
        require(ended_ <= triggers_ && triggers_ - ended_ <= round_commands + SamplerProcessor::pads,
                "a trigger is answered once");
        commands_ = both_.engine().stats().cues.pending;
    }

    /// All cues have applied, and all pads are silent.
    void finish() {
        for (std::uint32_t pad = 0; pad < SamplerProcessor::pads; ++pad) {
            send(Message::of(StopPad{pad}), last_cue + now());
        }
        render(last_cue * 2);
        render(SamplerProcessor::pads);
        both_.each([this](Engine& engine) {
            require(engine.stats().unhandled == unhandled_, "only invalid commands are unhandled");
        });
        require(ended_ == triggers_, "each trigger is answered");
        const std::vector<float> silence = both_.render(100);
        require(std::ranges::all_of(silence, [](float sample) { return sample == 0; }), "a stopped pad is silent");
    }

    static constexpr std::uint64_t last_cue = 500;  // how far ahead a cue may be

  private:
    // Eight pads of full scale, panned to one side, each triggered in every frame of the 240 frames of a fade.
    static constexpr float loudest = 8 * 1.5F * 241;

    static bool makes_sense(const Message& command) {
        const auto pad = command.as<std::uint32_t>();
        if (pad >= SamplerProcessor::pads) return false;
        if (command.kind == StopPad::kind || command.kind == LoopPad::kind) return true;
        const float velocity = command.as<Trigger>().velocity;
        return command.kind == Trigger::kind && velocity >= 0 && velocity <= 1;
    }

    TwoSizes both_;
    std::uint64_t commands_ = 0;
    std::uint64_t unhandled_ = 0;
    std::uint64_t triggers_ = 0;
    std::uint64_t ended_ = 0;
};

void go_on(Conversation& conversation, FuzzedDataProvider& input) {
    if (!conversation.has_room()) conversation.render(Conversation::last_cue);
    const auto pad = input.ConsumeIntegralInRange<std::uint32_t>(0, SamplerProcessor::pads - 1);
    const std::uint64_t frame =
        conversation.now() + input.ConsumeIntegralInRange<std::uint64_t>(0, Conversation::last_cue);
    switch (input.ConsumeIntegralInRange(0, 8)) {
        case 0: {  // any bytes
            Payload payload{};
            const auto kind = input.ConsumeIntegralInRange<Kind>(Trigger::kind, PadEnded::kind + 1);
            const auto bytes = input.ConsumeBytes<std::byte>(payload.size());
            std::ranges::copy(bytes, payload.begin());
            conversation.send(Message::of(kind, payload), frame);
            break;
        }
        case 1: {
            const auto channels = input.ConsumeIntegralInRange<std::uint32_t>(1, 3);
            const std::vector<float> samples = TwoSizes::any_samples(input, channels);
            conversation.publish(pad, samples, channels, frame);
            break;
        }
        case 2:
            conversation.unload(pad, frame);
            break;
        case 3:
            conversation.send(Message::of(StopPad{pad}), frame);
            break;
        case 4:
            conversation.send(Message::of(LoopPad{.pad = pad, .loops = input.ConsumeIntegral<std::uint32_t>()}), frame);
            break;
        case 5:
            conversation.set(input.ConsumeIntegralInRange<std::size_t>(0, SamplerProcessor::master_gain),
                             input.ConsumeProbability<double>());
            break;
        case 6:
            conversation.render(input.ConsumeIntegralInRange<std::size_t>(1, 3'000));
            break;
        default: {
            const auto velocity = input.ConsumeProbability<float>();
            conversation.send(Message::of(Trigger{.pad = pad, .velocity = velocity}), frame);
        }
    }
}

}  // namespace
}  // namespace cueline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input{data, size};
    cueline::fuzz::Conversation conversation{input};
    while (input.remaining_bytes() > 0) cueline::fuzz::go_on(conversation, input);
    conversation.finish();
    return 0;
}
