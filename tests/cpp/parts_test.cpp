// parts_test.cpp: several processors run in one engine as if each ran alone, and their outputs are mixed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_processor.hpp>
#include <cueline/engine/player_messages.hpp>
#include <cueline/engine/tone_messages.hpp>
#include <cueline/midi.hpp>

#include "devices/offline_device.hpp"
#include "player_playing.hpp"
#include "processors/balance.hpp"
#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"
#include "refusal.hpp"
#include "ring_checks.hpp"
#include "step_device.hpp"

namespace cueline::test {
namespace {

/// Sets the level that a Probe renders.
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
/// Is refused for this reason.
struct Refuse {
    static constexpr Kind kind = 302;
    std::uint32_t reason;
};
/// Shows the first sample of the buffer in this slot, or -1.
struct Show {
    static constexpr Kind kind = 303;
    std::uint32_t slot;
};

constexpr std::array<std::string_view, 1> value_field{"value"};
constexpr std::array probe_parameters{
    ParameterSpec{.name = "first", .lowest = 0, .highest = 9, .default_value = 0, .unit = {}, .ramp_s = 0, .count = 3},
    ParameterSpec{.name = "second", .lowest = 0, .highest = 9, .default_value = 0, .unit = {}, .ramp_s = 0}};
constexpr std::array probe_meters{MeterSpec{.name = "level", .unit = {}, .fields = value_field},
                                  MeterSpec{.name = "shown", .unit = {}, .fields = value_field, .count = 2}};
constexpr std::array probe_streams{StreamSpec{.name = "voice", .channels = 1}};
constexpr std::array<std::string_view, 2> probe_reasons{"BUSY", "BROKEN"};

/// Renders its level plus its parameters' values, and copies the frames of its playback into its recording.
class Probe final : public Processor {
  public:
    void reset() override { ++resets; }
    void prepare(const Format&) override {
        if (!broken.empty()) throw std::runtime_error{broken};
    }
    [[nodiscard]] std::uint32_t buffer_slots() const override { return 3; }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return probe_parameters; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return probe_meters; }
    [[nodiscard]] std::span<const StreamSpec> playbacks() const override { return probe_streams; }
    [[nodiscard]] std::span<const StreamSpec> recordings() const override { return probe_streams; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return probe_reasons; }
    void begin_block(ProcessContext&) noexcept CUELINE_NONBLOCKING override { ++blocks; }

    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        ++handled;
        switch (command.kind) {
            case Set::kind:
                level = command.as<Set>().level;
                context.meter(0).set({level}, context.events().frame());
                return true;
            case SetLater::kind:
                return context.schedule(Message::of(Set{command.as<SetLater>().level}),
                                        context.events().frame() + command.as<SetLater>().frames);
            case Refuse::kind:
                return Outcome::refused(command.as<Refuse>().reason);
            case Show::kind: {
                const Buffer* const buffer = context.buffer(command.as<Show>().slot);
                context.meter(2).set({buffer == nullptr ? -1 : buffer->sample(0, 0)}, 0);
                return true;
            }
            case kind::note_on: {
                const auto note = command.as<NoteOn>();
                level += static_cast<float>(note.note);
                if (note.velocity == 1) return true;
                context.schedule(Message::of(NoteOn{note.note, 1}), context.events().frame() + 1);
                return true;
            }
            default:
                return false;
        }
    }
    void discarded(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { ++given_back; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        std::array<float, 512> samples{};
        const PlaybackRun<> waiting = context.playback(0).waiting(block.frames);
        for (std::size_t frame = 0; frame < waiting.frames; ++frame) samples[frame] = waiting.sample(frame, 0);
        context.playback(0).pop(waiting.frames);
        const std::array<const float*, 1> played{samples.data()};
        context.recording(0).write(played, block.frame, block.frames);
        for (std::uint32_t frame = 0; frame < block.frames; ++frame) {
            float sum = level;
            for (const Parameter& parameter : context.parameters(0, 4)) sum += static_cast<float>(parameter.at(frame));
            for (std::size_t input = 0; input < block.inputs.size(); ++input) sum += block.input(input)[frame];
            for (std::size_t output = 0; output < block.outputs.size(); ++output) block.output(output)[frame] = sum;
        }
    }

    std::string broken;
    float level = 0;
    std::size_t blocks = 0;
    std::size_t handled = 0;
    std::size_t resets = 0;
    std::size_t given_back = 0;
};

/// An engine with parts on the offline device.
class Mixed {
  public:
    explicit Mixed(std::vector<OwnedProcessor> parts, const Format& format = {.outputs = 2, .blocksize = 64})
        : Mixed{std::make_unique<OfflineDevice>(format), std::move(parts)} {}

