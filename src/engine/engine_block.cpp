// engine_block.cpp: reads commands, applies them at their frames, and renders up to each of them.
#include "engine/engine_block.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include <cueline/engine/range.hpp>
#include <cueline/engine/worst_case.hpp>
#include <cueline/midi.hpp>
#include <cueline/monotonic.hpp>

#include "system/float_mode.hpp"

namespace cueline {

namespace {

constexpr Range any_blocksize_range{1, std::numeric_limits<std::uint32_t>::max(),
                                    "frames"};  // a device may have its own

void silence(const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
    for (float* const channel : block.outputs) std::fill_n(channel, block.frames, 0.0F);
}

}  // namespace

void prepare_processor(Processor& processor, const Format& format) {
    checked_range("inputs", format.inputs, channels_range);
    checked_range("outputs", format.outputs, channels_range);
    if (format.inputs == 0 && format.outputs == 0) {
        throw ArgumentError{"an engine needs inputs or outputs, got none of either: request outputs=2"};
    }
    checked_range("blocksize", format.blocksize, any_blocksize_range);
    processor.prepare(format);
}

EngineBlock::EngineBlock(const Link& link, std::uint32_t budget, EngineReport& report, DeviceLoss& loss)
    : report_{&report},
      loss_{&loss},
      audio_{link, budget},
      values_{link},
      schedule_{link.lines()},
      shares_{static_cast<std::uint32_t>(most_commands(budget)), link.lines()},
      most_cancels_{static_cast<std::uint32_t>(most_commands(budget))} {}

void EngineBlock::run(Processor& processor, const Format& format, std::span<const ParameterSpec> parameters,
                      std::span<const MeterSpec> meters, BufferSlots buffers, Streams streams, BufferSlots curves) {
    processor_ = &processor;
    buffers_ = std::move(buffers);
    curves_ = std::move(curves);
    values_.declare(parameters, meters, transport_.timeline(), &curves_);
    streams_ = std::move(streams);
    context_ = ProcessContext{audio_.events(),          values_.parameters(),  values_.meters(), &buffers_, this,
                              &streams_.of_processor(), &transport_.timeline()};
    set_prepared(format);
    report_format(format);
}

void EngineBlock::send_midi() {
    midi_room_ = LockedArray<Message>{max_midi_messages};
    midi_output_.use(midi_room_.all());
    audio_.send_midi_to(midi_output_);
}

void EngineBlock::prepare(const Format& format) {
    if (prepared_ != format) {
        prepared_.reset();  // if the processor throws, it is prepared for no format
        prepare_processor(*processor_, format);
        set_prepared(format);
    }
    report_format(format);  // no block runs, so this thread may use the audio side
}

void EngineBlock::set_prepared(const Format& format) {
    clean_inputs_ = {};  // frees the old locked pages before it locks new ones
    clean_inputs_ = LockedArray<float>{std::size_t{format.inputs} * format.blocksize};
    prepared_ = format;
    values_.prepare(format.samplerate);
    streams_.set_samplerate(format.samplerate, report_->frames.get());
    transport_.set_samplerate(format.samplerate, report_->frames.get());
    transport_.publish_changes(report_->timeline);
}

void EngineBlock::lost(std::string_view why) noexcept {
    loss_->set(why);  // before the event: a start() on that event must find it
    audio_.events().send(kind::device_lost, DeviceLost{monotonic_ns()});  // no block runs any more
}

std::uint32_t EngineBlock::take_ahead(std::uint32_t frames) {
    take_commands();
    if (sequences_ == nullptr) return frames;
    const std::uint64_t now = report_->frames.get();
    const auto moves = [this](const Message& command) { return may_move_timeline(command); };
    const auto read_now = [this] {  // a block without frames reads them
        if (!prepared_) return;
        process({.inputs = {input_segment_.data(), prepared_->inputs},
                 .outputs = {output_segment_.data(), prepared_->outputs},
                 .frames = 0},
                monotonic_ns());
    };
    const auto cancel_now = [this](std::uint8_t line, std::span<const std::uint32_t> cues) {
        for (const std::uint32_t cue : cues) {
            if (!cancel_marks_.has_room()) carry_out_cancels();
            cancel_marks_.mark(line, cue);
        }
        carry_out_cancels();
    };
    if (!sequences_->any()) return frames;
    // The block ends where the timeline may move, and where more events come than fit. So what sounds, and what is left
    // out, does not depend on the block size.
    if (next_move(0) <= now || audio_.any_ahead(moves)) {
        sequences_->recall(cancel_now);
        read_now();
    }
    const auto frame_of_beat = [this](double beat) { return nearest_frame(transport_.exact_frame(beat)); };
    Sequences::Fed fed;
    while (true) {
        const std::uint32_t sent = fed.sent;
        while (!(fed = sequences_->feed(cancel_now, moves)).fits) take_commands();
        take_commands();
        const std::optional<double> beat = fed.moves ? fed.moves : fed.next;
        const bool is_due = beat && frame_of_beat(*beat) <= now;
        if (fed.moves || is_due) read_now();
        if (!is_due || fed.sent == sent) break;
    }
    const std::uint64_t next = fed.next ? frame_of_beat(*fed.next) : Schedule::never;
    const std::uint64_t end = std::min(next_move(now + 1), next > now ? next : Schedule::never);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(frames, end - now));
}

