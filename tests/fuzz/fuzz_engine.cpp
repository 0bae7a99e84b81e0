// fuzz_engine.cpp: random use of an engine, as on a live device and on the offline one, compared with plain_engine.hpp:
// commands at frames, on 64 lines, alone and in transactions, confirmed and cancelled, and random bytes as commands.
// The processor takes part: it refuses, schedules and cancels. A playback and a recording are open, and commands name
// them, or any other number. Parameters follow writes, automations and maps of MIDI.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/streams.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/midi_map.hpp>

#include "devices/offline_device.hpp"
#include "plain_engine.hpp"
#include "step_device.hpp"

namespace cueline::fuzz {
namespace {

using Payload = std::array<std::byte, payload_bytes>;

void require(bool holds, const char* claim) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", claim);
    std::abort();
}

#pragma clang diagnostic ignored "-Wfunction-effects"  // the processor below checks, and may abort

/// How often each command has still to come to handle() or to discarded().
class Owed {
  public:
    void accepted(std::size_t line, Kind kind) { lines_.at(line).push_back(kind >= kind::first_processor ? 1 : 0); }
    /// A message more comes with the origin of `cause`: it was scheduled, or a map sent it.
    void comes(Cause cause) noexcept { ++of(cause); }
    void came(Cause cause) noexcept { require(of(cause)-- > 0, "no command comes twice"); }
    void finish() const {
        for (const std::vector<int>& line : lines_) {
            require(std::ranges::count(line, 0) == std::ssize(line), "each command comes");
        }
    }

  private:
    int& of(Cause cause) noexcept {
        std::vector<int>& line = lines_.at(cause.line);
        require(cause.sequence > 0 && cause.sequence <= line.size(), "a command has a number that was sent");
        return line[cause.sequence - 1];
    }

    std::array<std::vector<int>, max_lines> lines_;
};

/// Answers each message with a part of its payload, as long as the first byte says, and then acts on it. Renders the
/// tally of its calls so far.
class PartProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        note(Tally::Call::handled, command, context);
        const auto payload = command.as<Payload>();
        Payload part{};
#ifdef CUELINE_MUTANT_TRUSTS  // it trusts the length that was sent
        const auto bytes = std::to_integer<std::size_t>(payload[0]);
#else
        const auto bytes = std::min(std::to_integer<std::size_t>(payload[0]), part.size());
#endif
        for (std::size_t index = 0; index < bytes; ++index) part[index] = payload[index];
#ifdef CUELINE_MUTANT_FORGETS
        if (bytes == 7) return true;
#endif
        context.events().send(command.kind, part, command);
        Host host{*this, command, context};
        return act_on(command, context.events().frame(), host);
    }
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        note(Tally::Call::discarded, command, context);
        require(context.schedule(command, context.events().frame() + 1) == Scheduled::not_handling,
                "discarded() cannot schedule");
        require(!context.cancel(command), "discarded() cannot cancel");
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        require(context.schedule(Message::of(kind::first_user, 0), block.frame + 1) == Scheduled::not_handling,
                "render() cannot schedule");
        if (const std::optional<Cause> cause = std::exchange(cancelled_in_render_, {})) context.cancel(*cause);
        std::fill_n(block.outputs[0], block.frames, tally_.sample());
        std::vector<double> filled(block.frames);
        context.parameter(1).fill(std::span{filled});
        for (std::size_t frame = 0; frame < block.frames; ++frame) {
            values_.push_back({context.parameter(0).at(frame), filled[frame], context.parameter(2).next()});
        }
    }
    [[nodiscard]] std::uint32_t buffer_slots() const noexcept override { return slots; }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameter_specs; }

    [[nodiscard]] const Tally& tally() const { return tally_; }
    [[nodiscard]] Owed& owed() { return owed_; }
    /// The parameters in each frame since the last call.
    [[nodiscard]] std::vector<Values> take_values() { return std::exchange(values_, {}); }

  private:
    struct Host {
        PartProcessor& processor;
        const Message& command;
        ProcessContext& context;

        Scheduled schedule(const Message& message, std::uint64_t frame) noexcept {
            const Scheduled scheduled = context.schedule(message, frame);
            if (scheduled == Scheduled::ok) processor.owed_.comes(command);
            return scheduled;
        }
        bool cancel(Cause cause) noexcept { return context.cancel(cause); }
        void cancel_in_render(Cause cause) noexcept { processor.cancelled_in_render_ = cause; }
    };

    void note(Tally::Call call, const Message& command, ProcessContext& context) noexcept {
        owed_.came(command);
        tally_.note(call, command, context.events().frame());
    }

    Tally tally_;
    Owed owed_;
    std::vector<Values> values_;
    std::optional<Cause> cancelled_in_render_;
};