    template <class Command>
    std::uint32_t send(std::size_t part, const Command& command, Delivery delivery = {}) {
        delivery.flags |= to_part(part);
        EXPECT_EQ(engine->control().send(Command::kind, command, delivery), Status::ok);
        return engine->control().sequence();
    }
    [[nodiscard]] std::vector<float> render(std::size_t frames) const {
        std::vector<float> audio(frames * engine->format().outputs);
        engine->device().render(audio);
        return audio;
    }
    void play(std::size_t frames) const { static_cast<void>(render(frames)); }
    /// The next confirmation; its kind is none if there is none.
    [[nodiscard]] Message confirmation() const {
        Message message;
        return engine->control().receive_confirmation(message) == Status::empty ? Message{} : message;
    }
    /// The address of a parameter, or of a meter.
    [[nodiscard]] std::size_t address(std::string_view name) const {
        const auto look = [&](auto specs) -> std::optional<std::size_t> {
            for (std::size_t index = 0; index < specs.size(); ++index) {
                if (specs[index].name == name) return first_address(specs, index);
            }
            return std::nullopt;
        };
        const auto parameter = look(engine->controls().parameter_specs());
        const auto found = parameter ? parameter : look(engine->controls().meter_specs());
        EXPECT_TRUE(found.has_value()) << name;
        return found.value_or(0);
    }
    void set(std::string_view name, double value) const { engine->controls().set(address(name), value); }
    [[nodiscard]] double meter(std::string_view name, std::size_t element = 0) const {
        return engine->controls().read(address(name) + element).fields[0];
    }

    std::unique_ptr<Engine> engine;

  private:
    Mixed(std::unique_ptr<Device> device, std::vector<OwnedProcessor> parts)
        : engine{std::make_unique<Engine>(std::move(device), open_parts(std::move(parts)))} {
        engine->start();
    }
};

/// Probes as parts "a", "b" and so on.
class Probes {
  public:
    explicit Probes(std::size_t count) {
        for (std::size_t number = 0; number < count; ++number) probes.push_back(std::make_shared<Probe>());
    }
    [[nodiscard]] std::vector<OwnedProcessor> parts() const {
        std::vector<OwnedProcessor> all;
        for (const auto& probe : probes) all.emplace_back(probe, std::string(1, static_cast<char>('a' + all.size())));
        return all;
    }
    [[nodiscard]] Probe& operator[](std::size_t number) const { return *probes[number]; }