/// Whether it may change where the next beats come. A transaction may have such a member, and MIDI may be mapped to it.
bool EngineBlock::may_move_timeline(const Message& command) const noexcept CUELINE_NONBLOCKING {
    return (command.kind >= kind::set_tempo && command.kind <= kind::set_loop) || command.kind == kind::transaction ||
           (is_midi(command.kind) && midi_maps_.any());
}

/// Returns the frame of the first cue from `first` on that may move the timeline, or Schedule::never.
std::uint64_t EngineBlock::next_move(std::uint64_t first) noexcept {
    std::uint64_t next = Schedule::never;
    if (!std::exchange(moves_wait_, false)) return next;
    schedule_.take_out(
        [&](const Schedule::Cue& cue) noexcept {
            if (!may_move_timeline(cue.command)) return false;
            moves_wait_ = true;
            const bool in_beats = (cue.command.flags & delivery::beat) != 0;
            const auto exact = [&] { return transport_.exact_frame(std::bit_cast<double>(cue.command.frame)); };
            const std::uint64_t frame = in_beats ? nearest_frame(exact()) : cue.command.frame;
            if (frame >= first) next = std::min(next, frame);
            return false;
        },
        [](const Schedule::Cue&) noexcept {});
    return next;
}

/// Takes the commands of all lines.
void EngineBlock::take_commands() {
    const std::size_t commands = audio_.take_ahead();
    most_cancels_ = std::numeric_limits<std::uint32_t>::max();
    shares_.remove_bound();
    midi_maps_.remove_bound();
    // Each command may schedule another one, and so may each cue.
    schedule_.reserve(2 * (schedule_.size() + commands + max_members + 1));
}

/// Sends a format_changed if the device's format is not the one that was reported last. The first call sends none.
/// [also the audio thread]
void EngineBlock::report_format(const Format& format) noexcept CUELINE_NONBLOCKING {
    const bool changed = reported_ && *reported_ != format;
    reported_ = format;
    if (changed) {
        audio_.events().send(kind::format_changed,
                             FormatChanged{format.samplerate, format.inputs, format.outputs, format.blocksize});
    }
}

void EngineBlock::blocksize_changed(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
    if (!reported_) return;
    Format format = *reported_;
    format.blocksize = frames;
    report_format(format);
}