/// An engine, and the model of what it must do.
class Conversation {
  public:
    /// Without a budget, the engine runs on the offline device.
    explicit Conversation(std::optional<std::uint32_t> budget) : expected_{budget} {
        const Format format{.outputs = 1, .blocksize = blocksize};
        std::unique_ptr<Device> device;
        if (budget) {
            device = std::make_unique<test::StepDevice>(format);
        } else {
            device = std::make_unique<OfflineDevice>(format);
        }
        device_ = device.get();
        engine_ = std::make_unique<Engine>(std::move(device), processor_, budget.value_or(default_budget), max_lines);
        open_streams();
        engine_->start();
    }

    [[nodiscard]] std::uint64_t now() const { return expected_.frame; }
    /// The number of the last command that the line accepted.
    [[nodiscard]] std::uint64_t sent(std::size_t line) const { return expected_.lines.at(line).counts.sent; }

    /// The line with this number. If it is not open, opens the first free line instead.
    std::size_t opened(std::size_t line) {
        if (line == 0 || lines_.at(line)) return line;
        Line added = engine_->open_line();
        std::size_t free = 1;
        while (lines_.at(free)) ++free;
        require(added.number() == free, "open_line() opens the first free line");
        require(added.sequence() == sent(free), "a line continues its sequence when it is opened again");
        expected_.open(free);
        lines_.at(free).emplace(std::move(added));
        return free;
    }
    void close(std::size_t line) {
        lines_.at(line).reset();
        expected_.close(line);
    }
    [[nodiscard]] bool is_open(std::size_t line) const { return line == 0 || lines_.at(line).has_value(); }

    void send(std::size_t line, Kind kind, const Payload& payload, const Delivery& delivery) {
        Message message = Message::of(kind, payload);
        message.frame = delivery.frame;
        message.flags = delivery.flags;
        if (delivery.is_cue()) engine_->make_room(line);
        const Status wanted = expected_.send(line, message) ? Status::ok : Status::full;
        require(sender(line).send(kind, payload, delivery) == wanted, "a line accepts a command if it has room");
        if (wanted != Status::ok) return;
        owed().accepted(line, kind);
        if (kind == kind::map_midi) mapped_ = message.as<MapMidi>();
        const auto automate = message.as<Automate>();
        if (kind == kind::automate && automate.automation == 0) {
            automated_.at(line).push_back(
                {.automation = static_cast<std::uint32_t>(sent(line)), .parameter = automate.parameter});
        }
    }

    void send_whole(std::size_t line, std::span<const Message> members, const Delivery& delivery) {
        if (delivery.is_cue()) engine_->make_room(line, members.size() + 1);
        const std::uint32_t sequence = sender(line).try_send_whole(members, delivery);
        require(sequence == expected_.send_whole(line, members, delivery),
                "a line accepts a transaction if it has room for all of it");
        if (sequence == 0) return;
        owed().accepted(line, kind::transaction);
        for (const Message& member : members) owed().accepted(line, member.kind);
    }

    /// The last automation that the line began, or one before it.
    [[nodiscard]] HoldAutomation automated(std::size_t line, std::size_t back) const {
        const std::vector<HoldAutomation>& begun = automated_.at(line);
        return back < begun.size() ? begun[begun.size() - 1 - back] : HoldAutomation{};
    }
    /// The last map that was sent.
    [[nodiscard]] const MapMidi& mapped() const { return mapped_; }
    [[nodiscard]] double beat() const { return expected_.beat(); }