    std::vector<std::shared_ptr<Probe>> probes;
};

/// Plays a few voices and tones, as one part of an engine or as its only processor.
void play(Engine& engine, std::size_t drums, std::size_t lead) {
    const std::vector<float> samples = noise(3'000);
    if (drums > 0) {
        EXPECT_EQ(engine.publish(2, samples, 1), Status::ok);
        for (std::uint32_t hit = 0; hit < 20; ++hit) {
            const PlayBuffer command{.slot = 2, .gain = 0.3F, .pan = static_cast<float>(hit % 3) - 1, .rate = 1.1F};
            const Delivery at{.frame = 100 + hit * 333, .flags = to_part(drums)};
            EXPECT_EQ(engine.control().send(PlayBuffer::kind, command, at), Status::ok);
        }
    }
    if (lead > 0) {
        for (std::uint32_t note = 0; note < 9; ++note) {
            const SetTone command{200.0F + static_cast<float>(note) * 50, 0.1F * static_cast<float>(note % 3)};
            const Delivery at{.frame = 50 + note * 777, .flags = to_part(lead)};
            EXPECT_EQ(engine.control().send(SetTone::kind, command, at), Status::ok);
        }
    }
}

constexpr std::size_t heard_frames = 8'000;

std::vector<float> alone(std::unique_ptr<Processor> processor, bool is_player, std::uint32_t blocksize) {
    Engine engine{std::make_unique<OfflineDevice>(Format{.outputs = 2, .blocksize = blocksize}), std::move(processor)};
    engine.start();
    play(engine, is_player ? 1 : 0, is_player ? 0 : 1);  // it ignores the number
    std::vector<float> audio(heard_frames * 2);
    engine.device().render(audio);
    return audio;
}

std::vector<OwnedProcessor> band() {
    std::vector<OwnedProcessor> parts;
    parts.emplace_back(std::make_shared<PlayerProcessor>(), "drums");
    parts.emplace_back(std::make_shared<ToneProcessor>(), "lead");
    return parts;
}

TEST(Parts, sound_as_the_sum_of_each_alone_at_any_block_size) {
    for (const std::uint32_t blocksize : {1U, 16U, 64U, 100U, 1'024U}) {
        const std::vector<float> drums = alone(std::make_unique<PlayerProcessor>(), true, blocksize);
        const std::vector<float> lead = alone(std::make_unique<ToneProcessor>(), false, blocksize);
        for (const auto& [drums_pan, lead_pan, mute] :
             {std::tuple{0.0, 0.0, 0.0}, {0.25, -0.5, 0.0}, {-1.0, 1.0, 0.25}, {0.5, 0.0, 1.0}}) {
            Mixed mixed{band(), {.outputs = 2, .blocksize = blocksize}};
            mixed.set("drums.pan", drums_pan);
            mixed.set("lead.pan", lead_pan);
            mixed.set("lead.mute", mute);
            play(*mixed.engine, 1, 2);
            const std::vector<float> heard = mixed.render(heard_frames);
            ASSERT_GT(*std::ranges::max_element(heard), 0.2F);
            for (std::size_t sample = 0; sample < heard.size(); ++sample) {
                const float left_or_right = sample % 2 == 0 ? -1.0F : 1.0F;
                const auto side = [&](double pan) {
                    return std::min(1.0F, 1 + left_or_right * static_cast<float>(pan));
                };
                const float expected =
                    drums[sample] * side(drums_pan) + lead[sample] * (static_cast<float>(1 - mute) * side(lead_pan));
                ASSERT_EQ(heard[sample], expected) << "blocks of " << blocksize << ", frame " << sample / 2;
            }
        }
    }
}

TEST(Parts, move_their_gain_pan_and_mute_without_a_jump_and_alike_at_any_block_size) {
    std::vector<float> first;
    for (const std::uint32_t blocksize : {16U, 32U, 160U, 480U}) {
        const Probes probes{2};
        Mixed mixed{probes.parts(), {.outputs = 2, .blocksize = blocksize}};
        mixed.send(1, Set{0.5F});
        mixed.send(2, Set{0.25F});
        std::vector<float> heard = mixed.render(480);
        const auto go_on = [&](std::string_view name, double value) {
            mixed.set(name, value);
            const std::vector<float> more = mixed.render(1'440);
            heard.insert(heard.end(), more.begin(), more.end());
            return std::array{more[more.size() - 2], more[more.size() - 1]};
        };
        EXPECT_EQ(go_on("a.gain", 0.5), (std::array{0.5F, 0.5F}));
        EXPECT_EQ(go_on("b.pan", 0.5), (std::array{0.375F, 0.5F}));
        EXPECT_EQ(go_on("a.mute", 1), (std::array{0.125F, 0.25F}));
        EXPECT_EQ(go_on("b.gain", 2), (std::array{0.25F, 0.5F}));
        EXPECT_EQ(go_on("b.mute", 1), (std::array{0.0F, 0.0F}));
        EXPECT_EQ(go_on("a.mute", 0), (std::array{0.25F, 0.25F}));
        for (std::size_t sample = 2; sample < heard.size(); ++sample) {
            ASSERT_LT(std::abs(heard[sample] - heard[sample - 2]), 0.001F) << "frame " << sample / 2;
        }
        if (first.empty()) first = heard;
        EXPECT_EQ(heard, first) << "blocks of " << blocksize;
    }
}

TEST(Parts, get_their_own_commands_and_those_without_a_part) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    mixed.send(2, Set{0.25F});
    EXPECT_EQ(mixed.render(64).front(), 0.25F);
    EXPECT_EQ(probes[0].handled + probes[2].handled, 0U);
    mixed.send(0, Set{0.125F});
    EXPECT_EQ(mixed.render(64).front(), 0.375F);
    EXPECT_EQ(mixed.engine->stats().unhandled, 0U);
}

TEST(Parts, that_do_not_exist_refuse_commands_as_unknown_and_count_them) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    for (std::size_t part = 0; part < 16; ++part) {
        const std::uint64_t before = mixed.engine->stats().unhandled;
        mixed.send(part, Set{1}, {.flags = delivery::confirm});
        mixed.play(64);
        const Message answer = mixed.confirmation();
        const bool exists = part <= 3;
        EXPECT_EQ(answer.kind, exists ? kind::applied : kind::refused) << part;
        if (!exists) {
            EXPECT_EQ(answer.as<Refused>().reason, Reason::unknown);
        }
        EXPECT_EQ(mixed.engine->stats().unhandled - before, exists ? 0U : 1U) << part;
    }
    mixed.send(9, Set{1}, {.frame = mixed.engine->now() + 1'000});
    mixed.engine->control().cancel_all();
    mixed.play(64);
    EXPECT_EQ(probes[0].given_back + probes[1].given_back + probes[2].given_back, 0U);
}

TEST(Parts, of_the_engines_own_messages_do_not_matter) {
    const Probes probes{1};
    Mixed mixed{probes.parts()};
    for (std::size_t part = 0; part < 16; ++part) mixed.send(part, Ping{1});
    mixed.play(64);
    Message event;
    for (std::size_t part = 0; part < 16; ++part) {
        ASSERT_EQ(mixed.engine->control().receive(event), Status::ok);
        EXPECT_EQ(event.kind, kind::pong);
        EXPECT_EQ(event.flags, 0);
    }
}

TEST(Parts, get_the_members_of_a_transaction_that_are_theirs) {
    for (const std::uint8_t time : {std::uint8_t{0}, delivery::beat, delivery::grid}) {
        for (const std::uint64_t frame : {std::uint64_t{0}, std::uint64_t{100}}) {
            const Probes probes{2};
            Mixed mixed{probes.parts()};
            std::array members{Message::of(Set{0.5F}), Message::of(Set{0.25F})};
            members[0].flags = to_part(2) | delivery::drop_if_late;  // only the part counts
            members[1].flags = to_part(1);
            const std::uint64_t when = time == 0 ? frame : std::bit_cast<std::uint64_t>(frame == 0 ? 0.0 : 0.125);
            mixed.engine->control().try_send_whole(members, {.frame = when, .flags = time});
            mixed.play(97'000);
            EXPECT_EQ(probes[0].level, 0.25F) << int{time} << " " << frame;
            EXPECT_EQ(probes[1].level, 0.5F) << int{time} << " " << frame;
        }
    }
}

TEST(Parts, get_back_what_they_schedule_and_no_other_part_does) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    const std::uint32_t sequence = mixed.send(2, SetLater{0.5F, 100}, {.flags = delivery::confirm});
    const std::vector<float> heard = mixed.render(128);
    EXPECT_EQ(heard[198], 0.0F);  // the left sample of frame 99
    EXPECT_EQ(heard[200], 0.5F);
    EXPECT_EQ(probes[1].handled, 2U);
    EXPECT_EQ(probes[0].handled + probes[2].handled, 0U);
    const Message answer = mixed.confirmation();
    EXPECT_EQ(answer.sequence, sequence);
    EXPECT_EQ(answer.kind, kind::applied);
}

TEST(Parts, get_back_what_is_cancelled_or_left_at_the_end_if_it_is_theirs) {
    const Probes probes{2};
    Mixed mixed{probes.parts()};
    mixed.send(2, Set{1}, {.frame = 1'000});
    mixed.play(64);
    mixed.engine->control().cancel_all();
    mixed.play(64);
    EXPECT_EQ(probes[0].given_back, 0U);
    EXPECT_EQ(probes[1].given_back, 1U);
    mixed.send(1, SetLater{1, 1'000});
    mixed.send(0, Set{1}, {.frame = 2'000});
    mixed.play(64);
    mixed.engine->close();
    EXPECT_EQ(probes[0].given_back, 2U) << "what it has scheduled, and what is for all";
    EXPECT_EQ(probes[1].given_back, 2U);
}

TEST(Parts, find_their_own_buffers_from_slot_0_on) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    EXPECT_EQ(mixed.engine->buffer_slots(), 9U);
    for (std::int64_t slot = 0; slot < 9; ++slot) {
        const std::array sample{static_cast<float>(slot)};
        EXPECT_EQ(mixed.engine->publish(slot, sample, 1), Status::ok);
    }
    for (std::size_t part = 0; part < 3; ++part) {
        for (std::uint32_t slot = 0; slot < 5; ++slot) {
            mixed.send(part + 1, Show{slot});
            mixed.play(64);
            const std::string name = std::string(1, static_cast<char>('a' + part)) + ".shown";
            EXPECT_EQ(mixed.meter(name, 1), slot < 3 ? static_cast<double>(3 * part + slot) : -1) << part << slot;
        }
    }
}

TEST(Parts, have_parameters_and_meters_of_their_own) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    std::vector<std::string_view> names;
    for (const ParameterSpec& spec : mixed.engine->controls().parameter_specs()) names.push_back(spec.name);
    EXPECT_EQ(names, (std::vector<std::string_view>{"a.first", "a.second", "a.gain", "a.pan", "a.mute", "b.first",
                                                    "b.second", "b.gain", "b.pan", "b.mute", "c.first", "c.second",
                                                    "c.gain", "c.pan", "c.mute"}));
    mixed.engine->controls().set(mixed.address("b.first") + 2, 2);
    mixed.set("c.second", 4);
    mixed.send(3, Set{0.5F});
    mixed.set("a.mute", 1);
    mixed.set("c.mute", 1);
    mixed.play(2'000);
    EXPECT_EQ(mixed.render(64).back(), 2.0F) << "only b is heard";
    mixed.set("c.mute", 0);
    mixed.play(2'000);
    EXPECT_EQ(mixed.render(64).back(), 6.5F);
    EXPECT_EQ(mixed.meter("a.level"), 0);
    EXPECT_EQ(mixed.meter("c.level"), 0.5);
    EXPECT_EQ(probes[0].blocks, probes[2].blocks);
    EXPECT_GT(probes[0].blocks, 0U);
}

TEST(Parts, with_a_gain_of_their_own_have_no_second_one) {
    const Mixed mixed{band()};
    std::vector<std::string_view> names;
    for (const ParameterSpec& spec : mixed.engine->controls().parameter_specs()) names.push_back(spec.name);
    EXPECT_EQ(names,
              (std::vector<std::string_view>{"drums.gain", "drums.limiter", "drums.threshold", "drums.pan",
                                             "drums.mute", "lead.frequency", "lead.gain", "lead.pan", "lead.mute"}));
    EXPECT_EQ(mixed.engine->controls().parameter_specs()[6].highest, 1) << "the tone's";
}

TEST(Parts, play_and_record_streams_of_their_own) {
    const Probes probes{3};
    Mixed mixed{probes.parts()};
    EXPECT_EQ(mixed.engine->controls().playback_specs()[1].name, "b.voice");
    Playback playback = mixed.engine->open_playback({.frames = 256, .stream = "b.voice"});
    Recording recording = mixed.engine->open_recording({.frames = 256, .stream = "b.voice"});
    const std::vector<float> samples = ramp(64);
    playback.write(samples);
    EXPECT_EQ(playback.start(), Status::ok);
    EXPECT_EQ(recording.start(), Status::ok);
    mixed.play(64);
    std::vector<float> recorded(64);
    EXPECT_EQ(recording.read(recorded).frames, 64U);
    EXPECT_EQ(recorded, samples);
}

TEST(Parts, get_all_inputs) {
    const Probes probes{3};
    Engine engine{std::make_unique<OfflineDevice>(Format{.inputs = 1, .outputs = 1, .blocksize = 64}),
                  open_parts(probes.parts())};
    engine.start();
    const std::vector<float> inputs = ramp(200);
    std::vector<float> audio(200);
    engine.device().render(audio, inputs);
    for (std::size_t frame = 0; frame < 200; ++frame) ASSERT_EQ(audio[frame], 3 * inputs[frame]);
}

TEST(Parts, name_their_own_reasons) {
    const Probes probes{2};
    Mixed mixed{probes.parts()};
    const auto reason = [&](std::size_t part, std::uint32_t wanted) {
        mixed.send(part, Refuse{wanted}, {.flags = delivery::confirm});
        mixed.play(64);
        return static_cast<std::uint32_t>(mixed.confirmation().as<Refused>().reason);
    };
    EXPECT_EQ(reason(1, first_own_reason + 1), first_own_reason + 1);
    EXPECT_EQ(reason(2, first_own_reason), first_own_reason + 2);
    EXPECT_EQ(reason(2, first_own_reason + 1), first_own_reason + 3);
    EXPECT_EQ(reason(1, first_own_reason + 2), first_own_reason + 6) << "it has no name, and gets no other part's";
    EXPECT_EQ(reason(2, std::numeric_limits<std::uint32_t>::max()), std::numeric_limits<std::uint32_t>::max());
    EXPECT_EQ(reason(2, static_cast<std::uint32_t>(Reason::late)), static_cast<std::uint32_t>(Reason::late));
}

TEST(Parts, all_get_what_midi_inputs_bring_and_what_a_part_schedules_then_is_its_own) {
    const Probes probes{2};
    auto owned = std::make_unique<StepDevice>(Format{.outputs = 1, .blocksize = 64});
    StepDevice& device = *owned;
    Engine engine{std::move(owned), open_parts(probes.parts())};
    engine.start();
    Message note = Message::of(NoteOn{2, 100});
    note.frame = 10;
    device.callback().take_midi({&note, 1});
    const std::vector<float>& heard = device.run();
    EXPECT_EQ(heard[9], 0.0F);
    EXPECT_EQ(heard[10], 4.0F) << "both parts have the note";
    EXPECT_EQ(heard[11], 8.0F) << "and what each has scheduled, once";
    EXPECT_EQ(engine.stats().unhandled, 0U);
}

TEST(Parts, that_are_muted_do_not_spoil_the_others) {
    const Probes probes{2};
    Mixed mixed{probes.parts()};
    for (const std::string_view part : {"a", "b"}) {
        mixed.set(std::string{part} + ".mute", 1);
        mixed.play(2'000);
        const std::size_t number = part == "a" ? 1 : 2;
        mixed.send(number, Set{std::numeric_limits<float>::quiet_NaN()});
        mixed.send(3 - number, Set{0.5F});
        const std::uint64_t before = mixed.engine->stats().not_finite;
        EXPECT_EQ(mixed.render(64).back(), 0.5F);
        EXPECT_EQ(mixed.engine->stats().not_finite, before);
        mixed.send(number, Set{0});
        mixed.set(std::string{part} + ".mute", 0);
        mixed.play(2'000);
    }
}

TEST(Parts, must_have_a_name_and_a_processor_each) {
    const auto refused = [](std::vector<OwnedProcessor> parts) {
        return refusal<ArgumentError>([&] { open_parts(std::move(parts)); });
    };
    const auto probe = [](const char* name) { return OwnedProcessor{std::make_shared<Probe>(), name}; };
    const auto list = [](auto... parts) {
        std::vector<OwnedProcessor> all;
        (all.push_back(std::move(parts)), ...);
        return all;
    };
    EXPECT_EQ(refused({}), "an engine has 1 to 8 parts, got 0");
    EXPECT_EQ(refused(Probes{9}.parts()), "an engine has 1 to 8 parts, got 9");
    EXPECT_EQ(refused(Probes{8}.parts()), "not refused");
    EXPECT_EQ(refused(list(probe(""))), "a part must have a name, got ''");
    EXPECT_EQ(refused(list(probe("a.b"))),
              "part 'a.b' must have a name without a dot: '<part>.gain' is a parameter's name");
    EXPECT_EQ(refused(list(probe("a"), probe("a"))), "two parts are named 'a'");
    EXPECT_EQ(refused(list(OwnedProcessor{std::shared_ptr<Processor>{}, "a"})), "part 'a' needs a processor, got none");
    const auto one = std::make_shared<Probe>();
    EXPECT_EQ(refused(list(OwnedProcessor{one, "a"}, OwnedProcessor{one, "b"})),
              "parts 'a' and 'b' are one processor: make one for each");
}

TEST(Parts, that_cannot_be_prepared_are_named) {
    const Probes probes{2};
    probes[1].broken = "no memory for this";
    EXPECT_EQ(refusal<std::runtime_error>([&] { const Mixed mixed{probes.parts()}; }), "part 'b': no memory for this");
    probes[1].broken.clear();
    const Mixed mixed{probes.parts()};  // the engine that was not made has released them
}

/// Declares a parameter without a name.
class Nameless final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return spec_; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {}

  private:
    std::array<ParameterSpec, 1> spec_{};
};

TEST(Parts, whose_declarations_are_wrong_are_named) {
    std::vector<OwnedProcessor> parts;
    parts.emplace_back(std::make_shared<Nameless>(), "odd");
    EXPECT_EQ(refusal<ArgumentError>([&] { const Mixed mixed{std::move(parts)}; }),
              "part 'odd': a processor: parameter 0 has no name");
}

TEST(Parts, belong_to_one_engine_until_that_is_closed) {
    const Probes probes{2};
    const Mixed first{probes.parts()};
    const auto alone = [&] { const Engine engine{std::make_unique<OfflineDevice>(Format{}), probes.probes[1]}; };
    EXPECT_EQ(refusal<ArgumentError>(alone),
              "another engine runs this processor: close() that engine first, or make another processor");
    EXPECT_EQ(refusal<ArgumentError>([&] { const Mixed second{probes.parts()}; }),
              "part 'a': another engine runs this processor: close() that engine first, or make another processor");
    first.engine->close();
    EXPECT_EQ(refusal<ArgumentError>(alone), "not refused");
    const Mixed second{probes.parts()};
    EXPECT_EQ(probes[0].resets, 2U) << "once for each engine that claimed it";
    EXPECT_EQ(probes[1].resets, 3U);
}

TEST(Parts, obey_or_refuse_any_bytes) {
    std::mt19937_64 random{seed()};
    std::vector<OwnedProcessor> parts = band();
    parts.emplace_back(std::make_shared<Probe>(), "probe");
    Mixed mixed{std::move(parts)};
    for (int round = 0; round < 2'000; ++round) {
        Message message;
        message.kind = static_cast<Kind>(random() % 2 == 0 ? 64 + random() % 16 : 300 + random() % 5);
        message.flags = static_cast<std::uint8_t>(random());
        message.frame = (message.flags & (delivery::beat | delivery::grid)) != 0 ? random() : random() % 100'000;
        for (std::byte& byte : message.payload) byte = static_cast<std::byte>(random() % 4 == 0 ? random() : 0);
        mixed.engine->control().try_send(message);
        if (round % 50 != 0) continue;
        for (const float sample : mixed.render(64)) ASSERT_TRUE(std::isfinite(sample));
        while (mixed.confirmation().kind != kind::none) {
        }
    }
}

}  // namespace
}  // namespace cueline::test