// This and the next three functions are inline, because they are part of the loop over a block's commands.
inline Outcome EngineBlock::hand_over(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING {
    Handling handling{.command = command, .behind = behind};
    handling_ = &handling;
    const Outcome outcome = processor_->handle(command, context_);
    handling_ = nullptr;
    if (outcome.result != Outcome::Result::deferred) return outcome;
    if (!handling.scheduled) return false;  // nothing would ever confirm the command
    schedule_.last_added().flags |= command.flags & delivery::confirm;
    return outcome;
}

inline Outcome EngineBlock::handle(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING {
    if (is_midi(command.kind) && midi_maps_.any()) return handle_mapped(command, behind);
    return hand_over(command, behind);
}

/// `behind`: see Schedule::Cue.
inline void EngineBlock::apply(const Message& command, bool late, std::uint16_t behind) noexcept CUELINE_NONBLOCKING {
    const Outcome outcome = command.kind >= kind::first_processor ? handle(command, behind) : apply_own(command);
    const bool applied = outcome.result == Outcome::Result::applied;
    if (applied && !late && (command.flags & delivery::confirm) == 0) return;  // most commands: nothing to report
    report_outcome(command, outcome, late);
}

/// Applies a command or a transaction, keeps it for its frame, or refuses it. The first of `whole` is the command, or
/// the transaction's header, which decides for the members that follow it.
inline void EngineBlock::accept(std::span<Message> whole) noexcept CUELINE_NONBLOCKING {
    const Message& first = whole.front();
    const bool cancelled = cancel_marks_.note_read(first);
    if (whole.size() == 1 && !is_cue(first)) {  // most commands: a short way
        apply(first, false, 0);
    } else if (has_beat(first.flags)) {
        accept_beat(whole, cancelled);
    } else {
        accept_cue(whole, cancelled);
    }
}

void EngineBlock::process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    midi_sent_ = {};
    midi_output_.begin_block();
    // The processor may have no memory for a block that it is not prepared for.
    if (!prepared_ || block.inputs.size() != prepared_->inputs || block.outputs.size() != prepared_->outputs ||
        fades_.is_out()) {
        silence(block);
        // After the fade of a stop, nothing plays: what comes then is no loss.
        if (!fades_.is_out()) report_->midi_dropped.add(midi_.size());
        midi_ = {};
        return;
    }
    const Format format = *prepared_;
    const BlockFloatMode mode;
    const std::uint64_t frame = report_->frames.get();
    block_ns_ = block_ns;
    report_->block_time.write({frame, block_ns, format.samplerate});
    audio_.begin_block(frame);
    values_.begin_block();
    if (streams_.any()) streams_.begin_block();
    shares_.begin_block();
    midi_maps_.begin_block();
    cancels_left_ = most_cancels_;

    processor_->begin_block(context_);
    apply_due(frame);  // these cues were read before the commands below
    swept_for_room_ = false;
    audio_.read([this](std::span<Message> whole) noexcept CUELINE_NONBLOCKING { accept(whole); });
    carry_out_cancels();
    if (waits_for_beats()) apply_due_beats(frame);  // the commands may have moved the timeline
    if (!midi_.empty()) apply_midi(block, frame);
    const Replaced inputs = render(block, format.blocksize);
    if (!midi_.empty()) report_->midi_dropped.add(std::exchange(midi_, {}).size());  // only of a block without frames
    const Replaced outputs = replace_not_finite(block);
    if (inputs.samples + outputs.samples > 0) {
        report_->not_finite.add(outputs.samples);
        report_->not_finite_inputs.add(inputs.samples);
        audio_.events().send_at(frame + std::min(inputs.first_frame, outputs.first_frame), kind::not_finite,
                                NotFinite{outputs.samples, inputs.samples});
    }
    midi_sent_ = midi_output_.end_block(frame, block.frames);
    fades_.apply(block);
    if (streams_.any()) streams_.end_block(block, frame);

    values_.end_block();
    transport_.publish_changes(report_->timeline);
    report_->cues_pending.set(schedule_.size());
    report_->frames.add(block.frames);
    audio_.go_to(report_->frames.get());
    audio_.end_block();
    report_->blocks.add(1);
}

void EngineBlock::take_midi(std::span<const Message> messages) noexcept CUELINE_NONBLOCKING {
    midi_ = messages.first(std::min(messages.size(), max_midi_messages));
    report_->midi_dropped.add(messages.size() - midi_.size());
}

/// Returns the frame of the next MIDI message of this block, or Schedule::never.
std::uint64_t EngineBlock::next_midi(const AudioBlock& block) const noexcept CUELINE_NONBLOCKING {
    if (midi_.empty()) return Schedule::never;
    return report_->frames.get() + std::min<std::uint64_t>(midi_.front().frame, block.frames - 1);
}

/// Hands the MIDI messages up to `frame` to the control side and to the processor. One that the processor does not know
/// is no loss: the device sends what its user plays.
void EngineBlock::apply_midi(const AudioBlock& block, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    while (next_midi(block) <= frame) {
        Message message = midi_.front();
        midi_ = midi_.subspan(1);
        message.flags = 0;
        message.set_origin(0, 0);
        message.frame = frame;
        audio_.forward(message);
        const Outcome outcome = handle(message, 0);
        if (outcome.result == Outcome::Result::refused) report_outcome(message, outcome, false);
    }
}

/// Carries out what a MIDI message is mapped to, and hands it to the processor too. If a map has used it, the processor
/// need not know it.
Outcome EngineBlock::handle_mapped(const Message& command, std::uint16_t behind) noexcept CUELINE_NONBLOCKING {
    const std::optional<std::size_t> left_out = midi_maps_.apply(
        command, [&](const MidiMaps::Move& move) noexcept CUELINE_NONBLOCKING { carry_out(move, command, behind); });
    if (left_out) report_->midi_dropped.add(*left_out);
    const Outcome outcome = hand_over(command, behind);
    return left_out && outcome.result == Outcome::Result::unknown ? Outcome{true} : outcome;
}

/// Sets a parameter, or applies a message with the origin of the MIDI message.
void EngineBlock::carry_out(const MidiMaps::Move& move, const Message& midi, std::uint16_t behind) noexcept
    CUELINE_NONBLOCKING {
    if (move.map->target == kind::none) {
        const double from = move.map->curve == MidiCurve::relative ? values_.target(move.map->address) : 0;
        values_.go_to(move.map->address, from + move.number, move.map->low, move.map->high);
        return;
    }
    Message message = midi_maps_.message_of(move);
    if (message.flags == 0) message.flags = midi.flags & delivery::part;
    message.set_origin(midi.line, midi.sequence);
    message.frame = midi.frame;
    const bool is_processors = message.kind >= kind::first_processor;
    const Outcome outcome = is_processors ? hand_over(message, behind) : apply_own(message);
    if (outcome.result == Outcome::Result::refused || outcome.result == Outcome::Result::unknown) {
        report_outcome(message, outcome, false);
    }
}

/// Applies, keeps or refuses a command that has a frame, or a transaction.
void EngineBlock::accept_cue(std::span<Message> whole, bool cancelled) noexcept CUELINE_NONBLOCKING {
    const Message& first = whole.front();
    cancel_marks_.note_members(first, whole.size() - 1);
    for (Message& member : whole.subspan(1)) {
        member.line = first.line;
        member.frame = first.frame;
        member.flags &= delivery::part;
    }
    const std::uint64_t now = audio_.events().frame();
    const bool late = first.frame != 0 && first.frame < now;
    if (cancelled) {
        refuse_whole(whole, Reason::cancelled);
    } else if (first.frame > now) {
        if (has_room_for(whole)) {
            schedule_.add(whole);
            for (const Message& command : whole) note(command);
        } else {
            refuse_whole(whole, Reason::schedule_full);
        }
    } else if (late && (first.flags & delivery::drop_if_late) != 0) {
        refuse_whole(whole, Reason::late);
    } else {
        apply_whole(whole, late);
    }
}

/// Applies, keeps or refuses a command or a transaction that has a beat or a grid.
void EngineBlock::accept_beat(std::span<Message> whole, bool cancelled) noexcept CUELINE_NONBLOCKING {
    const Message& first = whole.front();
    cancel_marks_.note_members(first, whole.size() - 1);
    const std::uint64_t now = audio_.events().frame();
    const double beat = transport_.beat_of(first, now);
    const bool is_beat = beat >= 0;
    // Once applied or refused, it is a command of a frame.
    const auto set_time = [&whole](std::uint64_t time, std::uint8_t flags) noexcept CUELINE_NONBLOCKING {
        const auto first_flags = whole.front().flags & ~(delivery::beat | delivery::grid);
        for (Message& command : whole) {
            command.line = whole.front().line;
            command.frame = time;
            command.flags = static_cast<std::uint8_t>((command.flags & delivery::part) | flags);
        }
        whole.front().flags = static_cast<std::uint8_t>(first_flags | flags);
    };
    const BeatComes comes = is_beat ? transport_.comes(beat, now) : BeatComes::never;
    if (is_beat && !cancelled && comes == BeatComes::later && has_room_for(whole)) {
        set_time(std::bit_cast<std::uint64_t>(beat), delivery::beat);
        schedule_.seek(std::bit_cast<std::uint64_t>(transport_.first_beat(now)));
        schedule_.add_beat(whole);
        for (const Message& command : whole) note(command);
        return;
    }
    const bool in_time = comes == BeatComes::now;
    set_time(in_time || !is_beat ? now : transport_.frame_or_0(beat), 0);
    if (!is_beat) {
        refuse_whole(whole, Reason::unknown);
    } else if (cancelled) {
        refuse_whole(whole, Reason::cancelled);
    } else if (comes == BeatComes::later) {
        refuse_whole(whole, Reason::schedule_full);
    } else if (!in_time && (first.flags & delivery::drop_if_late) != 0) {
        refuse_whole(whole, Reason::late);
    } else {
        if (in_time) point_ = transport_.point_of(beat, transport_.exact_frame(beat));
        apply_whole(whole, !in_time);
        point_.reset();
    }
}

/// Applies a command, or the members of a transaction and then its header, which alone counts as late.
void EngineBlock::apply_whole(std::span<const Message> whole, bool late) noexcept CUELINE_NONBLOCKING {
    std::uint16_t behind = 0;
    for (const Message& member : whole.subspan(1)) apply(member, false, ++behind);
    apply(whole.front(), late, 0);
}

/// Returns whether the schedule has room for `whole`. Takes cancelled cues out if that may help, once a block: the next
/// cancel of the block would need another sweep.
bool EngineBlock::has_room_for(std::span<const Message> whole) noexcept CUELINE_NONBLOCKING {
    const std::uint8_t line = whole.front().line;
    if (schedule_.room(line) < whole.size() && cancel_marks_.any() && !swept_for_room_) {
        swept_for_room_ = true;
        carry_out_cancels();
    }
    return schedule_.room(line) >= whole.size();
}

/// Refuses what accept() was called with. A transaction counts as one.
void EngineBlock::refuse_whole(std::span<const Message> whole, Reason reason) noexcept CUELINE_NONBLOCKING {
    refuse(whole.front(), reason);
    for (const Message& command : whole) discard(command);
}

/// Counts `command` as refused, and reports it to a sender that wants a confirmation.
void EngineBlock::refuse(const Message& command, Reason reason) noexcept CUELINE_NONBLOCKING {
    const Refused refused{.wanted_frame = frame_of(command), .reason = reason};
    switch (reason) {
        case Reason::late:
            report_->cues_dropped_late.add(1);
            break;
        case Reason::schedule_full:
            report_->cues_refused.add(1);
            // The sender could not expect this. If it did not request a confirmation, it gets an event.
            if ((command.flags & delivery::confirm) == 0) audio_.events().send(kind::refused, refused, command);
            break;
        case Reason::cancelled:
            report_->cues_cancelled.add(1);
            break;
        case Reason::unknown:
            report_->unhandled.add(1);
            break;
        default:
            report_->refused.add(1);
    }
    audio_.confirm(kind::refused, refused, command);
}

/// Notes a command that is not applied now: if its stream is closed before its frame, its place must become free.
void EngineBlock::note(const Message& command) noexcept CUELINE_NONBLOCKING {
    if (Streams::takes(command.kind)) streams_.note(command);
    if (may_move_timeline(command)) moves_wait_ = true;
}

/// Gives back a command that will not be applied.
void EngineBlock::discard(const Message& command) noexcept CUELINE_NONBLOCKING {
    if (command.kind == kind::publish_buffer) buffers_.discard(command.as<PublishBuffer>());
    if (command.kind == kind::automate) values_.automations().discard(command);
    note(command);
    if (command.kind < kind::first_processor) return;
    Message discarded = command;
    discarded.frame = frame_of(command);
    discarded.flags &= static_cast<std::uint8_t>(~(delivery::beat | delivery::grid));
    discarding_ = true;
    processor_->discarded(discarded, context_);
    discarding_ = false;
}

/// Returns the frame of a command. If it has a beat, that is where the timeline has the beat now.
std::uint64_t EngineBlock::frame_of(const Message& command) noexcept CUELINE_NONBLOCKING {
    if (!has_beat(command.flags)) return command.frame;
    const double beat = transport_.beat_of(command, audio_.events().frame());
    return beat >= 0 ? transport_.frame_or_0(beat) : 0;
}

/// Applies the cues of `frame`: first those of frames, then those of beats.
void EngineBlock::apply_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    if (schedule_.next_frame() <= frame) apply_due_frames(frame);
    if (waits_for_beats()) apply_due_beats(frame);
}