    void set(std::size_t address, double value) {
        engine_->controls().set(address, value);
        expected_.values.write(address, value);
    }

    /// Returns 0 if as many as can be are loaded.
    BufferHandle load_curve(const std::vector<float>& values) {
        PendingBuffer curve = engine_->make_curve(values);
        require(bool{curve} == (expected_.values.curves() < max_curves), "as many curves are loaded as can be");
        if (!curve) return 0;
        const BufferHandle handle = engine_->load_curve(std::move(curve));
        expected_.values.load(handle, values);
        return handle;
    }

    void render(std::size_t frames) {
        std::vector<float> wanted;
        std::vector<Values> wanted_values;
        while (wanted.size() < frames) {
            const PlainEngine::Block block = expected_.render(std::min<std::size_t>(frames - wanted.size(), blocksize));
            wanted.insert(wanted.end(), block.samples.begin(), block.samples.end());
            wanted_values.insert(wanted_values.end(), block.parameters.begin(), block.parameters.end());
            for (const Cause cause : block.sent) owed().comes(cause);
        }
        std::vector<float> samples(frames, -1.0F);
        device_->render(samples);
        require(samples == wanted, "each sample is rendered after the calls before it");
        require(std::ranges::equal(processor_->take_values(), wanted_values, same_values),
                "parameters have their values in each frame");
        for (std::size_t address = 0; address < parameters; ++address) {
            require(near(engine_->controls().get(address), expected_.values.shown(address)),
                    "the control side reads what a block has set");
        }
    }

    void receive(std::size_t line, std::size_t count) {
        take(count, expected_.events.at(line), [&](Message& event) { return sender(line).receive(event); });
    }
    void receive_confirmations(std::size_t line, std::size_t count) {
        take(count, expected_.confirmations.at(line), [&](Message& outcome) {
            return is_open(line) ? sender(line).receive_confirmation(outcome)
                                 : engine_->receive_confirmation_of_closed(line, outcome);
        });
    }
    void receive_all() {
        for (std::size_t line = 0; line < max_lines; ++line) {
            receive_confirmations(line, MessageRing::capacity + 1);
            if (is_open(line)) receive(line, MessageRing::capacity + 1);
        }
    }

