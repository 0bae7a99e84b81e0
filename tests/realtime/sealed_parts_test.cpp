// sealed_parts_test.cpp: four parts get commands, cues, transactions and buffers of their own, schedule, refuse and
// take back, steal voices, and are mixed by strips that move, on a thread that dies at any system call.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cueline/counter.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/processor.hpp>

#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"
#include "sealed_music.hpp"

namespace cueline::test {
namespace {

/// Sets the level of a LevelProcessor.
struct Set {
    static constexpr Kind kind = 300;
    float level;
};
/// Schedules a Set for so many frames from now.
struct SetLater {
    static constexpr Kind kind = 301;
    float level;
    std::uint32_t frames;
};
/// Cancels the last SetLater.
struct Forget {
    static constexpr Kind kind = 302;
    std::uint32_t unused;
};
/// Is refused.
struct Refuse {
    static constexpr Kind kind = 303;
    std::uint32_t unused;
};

/// Renders a level.
class LevelProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::uint32_t buffer_slots() const override { return 2; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return specs; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return names; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        switch (command.kind) {
            case Set::kind:
                level_ = command.as<Set>().level;
                handled.add(1);
                return true;
            case SetLater::kind: {
                last_ = command;
                const auto later = command.as<SetLater>();
                return context.schedule(Message::of(Set{later.level}), context.events().frame() + later.frames);
            }
            case Forget::kind:
                return context.cancel(last_);
            case Refuse::kind:
                return Outcome::refused(first_own_reason);
            default:
                return false;
        }
    }
    void discarded(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { taken_back.add(1); }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        const Buffer* const buffer = context.buffer(1);
        const float level = level_ + (buffer == nullptr ? 0 : buffer->sample(0, 0));
        for (std::size_t output = 0; output < block.outputs.size(); ++output) {
            for (float& sample : block.output(output)) sample = level;
        }
        context.meter(0).set({level}, block.frame);
    }

    Counter handled;
    Counter taken_back;

  private:
    static constexpr std::array<std::string_view, 1> fields{"now"};
    static constexpr std::array<MeterSpec, 1> specs{{{.name = "level", .unit = {}, .fields = fields}}};
    static constexpr std::array<std::string_view, 1> names{"NOT_NOW"};