void EngineBlock::apply_due_frames(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    bool cancelled = false;
    while (const Schedule::Cue* const due = schedule_.take_due(frame)) {
        const Schedule::Cue cue = *due;  // a copy: handle() may add a cue, which may take the place of this one
        if (!cue.is_member) cancelled = cancel_marks_.any() && cancel_marks_.contains(cue.command, cue.behind);
        if (cancelled) {
            forget(cue);
        } else {
            apply(cue.command, false, cue.behind);
        }
    }
}

/// Applies the cues of beats that come at `frame`, or that a command of the timeline has passed over. A loop begins
/// again at most once a frame, because no region is that short.
void EngineBlock::apply_due_beats(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    while (true) {
        if (const std::size_t passed = schedule_.take_passed(transport_.never_again_below(), due_)) {
            apply_beat(std::span{due_}.first(passed), frame, std::nullopt);
            continue;
        }
        const std::uint64_t next = schedule_.next_beat();
        const auto beat = std::bit_cast<double>(next);
        const double exact = next == Schedule::never ? endless : transport_.exact_frame(beat);
        if (nearest_frame(exact) <= frame) {
            apply_beat(std::span{due_}.first(schedule_.take_beat(due_)), frame, transport_.point_of(beat, exact));
        } else if (transport_.loop_frame() <= frame) {
            schedule_.seek(transport_.loop());
        } else {
            return;
        }
    }
}