    void finish() const {
        const EngineStats stats = engine_->stats();
        for (std::size_t line = 0; line < max_lines; ++line) {
            const LineStats counts = engine_->line_stats(line);
            require(same(counts.commands, expected_.lines.at(line).seen()), "commands are counted");
            require(same(counts.events, expected_.events.at(line).seen()), "events are counted");
            require(same(counts.confirmations, expected_.confirmations.at(line).seen()), "confirmations are counted");
        }
        require(stats.buffers.curves == expected_.values.curves(), "each curve comes back");
        require(stats.midi.dropped == expected_.maps.left_out, "what maps leave out is counted");
        require(stats.unhandled == expected_.unhandled, "unhandled commands are counted");
        require(stats.frames == expected_.frame, "frames are counted");
        const CueStats& wanted = expected_.cues;
        require(stats.cues.pending == wanted.pending, "cues that wait are counted");
        require(stats.cues.late == wanted.late && stats.cues.dropped_late == wanted.dropped_late,
                "late cues are counted");
        require(stats.cues.refused == wanted.refused, "cues without room are counted");
        require(stats.cues.cancelled == wanted.cancelled, "cancelled cues are counted");
        require(stats.refused == expected_.refused, "commands that the processor refused are counted");
        require(stats.refused_unconfirmed == expected_.refused_unconfirmed,
                "refusals that nobody is told of are counted");
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access): open_streams() has opened both
        const PlaybackPosition position = playback_->position();
        const PlaybackState& state = expected_.streams.position;
        require(position.played == state.played && position.cleared == state.cleared, "frames played are counted");
        require(position.underrun == state.underrun, "missing frames are counted");
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access)
        const RecordingState recording = recording_->state();
        const RecordingState& wanted_state = expected_.streams.recording;
        require(recording.first == wanted_state.first && recording.frame == wanted_state.frame,
                "a recording has its frames");
        require(recording.recorded == wanted_state.recorded && recording.lost == wanted_state.lost,
                "recorded frames are counted");
    }

    /// Closes the engine while commands wait in its lines and, mostly, in its schedule.
    void close() {
        send(0, kind::first_user, {}, {});
        send_whole(0, std::array{Message::of(kind::first_user, 0), Message::of(kind::first_user, 0)},
                   {.frame = now() + 1, .flags = delivery::confirm});
        engine_->close();
        expected_.close();
        require(processor_->tally().sample() == expected_.tally.sample(), "what waits comes back at the close");
        owed().finish();
    }

  private:
    /// The playback is silent, so the outputs stay what the processor renders.
    void open_streams() {
        playback_ = engine_->open_playback({.frames = 256});
        recording_ = engine_->open_recording({.frames = recorded_frames, .source = RecordingSource::outputs});
        not_offered_ = engine_->open_playback({.frames = 16});
        require(
            playback_->handle() == played && recording_->handle() == recorded && not_offered_->handle() == not_offered,
            "places are taken in their order");
        require(playback_->write(std::vector<float>(written_frames)) == written_frames, "there is room");
        engine_->hand_over_stream(Message::of(StartStream{played}));
        engine_->hand_over_stream(Message::of(StartStream{recorded}));
    }

    [[nodiscard]] Owed& owed() { return processor_->owed(); }
    [[nodiscard]] Line& sender(std::size_t line) {
        std::optional<Line>& opened = lines_.at(line);
        return opened ? *opened : engine_->control();
    }

    template <class Receive>
    static void take(std::size_t count, PlainRing& expected, Receive receive) {
        for (; count > 0; --count) {
            Message message;
            const Status status = receive(message);
            require(status == (expected.waiting.empty() ? Status::empty : Status::ok),
                    "each expected event is there, and no other");
            if (expected.waiting.empty()) return;
            require_same(message, expected.waiting.front());
            expected.waiting.pop_front();
        }
    }

    static void require_same(const Message& message, const Message& wanted) {
        require(message.kind == wanted.kind && message.flags == wanted.flags, "an event has its kind");
        require(message.sequence == wanted.sequence && message.line == wanted.line, "an event has its cause");
        require(message.frame == wanted.frame, "an event has its frame");
        if (message.kind == kind::applied) {  // it has padding
            const auto [late, value] = message.as<Applied>();
            const auto [wanted_late, wanted_value] = wanted.as<Applied>();
            require(late == wanted_late && value == wanted_value, "a confirmation has its values");
            return;
        }
        std::size_t bytes = message.payload.size();
        if (message.kind == kind::pong) bytes = sizeof(Pong::sent_ns);  // the second word is a clock
        if (message.kind == kind::refused) bytes = offsetof(Refused, reason) + sizeof(Reason);  // the rest is padding
        require(std::memcmp(message.payload.data(), wanted.payload.data(), bytes) == 0, "an event has its payload");
    }

    /// The model's formulas round in another way.
    static bool near(double value, double wanted) { return std::abs(value - wanted) <= 1e-9; }
    static bool same_values(const Values& values, const Values& wanted) {
        return std::ranges::equal(values, wanted, near);
    }

    static bool same(const RingStats& counts, const RingStats& wanted) {
        return counts.sent == wanted.sent && counts.dropped == wanted.dropped && counts.high_water == wanted.high_water;
    }

    PlainEngine expected_;
    Device* device_ = nullptr;
    std::shared_ptr<PartProcessor> processor_ = std::make_shared<PartProcessor>();
    std::unique_ptr<Engine> engine_;
    // The first stays empty: that line belongs to the engine
    std::array<std::optional<Line>, max_lines> lines_;
    std::array<std::vector<HoldAutomation>, max_lines> automated_;
    MapMidi mapped_;
    std::optional<Playback> playback_;
    std::optional<Recording> recording_;
    std::optional<Playback> not_offered_;
};

