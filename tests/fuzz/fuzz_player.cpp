// fuzz_player.cpp: random use of the player and of musical time, in blocks of two sizes at once. Both must play the
// same samples and send the same events. In the end all is silent, and all buffers are back.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/engine_messages.hpp>

#include "processors/player_processor.hpp"
#include "two_sizes.hpp"

namespace cueline::fuzz {
namespace {

using Payload = std::array<std::byte, payload_bytes>;

constexpr std::uint16_t slots = 4;
constexpr std::int64_t voices = 3;         // few, so that many are stolen
constexpr std::uint64_t last_cue = 500;    // how far ahead a cue may be, in frames
constexpr std::size_t most_waiting = 100;  // so that no command waits for the next block's budget
constexpr std::size_t most_loads = 100;    // so that none is refused for lack of room

enum Address : std::uint8_t { gain, limiter, threshold, parameters };
constexpr std::size_t voices_meter = 1;  // its address: after the peak

/// Both players, and what must follow from their commands.
class Conversation {
  public:
    explicit Conversation(FuzzedDataProvider& input)
        : both_{input, [] { return std::make_unique<PlayerProcessor>(slots, voices); }} {}

    [[nodiscard]] bool has_room() const { return waiting_ < most_waiting; }

    /// Sends a command for so many frames from now on, at a frame or at the beat that is there.
    void send(const Message& command, std::uint64_t ahead, bool by_beat) {
        const Delivery delivery = at(ahead, by_beat);
        ++waiting_;
        both_.each([&](Engine& engine) {
            require(engine.control().send(command.kind, command.payload, delivery) == Status::ok, "there is room");
        });
        if (command.kind != PlayBuffer::kind) return;
        started_.push_back(both_.engine().control().sequence());
        const auto play = command.as<PlayBuffer>();
        if (play.unload != 0) std::erase(loaded_, play.handle);  // released, whatever becomes of the command
    }
    template <class Payload>
    void send(const Payload& payload, std::uint64_t ahead = 0, bool by_beat = false) {
        send(Message::of(payload), ahead, by_beat);
    }

    void publish(std::uint16_t slot, const std::vector<float>& samples, std::uint32_t channels, std::uint64_t ahead) {
        ++waiting_;
        const Delivery delivery = at(ahead, false);
        both_.each([&](Engine& engine) {
            engine.free_returned_buffers();
            require(engine.publish(slot, samples, channels, delivery) == Status::ok, "a slot gets its buffer");
        });
    }
    void publish_nothing(std::uint16_t slot, std::uint64_t ahead) {
        ++waiting_;
        const Delivery delivery = at(ahead, false);
        both_.each([&](Engine& engine) { engine.publish_nothing(slot, delivery); });
    }
    void load(const std::vector<float>& samples, std::uint32_t channels) {
        if (loads_ == most_loads) return;
        ++loads_;
        std::optional<BufferHandle> handle;
        both_.each([&](Engine& engine) {
            engine.free_returned_buffers();
            const auto loaded = engine.load_buffer(samples, channels);
            require(loaded && (!handle || handle == loaded), "block size does not change which buffers are free");
            handle = loaded;
        });
        loaded_.push_back(handle.value_or(0));
    }
    [[nodiscard]] BufferHandle any_loaded(FuzzedDataProvider& input) const {
        if (loaded_.empty()) return 0;
        return loaded_[input.ConsumeIntegralInRange<std::size_t>(0, loaded_.size() - 1)];
    }
    [[nodiscard]] std::uint32_t any_voice(FuzzedDataProvider& input) const {
        if (started_.empty()) return input.ConsumeIntegral<std::uint8_t>();
        return started_[input.ConsumeIntegralInRange<std::size_t>(0, started_.size() - 1)];
    }
    void set(std::size_t address, double part) {
        both_.set_parameter(address, part);
        limits_ = limits_ && address != limiter;
    }