/// Applies a cue of a beat with its members, or refuses it. If it comes in time, `point` is its beat's; else it is
/// late.
void EngineBlock::apply_beat(std::span<Schedule::Cue> whole, std::uint64_t frame,
                             std::optional<TimelinePoint> point) noexcept CUELINE_NONBLOCKING {
    const bool late = !point;
    const Schedule::Cue& first = whole.front();
    if (cancel_marks_.any() && cancel_marks_.contains(first.command, first.behind)) {
        for (const Schedule::Cue& cue : whole) forget(cue);
        return;
    }
    if (late && (first.command.flags & delivery::drop_if_late) != 0) {
        refuse(first.command, Reason::late);
        for (const Schedule::Cue& cue : whole) discard(cue.command);
        return;
    }
    const std::uint64_t wanted = late ? frame_of(first.command) : frame;
    point_ = point;
    for (Schedule::Cue& cue : whole) {
        cue.command.frame = wanted;
        cue.command.flags &= static_cast<std::uint8_t>(~delivery::beat);
        apply(cue.command, late && !cue.is_member, cue.behind);
    }
    point_.reset();
}

/// The next frame at which something happens: a cue, or a loop that begins again.
std::uint64_t EngineBlock::next_frame() noexcept CUELINE_NONBLOCKING {
    const std::uint64_t frame = schedule_.next_frame();
    if (!waits_for_beats()) return frame;
    const std::uint64_t beat = schedule_.next_beat();
    const double exact = beat == Schedule::never ? endless : transport_.exact_frame(std::bit_cast<double>(beat));
    return std::min({frame, nearest_frame(exact), transport_.loop_frame()});
}