Kind some_kind(FuzzedDataProvider& input) {
    switch (input.ConsumeIntegralInRange(0, 3)) {
        case 0:
            return kind::ping;
        case 1:
            return input.ConsumeIntegralInRange<Kind>(kind::first_processor, 300);
        case 2: {
            // Half of them are below 16, a quarter moves the timeline, most others automate or map, and a few are
            // unknown.
            const auto own = input.ConsumeIntegralInRange<Kind>(0, kind::first_processor - 1);
            if (own < 32) return own % 16;
            if (own < 48) return kind::set_tempo + own % 7;
            return own < 60 ? kind::automate + own % 6 : own;
        }
        default:
            return input.ConsumeIntegral<Kind>();
    }
}

/// A beat near the timeline's begin, or a line of a grid; or any bits.
void set_beat(FuzzedDataProvider& input, Delivery& delivery) {
    const auto eighths = input.ConsumeIntegral<std::uint16_t>();
    const double beats = eighths % 512 / 4096.0;  // at the highest tempo, a block is a hundredth of a beat
    delivery.frame = eighths < 60'000 ? std::bit_cast<std::uint64_t>(beats) : input.ConsumeIntegral<std::uint64_t>();
}

Delivery some_delivery(FuzzedDataProvider& input, std::uint64_t now) {
    Delivery delivery{.flags = input.ConsumeIntegral<std::uint8_t>()};
    if (has_beat(delivery.flags)) {
        set_beat(input, delivery);
        return delivery;
    }
    switch (input.ConsumeIntegralInRange(0, 3)) {
        case 0:
            break;
        case 1:
            delivery.frame = now + input.ConsumeIntegralInRange<std::uint64_t>(0, 100);
            break;
        case 2:
            delivery.frame = now - std::min(now, input.ConsumeIntegralInRange<std::uint64_t>(0, 100));
            break;
        default:
            delivery.frame = input.ConsumeIntegral<std::uint64_t>();
    }
    return delivery;
}

template <class Value>
Payload payload_of(const Value& value) {
    return Message::of(kind::none, value).payload;
}

std::uint32_t bits_of(const Payload& payload) {
    return std::to_integer<std::uint32_t>(payload[8]);
}

std::uint32_t byte_of(const Payload& payload, std::size_t place) {
    return std::to_integer<std::uint32_t>(payload.at(place));
}

/// From -12 to 12: some are outside of the parameters' range.
double some_value(std::uint32_t byte) {
    return byte % 97 / 4.0 - 12;
}

/// For an automation that the line has begun, or a new one. Its end is near.
Automate some_automate(const Payload& bytes, Conversation& conversation, std::size_t line) {
    const auto byte = [&](std::size_t place) { return byte_of(bytes, place); };
    Automate automate{.value = some_value(byte(0)),
                      .constant = byte(1) / 64'000.0,
                      .parameter = static_cast<std::uint16_t>(byte(2) % (parameters + 1)),
                      .shape = static_cast<Shape>(byte(3) % 6),
                      .in_beats = static_cast<std::uint8_t>(byte(4) % 2)};
    const HoldAutomation begun = conversation.automated(line, byte(11) % 3);
    if (byte(5) % 3 > 0) automate.automation = begun.automation;
    if (byte(5) % 3 > 1) automate.parameter = begun.parameter;
    automate.end = automate.in_beats != 0 ? conversation.beat() + byte(6) / 32'768.0
                                          : static_cast<double>(conversation.now() + byte(6));
    if (automate.shape == Shape::curve) {
        std::vector<float> values(1 + byte(7) % 4);
        for (std::size_t index = 0; index < values.size(); ++index) {
            values[index] = static_cast<float>(some_value(byte(8 + index)));
        }
        automate.buffer = conversation.load_curve(values);
    }
    return automate;
}