    void render(std::size_t frames) {
        const std::vector<float> samples = both_.render(frames);
        require(!limits_ || std::ranges::all_of(samples, [](float sample) { return std::abs(sample) <= 1; }),
                "with the limiter, no sample exceeds 1");
        for (const Message& event : both_.take_events()) {
            require(event.kind == BufferEnded::kind && event.frame <= both_.engine().now(), "a voice has ended");
            require(std::erase(running_names(), event.sequence) == 1, "a voice ends once");
        }
        const EngineStats stats = both_.engine().stats();
        both_.each([&](const Engine& engine) {
            require(same(stats, engine.stats()), "block size does not change the counts");
        });
        waiting_ = stats.cues.pending;
    }

    /// Cancels what waits, and ends all voices. Then all is silent, and all buffers are back.
    void finish() {
        both_.each([](Engine& engine) { engine.control().cancel_all(); });
        for (std::uint16_t slot = 0; slot < slots; ++slot) {
            send(SetSlot{.slot = slot, .attack_s = 0, .release_s = 0});
            send(StopBuffer{slot});
        }
        for (const std::uint32_t voice : started_) {
            if (!has_room()) render(1);
            send(StopVoice{voice});
        }
        render(1'000);  // longer than a fade
        require(both_.engine().controls().read(voices_meter).fields[0] == 0, "no voice plays");
        for (std::uint16_t slot = 0; slot < slots; ++slot) publish_nothing(slot, 0);
        for (const BufferHandle handle : loaded_) send(UnloadBuffer{handle});
        const std::vector<float> silence = both_.render(100);
        require(std::ranges::all_of(silence, [](float sample) { return sample == 0; }), "a stopped player is silent");
        both_.each([](Engine& engine) {
            engine.free_returned_buffers();
            require(engine.stats().buffers.in_use == 0, "all buffers are back");
        });
    }

  private:
    [[nodiscard]] Delivery at(std::uint64_t ahead, bool by_beat) {
        const std::uint64_t frame = both_.engine().now() + ahead;
        if (!by_beat) return {.frame = frame};
        return at_beat(std::max(0.0, both_.engine().timeline().beat_at(static_cast<double>(frame))));
    }

    /// The names of the voices that have not sent an event yet.
    [[nodiscard]] std::vector<std::uint32_t>& running_names() {
        for (; named_ < started_.size(); ++named_) running_.push_back(started_[named_]);
        return running_;
    }

    [[nodiscard]] static bool same(const EngineStats& one, const EngineStats& other) {
        return one.unhandled == other.unhandled && one.refused == other.refused &&
               one.refused_unconfirmed == other.refused_unconfirmed && one.cues.pending == other.cues.pending &&
               one.cues.late == other.cues.late && one.cues.refused == other.cues.refused &&
               one.cues.cancelled == other.cues.cancelled && one.buffers.in_use == other.buffers.in_use;
    }

    TwoSizes both_;
    std::size_t waiting_ = 0;
    bool limits_ = true;
    std::vector<std::uint32_t> started_;  // sequences of PlayBuffers
    std::vector<std::uint32_t> running_;
    std::size_t named_ = 0;
    std::size_t loads_ = 0;
    std::vector<BufferHandle> loaded_;  // without those that a voice releases
};

[[nodiscard]] PlayBuffer any_play(FuzzedDataProvider& input, const Conversation& conversation) {
    PlayBuffer play{.slot = input.ConsumeIntegralInRange<std::uint16_t>(0, slots)};
    const auto flags = input.ConsumeIntegral<std::uint8_t>();
    play.loop = flags & 1U;
    play.choke_group = (flags >> 1U) & 3U;
    if ((flags & 8U) != 0) play.rate = input.ConsumeFloatingPointInRange<float>(0.01F, 3);
    if ((flags & 16U) != 0) play.gain = input.ConsumeFloatingPointInRange<float>(0, 4);
    if ((flags & 32U) != 0) {
        play.start = input.ConsumeIntegralInRange<std::uint32_t>(0, 600);
        if (play.loop != 0) play.loop_start = input.ConsumeIntegralInRange<std::uint32_t>(0, 600);
        if (play.loop != 0) play.loop_end = input.ConsumeIntegralInRange<std::uint32_t>(0, 600);
    }
    if ((flags & 64U) != 0) {
        play.handle = conversation.any_loaded(input);
        play.unload = flags >> 7U;
        if (flags < 240) play.slot = 0;  // else it is refused
    }
    return play;
}

[[nodiscard]] SetVoice any_set(FuzzedDataProvider& input, std::uint32_t voice) {
    const auto flags = input.ConsumeIntegral<std::uint8_t>();
    SetVoice set{.voice = voice};
    set.loop = flags & 3U;
    set.loop_start = input.ConsumeIntegralInRange<std::uint32_t>(0, 600);
    set.loop_end = input.ConsumeIntegralInRange<std::uint32_t>(0, 600);
    if ((flags & 4U) != 0) set.gain = input.ConsumeFloatingPointInRange<float>(0, 4);
    if ((flags & 8U) != 0) set.pan = input.ConsumeFloatingPointInRange<float>(-1, 1);
    if ((flags & 16U) != 0) set.rate = input.ConsumeFloatingPointInRange<float>(0.01F, 3);
    return set;
}

[[nodiscard]] Message any_timeline_command(FuzzedDataProvider& input) {
    switch (input.ConsumeIntegralInRange(0, 5)) {
        case 0:
            return Message::of(SetTempo{input.ConsumeFloatingPointInRange<double>(1, 1000)});
        case 1:
            return Message::of(RampTempo{.tempo = input.ConsumeFloatingPointInRange<double>(1, 1000),
                                         .length = input.ConsumeFloatingPointInRange<double>(0.001, 0.1),
                                         .over = input.ConsumeBool() ? RampOver::beats : RampOver::seconds});
        case 2:
            return Message::of(StopTimeline{});
        case 3:
            return Message::of(Locate{input.ConsumeFloatingPointInRange<double>(0, 0.2)});
        case 4: {
            const auto start = input.ConsumeFloatingPointInRange<double>(0, 0.1);
            return Message::of(SetLoop{.start = start, .end = start + 0.05});
        }
        default:
            return Message::of(StartTimeline{});
    }
}

void go_on(Conversation& conversation, FuzzedDataProvider& input) {
    if (!conversation.has_room()) conversation.render(last_cue);
    const auto slot = input.ConsumeIntegralInRange<std::uint16_t>(0, slots - 1);
    const auto ahead = input.ConsumeIntegralInRange<std::uint64_t>(0, last_cue);
    const auto what = input.ConsumeIntegral<std::uint8_t>();
    const bool by_beat = what >= 128;
    switch (what % 16) {
        case 0: {  // any bytes
            Payload payload{};
            const auto kind = input.ConsumeIntegralInRange<Kind>(PlayBuffer::kind, SetSlot::kind + 1);
            std::ranges::copy(input.ConsumeBytes<std::byte>(payload.size()), payload.begin());
            conversation.send(Message::of(kind, payload), ahead, by_beat);
            break;
        }
        case 1:
        case 2: {
            const auto channels = input.ConsumeIntegralInRange<std::uint32_t>(1, 3);
            const std::vector<float> samples = TwoSizes::any_samples(input, channels);
            if (what % 16 == 1) {
                conversation.publish(slot, samples, channels, ahead);
            } else {
                conversation.load(samples, channels);
            }
            break;
        }
        case 3:
            conversation.publish_nothing(slot, ahead);
            break;
        case 4:
            conversation.send(StopBuffer{slot}, ahead, by_beat);
            break;
        case 5:
            conversation.send(StopVoice{conversation.any_voice(input)}, ahead, by_beat);
            break;
        case 6:
        case 7:
            conversation.send(any_set(input, conversation.any_voice(input)), ahead, by_beat);
            break;
        case 8:
            conversation.send(SetSlot{.slot = slot,
                                      .attack_s = input.ConsumeFloatingPointInRange<float>(0, 0.02F),
                                      .release_s = input.ConsumeFloatingPointInRange<float>(0, 0.02F)},
                              ahead, by_beat);
            break;
        case 9:
            conversation.set(input.ConsumeIntegralInRange<std::size_t>(0, parameters - 1),
                             input.ConsumeProbability<double>());
            break;
        case 10:
            conversation.send(any_timeline_command(input), ahead, by_beat);
            break;
        case 11:
        case 12:
            conversation.render(input.ConsumeIntegralInRange<std::size_t>(1, 1'000));
            break;
        default:
            conversation.send(any_play(input, conversation), ahead, by_beat);
            break;
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