    float level_ = 0;
    Cause last_;
};

class PartsStory {
  public:
    PartsStory() {
        engine_.start();
        for (const float level : {0.125F, -0.125F}) samples_.emplace_back(std::size_t{2} * 3'000, level);
    }

    void run_block() noexcept {
        pace_.run_if_let([this] { device_.run_block(); });
    }

    void go_on(int rounds) {
        for (const int last = rounds_ + rounds; rounds_ < last; ++rounds_) {
            send_to_all_parts();
            steal_voices();
            move_strips();
            listen();
            take_answers();
        }
    }

    [[nodiscard]] bool is_complete() {
        const auto rounds = static_cast<std::uint64_t>(rounds_);
        const EngineStats stats = engine_.stats();
        const double stolen = engine_.controls().read(meter("drums.voices")).fields[1];
        const std::uint64_t handled = pads_->handled.get() + bass_->handled.get();
        const std::uint64_t taken_back = pads_->taken_back.get() + bass_->taken_back.get();
        std::fprintf(stderr,
                     "%llu levels set, %llu taken back, %g voices stolen, %llu voices ended, %llu applied, %llu "
                     "refused, %llu unknown, %llu cancelled, %llu of %llu values wrong\n",
                     static_cast<unsigned long long>(handled), static_cast<unsigned long long>(taken_back), stolen,
                     static_cast<unsigned long long>(ended_), static_cast<unsigned long long>(applied_),
                     static_cast<unsigned long long>(stats.refused), static_cast<unsigned long long>(stats.unhandled),
                     static_cast<unsigned long long>(stats.cues.cancelled), static_cast<unsigned long long>(wrong_),
                     static_cast<unsigned long long>(compared_));
        return handled == rounds * handled_a_round && taken_back == rounds * taken_back_a_round &&
               stolen >= static_cast<double>(rounds) * 4 && ended_ > rounds && applied_ > rounds * 20 &&
               stats.refused == 2 * rounds && stats.unhandled == rounds &&
               stats.cues.cancelled == rounds * taken_back_a_round && wrong_ == 0 &&
               compared_ == rounds * compared_a_round;
    }

  private:
    enum Part : std::uint8_t { everybody, pads, drums, lead, bass, nobody };

    static constexpr std::uint64_t handled_a_round = 10;
    static constexpr std::uint64_t taken_back_a_round = 3;
    static constexpr std::uint64_t compared_a_round = 8;
    static constexpr std::uint16_t slots = 6;
    static constexpr std::uint32_t drums_slot = 2;  // behind those of the pads

    template <class Command>
    std::uint32_t send(Part part, const Command& command, Delivery at = {}) {
        at.flags = static_cast<std::uint8_t>(at.flags | to_part(part) | delivery::confirm);
        while (engine_.control().send(Command::kind, command, at) == Status::full) pace_.run(1);
        return engine_.control().sequence();
    }

    void publish(std::uint32_t slot, std::span<const float> samples) {
        while (engine_.publish(slot, samples, 2) != Status::ok) pace_.run(1);
    }

    /// Ends with a level of 0.5 of the pads and of 0.25 of the bass.
    void send_to_all_parts() {
        const std::uint64_t now = engine_.now();
        send(everybody, Set{0.75F});
        send(nobody, Set{1});
        send(pads, Refuse{});
        send(bass, Refuse{});
        send(pads, SetLater{.level = 0.1F, .frames = 100});
        send(bass, SetLater{.level = 0.2F, .frames = 100}, {.frame = now + 50});
        send(bass, SetLater{.level = 0.3F, .frames = 5'000}, {.frame = now + 90});
        send(bass, Forget{}, {.frame = now + 300});
        const std::uint32_t unwanted = send(pads, Set{1}, {.frame = now + 3'000});
        send(pads, SetLater{.level = 0.9F, .frames = 4'000}, {.frame = now + 20});
        send(lead, SetTone{440, 0.25F});
        send(lead, GetLevel{}, {.frame = now + 200});
        pace_.run(8);
        engine_.control().cancel(unwanted);
        engine_.control().cancel_all();

        std::array<Message, 4> members;
        for (std::size_t place = 0; place < members.size(); ++place) {
            members.at(place) = Message::of(Set{0.5F * static_cast<float>(place % 2)});
            members.at(place).flags = to_part(place % 2 == 0 ? pads : bass);
        }
        while (engine_.control().try_send_whole(members, {.frame = engine_.now() + 100}) == 0) pace_.run(1);
        const double beat = engine_.timeline().beat_at(static_cast<double>(engine_.now()));
        send(pads, Set{0.5F}, at_beat(beat + 0.02));
        send(bass, Set{0.25F}, at_beat(beat + 0.03));
        publish(1, samples_[0]);  // a slot of the pads
        pace_.run(16);
        const double shown = engine_.controls().read(meter("pads.level")).fields[0];
        expect(shown, 0.625);
        while (engine_.publish_nothing(1) != Status::ok) pace_.run(1);
    }

    /// Starts more voices than the drums have, of all slots and of a loaded buffer.
    void steal_voices() {
        for (std::uint16_t slot = 0; slot < slots; ++slot) {
            publish(drums_slot + slot, std::span{samples_[slot % 2]}.first(2 * (500 + std::size_t{slot} * 400)));
        }
        const std::uint64_t now = engine_.now();
        for (std::uint16_t number = 0; number < 12; ++number) {
            const PlayBuffer start{.slot = static_cast<std::uint16_t>(number % slots),
                                   .choke_group = static_cast<std::uint16_t>(number % 5 == 4 ? 1 : 0),
                                   .loop = static_cast<std::uint8_t>(number % 4 == 0 ? 1 : 0),
                                   .pan = static_cast<float>(number % 3) - 1,
                                   .rate = number % 2 == 0 ? 1 : 1.3F};
            const std::uint64_t frame = now + 30 + std::uint64_t{90} * number;
            const std::uint32_t voice = send(drums, start, {.frame = frame});
            send(drums, SetVoice{.voice = voice, .gain = 0.5F, .rate = 0.9F}, {.frame = frame + 20});
            if (number % 3 == 0) send(drums, StopVoice{voice}, {.frame = frame + 270});
        }
        const std::optional<BufferHandle> loaded = engine_.load_buffer(std::span{samples_[0]}.first(400), 2);
        if (loaded) send(drums, PlayBuffer{.unload = 1, .handle = *loaded}, {.frame = now + 1'300});
        pace_.run(60);
        for (std::uint32_t slot = 0; slot < slots; ++slot) send(drums, StopBuffer{slot});
        pace_.run(20);
    }

    /// By writes, by cues of an automation, and back to where they were.
    void move_strips() {
        for (const double far : {1.0, 0.0}) {
            set("pads.gain", 1 - far / 2);
            set("pads.pan", far);
            set("drums.gain", 1 + far);
            set("lead.mute", far);
            set("lead.pan", -far);
            set("bass.mute", far);
            const std::uint64_t now = engine_.now();
            const auto address = static_cast<std::uint16_t>(parameter("bass.gain"));
            send(everybody,
                 Automate{.value = 2 - far,
                          .end = static_cast<double>(now + 1'000),
                          .parameter = address,
                          .shape = Shape::linear},
                 {.frame = now + 70});
            pace_.run(30);
            if (far != 1) continue;
            // The pads are on the right side, the others are muted or silent.
            expect(device_.heard(0), 0);
            expect(device_.heard(1), 0.25);
        }
    }

    /// With strips that stand still, each sample is known.
    void listen() {
        send(everybody, Automate{.value = 1, .parameter = static_cast<std::uint16_t>(parameter("bass.gain"))});
        set("lead.mute", 1);
        set("pads.gain", 0.5);
        set("pads.pan", -0.5);
        set("bass.pan", 1);
        pace_.run(30);
        expect(device_.heard(0), 0.25);
        expect(device_.heard(1), 0.125 + 0.25);
        send(drums, PlayBuffer{.slot = 4, .loop = 1});
        pace_.run(10);
        expect(device_.heard(0), 0.375);
        expect(device_.heard(1), 0.5);
        set("drums.mute", 1);
        pace_.run(30);
        expect(device_.heard(0), 0.25);
        send(drums, StopBuffer{4});
        for (const std::string_view name : {"drums.mute", "lead.mute", "pads.pan", "bass.pan"}) set(name, 0);
        set("pads.gain", 1);
        pace_.run(30);
    }

    template <class Specs>
    static std::size_t address_of(const Specs& specs, std::string_view name) {
        for (std::size_t index = 0; index < specs.size(); ++index) {
            if (specs[index].name == name) return first_address(specs, index);
        }
        std::fprintf(stderr, "there is no %s\n", std::string{name}.c_str());
        std::_Exit(3);
    }
    std::size_t parameter(std::string_view name) { return address_of(engine_.controls().parameter_specs(), name); }
    std::size_t meter(std::string_view name) { return address_of(engine_.controls().meter_specs(), name); }
    void set(std::string_view name, double value) { engine_.controls().set(parameter(name), value); }

    void expect(double got, double value) {
        ++compared_;
        if (std::abs(got - value) < 1e-6) return;
        ++wrong_;
        std::fprintf(stderr, "round %d, value %llu: expected %g, got %g\n", rounds_,
                     static_cast<unsigned long long>(compared_ % compared_a_round), value, got);
    }

    void take_answers() {
        Message message;
        while (engine_.control().receive_confirmation(message) == Status::ok) {
            if (message.kind == cueline::kind::applied) ++applied_;
        }
        while (engine_.control().receive(message) == Status::ok) {
            if (message.kind == BufferEnded::kind) ++ended_;
        }
        static_cast<void>(engine_.stats());  // frees the buffers that came back
    }

    [[nodiscard]] std::vector<OwnedProcessor> band() const {
        std::vector<OwnedProcessor> parts;
        parts.emplace_back(pads_, "pads");
        parts.emplace_back(std::make_shared<PlayerProcessor>(slots, 4), "drums");
        parts.emplace_back(std::make_shared<ToneProcessor>(), "lead");
        parts.emplace_back(bass_, "bass");
        return parts;
    }

    std::shared_ptr<LevelProcessor> pads_ = std::make_shared<LevelProcessor>();
    std::shared_ptr<LevelProcessor> bass_ = std::make_shared<LevelProcessor>();
    Pace pace_;
    std::unique_ptr<HeardDevice> own_device_ = std::make_unique<HeardDevice>();
    HeardDevice& device_ = *own_device_;
    Engine engine_{std::move(own_device_), open_parts(band())};
    std::vector<std::vector<float>> samples_;
    std::uint64_t applied_ = 0;
    std::uint64_t ended_ = 0;
    std::uint64_t compared_ = 0;
    std::uint64_t wrong_ = 0;
    int rounds_ = 0;
};

TEST_F(SealedEngineMusic, parts_with_commands_of_their_own_strips_that_move_and_stolen_voices_are_real_time_safe) {
    expect_real_time_safe<PartsStory>(8);
}

}  // namespace
}  // namespace cueline::test