/// Of few places and controls, so that many maps are met.
MapMidi some_map(const Payload& bytes) {
    const auto byte = [&](std::size_t place) { return byte_of(bytes, place); };
    MapMidi map{.place = static_cast<std::uint8_t>(byte(0) % 4),
                .status = static_cast<std::uint8_t>(0x80 + byte(1) % 7 * 16 + byte(2) % 2),
                .number = static_cast<std::uint8_t>(byte(3) % 4),
                .port = static_cast<std::uint8_t>(1 + byte(4) % 2),
                .omni = static_cast<std::uint8_t>(byte(5) % 2),
                .curve = static_cast<MidiCurve>(byte(6) % 4),
                .message_flags = static_cast<std::uint8_t>(byte(7)),
                .address = static_cast<std::uint16_t>(byte(8) % (parameters + 1)),
                .low = some_value(byte(9)),
                .high = some_value(byte(10))};
    if (map.curve == MidiCurve::exponential && byte(11) % 4 > 0) {
        map.low = std::abs(map.low) + 0.1;
        map.high = std::abs(map.high) + 0.1;
    }
    if (byte(12) % 2 == 0) return map;
    map.target = static_cast<std::uint16_t>(byte(12) % 4 > 1 ? kind::first_user : kind::set_tempo + byte(13) % 8);
    map.field = static_cast<MidiField>(byte(14) % 10);
    map.address = static_cast<std::uint16_t>(byte(15) % 42);
    if (byte(16) % 2 == 0) map.high *= 100;
    return map;
}

/// A MIDI message that a map may be for.
Payload some_midi(Payload bytes, Kind kind) {
    const auto small = [&](std::size_t place, std::uint32_t least, std::uint32_t count) {
        bytes.at(place) = static_cast<std::byte>(least + byte_of(bytes, place) % count);
    };
    if (kind == kind::midi_bytes) {
        bytes[0] = static_cast<std::byte>(0x80 + byte_of(bytes, 0) % 8 * 16 + byte_of(bytes, 0) / 128);
        small(1, 0, 130);
    } else {
        if (kind != kind::pitch_bend) small(0, 0, 4);
        small(2, 1, 2);
    }
    small(midi::port_offset, 1, 2);
    return bytes;
}

/// A payload for a command of this kind. The handle of a stream is mostly one of the first four, and the index of a
/// clear is mostly small.
Payload some_payload(FuzzedDataProvider& input, Kind kind, Conversation& conversation, std::size_t line,
                     std::size_t most_bytes = payload_bytes) {
    Payload payload{};
    const auto bytes = input.ConsumeBytes<std::byte>(most_bytes);
    std::ranges::copy(bytes, payload.begin());
    const auto aimed = [](BufferHandle handle) { return handle < ~0U / 2 ? first_handle(handle % 4) : handle; };
    if (kind == kind::start_stream || kind == kind::stop_stream) {
        return payload_of(StartStream{aimed(Message::of(kind, payload).as<StartStream>().handle)});
    }
    const auto part = [&](std::size_t word, double most) {  // of a range, by a word of the payload
        std::uint32_t bits = 0;
        std::memcpy(&bits, payload.data() + word * sizeof bits, sizeof bits);
        return bits % 4096 / 4096.0 * most;
    };
    switch (payload.back() < std::byte{200} ? kind : kind::none) {  // mostly near its range
        case kind::set_tempo:
            return payload_of(SetTempo{part(0, 1100)});
        case kind::ramp_tempo:
            return payload_of(RampTempo{part(0, 1100), part(1, 0.1), static_cast<RampOver>(bits_of(payload) % 3)});
        case kind::set_signature:
            return payload_of(SetSignature{bits_of(payload) % 8, 1U << bits_of(payload) / 8 % 8});
        case kind::locate:
            return payload_of(Locate{part(0, 0.125)});
        case kind::set_loop:
            return payload_of(SetLoop{part(0, 0.03), 0.06 + part(1, 0.06)});
        case kind::automate:
            return payload_of(some_automate(payload, conversation, line));
        case kind::hold_automation:
            return payload_of(conversation.automated(line, byte_of(payload, 0) % 3));
        case kind::cancel_automation: {
            const auto [automation, parameter] = conversation.automated(line, byte_of(payload, 4) % 3);
            return payload_of(CancelAutomation{part(0, 500) - 100, automation, parameter});
        }
        case kind::map_midi:
            return payload_of(some_map(payload));
        case kind::map_midi_message:
        case kind::unmap_midi:
            payload[0] &= std::byte{3};
            payload[1] &= std::byte{1};
            return payload;
        case kind::note_on:
        case kind::note_off:
        case kind::control_change:
        case kind::pitch_bend:
        case kind::midi_bytes:
            return some_midi(payload, kind);
        default:
            break;
    }
    if (kind == kind::clear_playback) {
        auto clear = Message::of(kind, payload).as<ClearPlayback>();
        if (clear.up_to < ~std::uint64_t{0} / 2) clear.up_to %= 200;
        return payload_of(ClearPlayback{clear.up_to, aimed(clear.handle)});
    }
    return payload;
}