void EngineBlock::report_outcome(const Message& command, Outcome outcome, bool late) noexcept CUELINE_NONBLOCKING {
    switch (outcome.result) {
        case Outcome::Result::applied:
            audio_.confirm(kind::applied, Applied{late, outcome.value}, command);
            [[fallthrough]];
        case Outcome::Result::deferred:
            if (late) report_->cues_late.add(1);
            return;
        case Outcome::Result::refused: {
            const auto reason = static_cast<Reason>(outcome.value);
            // These are counted on their own.
            const bool is_over = command.kind == kind::automate && reason == Reason::cancelled;
            const bool has_a_count = reason == Reason::schedule_full || reason == Reason::unknown || is_over;
            if (!has_a_count && (command.flags & delivery::confirm) == 0) report_->refused_unconfirmed.add(1);
            refuse(command, reason);
            return;
        }
        case Outcome::Result::unknown:
            break;
    }
    refuse(command, Reason::unknown);  // also for a number that is no Result
}

/// It does not sweep for room: the processor is in handle(), and must not be called meanwhile.
Scheduled EngineBlock::schedule(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    if (handling_ == nullptr) return Scheduled::not_handling;
    if (message.kind < kind::first_processor) return Scheduled::own_kind;
    if (frame <= audio_.events().frame()) return Scheduled::not_later;
    const std::uint8_t line = handling_->command.line;
    if (schedule_.room(line) == 0 || !shares_.take(line)) return Scheduled::full;
    Message cue = message;
    cue.flags &= delivery::part;
    cue.set_origin(line, handling_->command.sequence);
    cue.frame = frame;
    schedule_.add({&cue, 1}, handling_->behind);
    handling_->scheduled = true;
    return Scheduled::ok;
}