Message some_member(FuzzedDataProvider& input, Conversation& conversation, std::size_t line) {
    const Kind kind = some_kind(input);
    return Message::of(kind, some_payload(input, kind, conversation, line));
}

/// One of the last commands of a line, or a random number.
std::uint32_t some_sequence(FuzzedDataProvider& input, std::uint64_t sent) {
    const auto back = input.ConsumeIntegral<std::uint16_t>();
    return static_cast<std::uint32_t>(sent - back % 2000);
}

/// At once, or soon: at a frame or at a beat.
Delivery some_near_delivery(FuzzedDataProvider& input, const Conversation& conversation) {
    const auto ahead = input.ConsumeIntegral<std::uint8_t>();
    Delivery delivery;
    if (ahead >= 192) delivery = at_beat(conversation.beat() + ahead % 64 / 32'768.0);
    if (ahead >= 128 && ahead < 192) delivery.frame = conversation.now() + ahead % 32;
    if (ahead % 4 > 0) delivery.flags |= delivery::confirm;
    return delivery;
}

/// Something that has to do with parameters, in few bytes.
void go_on_with_values(Conversation& conversation, FuzzedDataProvider& input) {
    constexpr std::array kinds{kind::automate,          kind::automate,   kind::automate, kind::hold_automation,
                               kind::cancel_automation, kind::map_midi,   kind::map_midi, kind::map_midi_message,
                               kind::unmap_midi,        kind::note_on,    kind::note_off, kind::control_change,
                               kind::pitch_bend,        kind::midi_bytes, kind::locate,   kind::set_loop,
                               kind::set_tempo};
    const auto what = input.ConsumeIntegralInRange<std::size_t>(0, kinds.size() + 4);
    if (what == kinds.size()) {
        const auto address = input.ConsumeIntegralInRange<std::size_t>(0, parameters - 1);
        conversation.set(address, input.ConsumeIntegralInRange(-40, 40) / 4.0);
        return;
    }
    if (what > kinds.size()) {
        conversation.render(input.ConsumeIntegralInRange<std::size_t>(0, 100));
        return;
    }
    const std::size_t line = conversation.opened(input.ConsumeIntegral<std::uint8_t>() < 200 ? 0 : 1);
    const Delivery delivery = some_near_delivery(input, conversation);
    const Kind kind = kinds.at(what);
    Message message = Message::of(kind, some_payload(input, kind, conversation, line, 17));
    int count = 1;
    if (is_midi(kind)) {
        const auto played = input.ConsumeIntegral<std::uint8_t>();
        const MapMidi& map = conversation.mapped();
        const std::array<std::uint8_t, 3> bytes{map.status, map.number, static_cast<std::uint8_t>(played % 128)};
        const auto met = midi_message(std::span{bytes}.first(midi_size(map.status)), map.port);
        if (played >= 128 && met) message = *met;
        if (played % 8 == 0) count = input.ConsumeIntegralInRange(1, 1100);
    }
    for (; count > 0; --count) conversation.send(line, message.kind, message.payload, delivery);
}

void go_on(Conversation& conversation, FuzzedDataProvider& input) {
    const auto some_line = [&] {
        return conversation.opened(input.ConsumeBool() ? 0
                                                       : input.ConsumeIntegralInRange<std::size_t>(0, max_lines - 1));
    };
    switch (input.ConsumeIntegralInRange(0, 9)) {
        case 0:
        case 1: {  // one message, or many of them
            const std::size_t line = some_line();
            const Kind kind = some_kind(input);
            const Delivery delivery = some_delivery(input, conversation.now());
            const int count = input.ConsumeBool() ? 1 : input.ConsumeIntegralInRange(1, 1100);
            const Payload payload = some_payload(input, kind, conversation, line);
            for (int sent = 0; sent < count; ++sent) conversation.send(line, kind, payload, delivery);
            break;
        }
        case 2: {  // some, each with its own frame
            const std::size_t line = some_line();
            const Payload payload = some_payload(input, kind::first_user, conversation, line);
            for (int left = input.ConsumeIntegralInRange(1, 40); left > 0; --left) {
                conversation.send(line, kind::first_user, payload, some_delivery(input, conversation.now()));
            }
            break;
        }
        case 3: {
            const std::size_t line = some_line();
            auto sequence = some_sequence(input, conversation.sent(line));
            if (input.ConsumeBool()) {  // a new cue, soon
                conversation.send(line, kind::first_user, {},
                                  {.frame = conversation.now() + input.ConsumeIntegralInRange<std::uint64_t>(1, 40)});
                sequence = static_cast<std::uint32_t>(conversation.sent(line));
            }
            conversation.send(line, kind::cancel, payload_of(Cancel{sequence}),
                              some_delivery(input, conversation.now()));
            break;
        }
        case 4: {
            const std::size_t line = some_line();
            CancelAll cancel{};
            if (input.ConsumeBool()) cancel.first_line = input.ConsumeIntegralInRange<std::uint32_t>(0, max_lines);
            for (std::size_t place = 0; place < cancel_all_lines; ++place) {
                const std::size_t other = cancel.first_line + place;
                if (other < max_lines && (other == line || input.ConsumeBool())) {
                    cancel.up_to.at(place) = some_sequence(input, conversation.sent(other));
                }
            }
            conversation.send(line, kind::cancel_all, payload_of(cancel), some_delivery(input, conversation.now()));
            break;
        }
        case 5: {
            const std::size_t line = some_line();
            std::vector<Message> members(input.ConsumeIntegralInRange<std::size_t>(1, max_members));
            const Message member = some_member(input, conversation, line);
            Message other = some_member(input, conversation, line);
            other.flags = delivery::confirm | to_part(3);  // of a member's own flags, only the part counts
            for (std::size_t place = 0; place < members.size(); ++place)
                members[place] = place % 3 == 1 ? other : member;
            conversation.send_whole(line, members, some_delivery(input, conversation.now()));
            break;
        }
        case 6:
            conversation.close(input.ConsumeIntegralInRange<std::size_t>(1, max_lines - 1));
            break;
        case 7:
            conversation.receive_confirmations(some_line(), input.ConsumeIntegralInRange<std::size_t>(1, 1100));
            break;
        case 8:
            conversation.receive(some_line(), input.ConsumeIntegralInRange<std::size_t>(1, 1100));
            break;
        default:
            conversation.render(input.ConsumeIntegralInRange<std::size_t>(0, 100));
    }
}

}  // namespace
}  // namespace cueline::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input{data, size};
    const auto budget = input.ConsumeIntegralInRange<std::uint32_t>(1, 1280);
    cueline::fuzz::Conversation conversation{budget <= 1024 ? std::optional{budget} : std::nullopt};
    while (input.remaining_bytes() > 0) {
        // An eighth of the conversations is mostly about parameters.
        if (budget % 8 == 0 && input.ConsumeIntegralInRange(0, 7) > 0) {
            go_on_with_values(conversation, input);
        } else {
            go_on(conversation, input);
        }
    }
    conversation.render(cueline::fuzz::blocksize);
    conversation.receive_all();
    conversation.finish();
    conversation.close();
    return 0;
}