bool EngineBlock::cancel(Cause cause) noexcept CUELINE_NONBLOCKING {
    if (discarding_ || cancels_left_ == 0 || !cancel_marks_.has_room()) return false;
    --cancels_left_;
    if (cause.line < max_lines) cancel_marks_.mark(cause.line, cause.sequence);
    return true;
}

/// Applies a command of one of the engine's own kinds. Returns false if there is no such kind, or if its values are
/// wrong.
Outcome EngineBlock::apply_own(const Message& command) noexcept CUELINE_NONBLOCKING {
    switch (command.kind) {
        case kind::ping:
            // If the event ring is full, the pong is dropped and counted.
            audio_.events().send(kind::pong, Pong{command.as<Ping>().sent_ns, block_ns_}, command);
            return true;
        case kind::cancel:
            cancel(command);
            return true;
        case kind::cancel_all:
            cancel_all(command);
            return true;
        case kind::publish_buffer:
            if (buffers_.apply(command.as<PublishBuffer>())) return true;
            discard(command);
            return false;
        case kind::unload_buffer:
            return Outcome::applied(buffers_.release(command.as<UnloadBuffer>().handle) ? 1 : 0);
        case kind::start_stream:
        case kind::stop_stream:
        case kind::clear_playback:
            return streams_.apply(command, audio_.events().frame());
        case kind::transaction:
            return true;  // its members follow as commands
        case kind::set_tempo:
        case kind::ramp_tempo:
        case kind::set_signature:
        case kind::start_timeline:
        case kind::stop_timeline:
        case kind::locate:
        case kind::set_loop:
            return apply_to_timeline(command);
        case kind::automate:
        case kind::hold_automation:
        case kind::cancel_automation:
            return apply_to_automations(command);
        case kind::map_midi:
            return midi_maps_.map(command.as<MapMidi>(), values_.parameters().size());
        case kind::map_midi_message:
            return midi_maps_.set_half(command.as<MapMidiMessage>());
        case kind::unmap_midi:
            return midi_maps_.unmap(command.as<UnmapMidi>());
        default:
            return false;
    }
}

/// A command with a beat applies there, even between two frames.
bool EngineBlock::apply_to_timeline(const Message& command) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t now = audio_.events().frame();
    if (!transport_.apply(command, point_ ? *point_ : transport_.point(now))) return false;
    if (transport_.take_jumped()) schedule_.seek(std::bit_cast<std::uint64_t>(transport_.first_beat(now)));
    return true;
}

/// A command with a beat applies there, even between two frames.
Outcome EngineBlock::apply_to_automations(const Message& command) noexcept CUELINE_NONBLOCKING {
    const auto now = static_cast<double>(audio_.events().frame());
    const TimelinePoint here{.frame = now, .beat = transport_.timeline().beat_at(now)};
    return values_.automations().apply(command, point_ ? *point_ : here);
}

void EngineBlock::cancel(const Message& command) noexcept CUELINE_NONBLOCKING {
    // Only offline: a live engine sweeps at the end of reading, and cannot apply more cancels between two sweeps than
    // waited, were read, and came from the processor: in the rest of one block, and in the next until it has read.
    static_assert(Schedule::capacity + 3 * most_commands(budget_range.most) < CancelMarks::max_singles);
    if (!cancel_marks_.has_room()) carry_out_cancels();
    cancel_marks_.mark(command.line, command.as<Cancel>().sequence);
}

void EngineBlock::cancel_all(const Message& command) noexcept CUELINE_NONBLOCKING {
    const auto cancel = command.as<CancelAll>();
    std::size_t line = cancel.first_line;
    for (const std::uint32_t up_to : cancel.up_to) {
        if (line < max_lines) cancel_marks_.mark_all(line++, up_to);
    }
}

/// Takes all cancelled cues out of the schedule, in one sweep.
void EngineBlock::carry_out_cancels() noexcept CUELINE_NONBLOCKING {
    if (!cancel_marks_.any()) return;
    schedule_.take_out(
        [this](const Schedule::Cue& cue) noexcept { return cancel_marks_.contains(cue.command, cue.behind); },
        [this](const Schedule::Cue& cue) noexcept { forget(cue); });
    cancel_marks_.clear();
}

/// Refuses a cue that was taken out of the schedule. A transaction counts as one.
void EngineBlock::forget(const Schedule::Cue& cue) noexcept CUELINE_NONBLOCKING {
    if (!cue.is_member) refuse(cue.command, Reason::cancelled);
    discard(cue.command);
}

void EngineBlock::close() noexcept {
    audio_.begin_block(report_->frames.get());  // lines may have been opened since the last block
    schedule_.take_out([](const Schedule::Cue&) noexcept { return true; },
                       [this](const Schedule::Cue& cue) noexcept { discard(cue.command); });
    discard_unread();  // what was taken ahead, or else the rings
    audio_.read_rings_again();
    discard_unread();
}

/// Another thread may be sending on and on, so it ends even then.
void EngineBlock::discard_unread() noexcept {
    bool found = true;
    for (std::size_t round = 0; found && round < max_lines * MessageRing::capacity; ++round) {
        found = false;
        audio_.read([&](std::span<Message> whole) noexcept CUELINE_NONBLOCKING {
            found = true;
            for (const Message& command : whole) discard(command);
        });
    }
}

/// Renders up to each cue's frame, and applies the cue there. Renders at most `max_frames` at once. Returns the input
/// samples that were replaced.
Replaced EngineBlock::render(const AudioBlock& block, std::uint32_t max_frames) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t first = report_->frames.get();
    Replaced replaced;
    for (std::uint32_t done = 0; done < block.frames;) {
        // Earlier ones were applied.
        const std::uint64_t until_next = std::min(next_frame(), next_midi(block)) - first;
        const std::uint32_t piece = std::min(block.frames - done, max_frames);
        const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(until_next, done + piece));
        for (std::size_t channel = 0; channel < block.inputs.size(); ++channel) {
            const std::span<const float> samples{block.inputs[channel] + done, end - done};
            input_segment_[channel] = samples.data();
            if (all_finite(samples)) continue;
            // The device's samples are not ours to change: other programs may read them too.
            float* const copy = clean_inputs_.all().data() + channel * max_frames;
            copy_finite(samples, copy, done, replaced);
            input_segment_[channel] = copy;
        }
        for (std::size_t channel = 0; channel < block.outputs.size(); ++channel) {
            output_segment_[channel] = block.outputs[channel] + done;
        }
        const AudioBlock segment{.inputs = {input_segment_.data(), block.inputs.size()},
                                 .outputs = {output_segment_.data(), block.outputs.size()},
                                 .frames = end - done,
                                 .frame = first + done};
        streams_.begin_segment(first + end);
        processor_->render(segment, context_);
        if (streams_.any()) streams_.end_segment(segment);
        values_.end_segment(end - done);
        done = end;
        if (done < block.frames) {
            audio_.go_to(first + done);
            apply_due(first + done);
            if (!midi_.empty()) apply_midi(block, first + done);
        }
    }
    return replaced;
}

}  // namespace cueline
