// plain_engine.hpp: a model of what an engine does with its commands, as simple as possible.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/midi_map.hpp>
#include <cueline/outcome.hpp>
#include <cueline/playback.hpp>
#include <cueline/recording.hpp>
#include <cueline/schedule.hpp>

#include "engine/cancel_marks.hpp"
#include "engine/transport.hpp"
#include "plain_values.hpp"
#include "system/float_mode.hpp"

namespace cueline::fuzz {

inline constexpr std::uint32_t slots = 2;
inline constexpr std::uint32_t blocksize = 16;

// The streams of an engine, by their places. The last one is open, and no command may name it.
inline constexpr BufferHandle played = first_handle(0);
inline constexpr BufferHandle recorded = first_handle(1);
inline constexpr BufferHandle not_offered = first_handle(2);
inline constexpr std::uint64_t written_frames = 150;  // to `played`
inline constexpr std::uint64_t recorded_frames = 64;  // that `recorded` has room for

/// What a processor got, in order, as a number that a sample can hold.
class Tally {
  public:
    enum class Call : std::uint8_t { handled = 1, discarded };

    void note(Call call, const Message& command, std::uint64_t frame) noexcept {
        add(static_cast<std::uint64_t>(call));
        add(frame);
        for (const std::uint64_t word : std::bit_cast<std::array<std::uint64_t, sizeof(Message) / 8>>(command)) {
            add(word);
        }
    }
    [[nodiscard]] float sample() const noexcept { return static_cast<float>(sum_ >> 40U); }

  private:
    void add(std::uint64_t word) noexcept { sum_ = (sum_ ^ word) * 0x100'0000'01B3U; }

    std::uint64_t sum_ = 0;
};

/// What the processor does with a command: the second byte of the payload, modulo the number of these.
enum class Act : std::uint8_t {
    plain,
    apply_with_value,
    refuse,
    reject,
    schedule,
    schedule_three,
    schedule_and_apply,
    schedule_and_refuse,
    schedule_not_later,
    schedule_own_kind,
    defer_nothing,
    cancel_other,
    cancel_in_render,
    cancel_self_and_schedule,
    schedule_and_cancel_self,
    count,
};

/// Returns a message whose act is the next one in the payload, four bytes on. Its frame means nothing, nor do its flags
/// but the part.
inline Message next_of(const Message& command) noexcept {
    Message next = command;
    next.set_origin(0, 0);
    const auto acts = std::span{next.payload}.subspan(1);
    std::ranges::copy(acts.subspan(4), acts.begin());
    std::ranges::fill(acts.last(4), std::byte{0});
    return next;
}

/// The command that the next three bytes of an act name: of the same line, or of any number.
inline Cause other_of(const Message& command) noexcept {
    const auto line = std::to_integer<std::uint8_t>(command.payload[2]);
    Cause cause = command;
    if (line < 128) cause.line = line;
    cause.sequence -= std::to_integer<std::uint32_t>(command.payload[3]);
    return cause;
}

/// Acts on `command` at frame `now`. `host` schedules and cancels: the engine's context, or the model.
template <class Host>
Outcome act_on(const Message& command, std::uint64_t now, Host& host) noexcept {
    const auto byte = [&](std::size_t place) { return std::to_integer<std::uint32_t>(command.payload[place]); };
    Message plain = Message::of(command.kind, 0);
    plain.flags = command.flags;
    switch (static_cast<Act>(byte(1) % static_cast<std::uint32_t>(Act::count))) {
        case Act::plain:
        case Act::count:
            return true;
        case Act::apply_with_value:
            return Outcome::applied(byte(2));
        case Act::refuse:  // also for cueline's own reasons, and for numbers that are none
            return Outcome::refused(byte(2) < 8 ? byte(2) : first_own_reason + byte(2));
        case Act::reject:
            return false;
        case Act::schedule:
            return host.schedule(next_of(command), now + byte(2));
        case Act::schedule_three:
            host.schedule(plain, now + byte(2));
            host.schedule(next_of(command), now + byte(3));
            host.schedule(plain, now + byte(4));
            return Outcome::deferred();
        case Act::schedule_and_apply:
            host.schedule(next_of(command), now + byte(2));
            return Outcome::applied(byte(3));
        case Act::schedule_and_refuse:
            host.schedule(next_of(command), now + byte(2));
            return Outcome::refused(first_own_reason);
        case Act::schedule_not_later:
            return host.schedule(next_of(command), now - std::min<std::uint64_t>(now, byte(2)));
        case Act::schedule_own_kind:
            plain.kind = static_cast<Kind>(byte(2) % kind::first_processor);
            return host.schedule(plain, now + 1);
        case Act::defer_nothing:
            return Outcome::deferred();
        case Act::cancel_other:
            return host.cancel(other_of(command));
        case Act::cancel_in_render:
            host.cancel_in_render(other_of(command));
            return true;
        case Act::cancel_self_and_schedule:
            host.cancel(command);
            host.schedule(next_of(command), now + byte(2));
            return Outcome::deferred();
        case Act::schedule_and_cancel_self:
            host.schedule(next_of(command), now + byte(2));
            host.cancel(command);
            return Outcome::deferred();
    }
    return false;
}

/// What comes of commands for streams, frame by frame.
class PlainStreams {
  public:
    bool apply(const Message& command, std::uint64_t frame) {
        const bool clears = command.kind == kind::clear_playback;
        const BufferHandle handle = clears ? command.as<ClearPlayback>().handle : command.as<StartStream>().handle;
        if (handle == played) {
            if (clears) return clear(command.as<ClearPlayback>().up_to);
            plays_ = command.kind == kind::start_stream;
            if (!plays_) fade_ = drop();
            return true;
        }
        if (handle != recorded || clears || ended_) return false;
        const bool starts = command.kind == kind::start_stream;
        if (starts && records_) return false;
        if (!records_) recording.first = recording.frame = frame;
        records_ = starts;
        ended_ = !starts;
        return true;
    }

    void render_frame() {
        if (plays_ && index() < written_frames) {
            ++position.played;
            if (fade_ > 0 && --fade_ == 0) drop();
        } else if (plays_ && index() > 0) {
            ++position.underrun;
        }
        if (!records_) return;
        ++recording.frame;
        ++(recording.recorded < recorded_frames ? recording.recorded : recording.lost);
    }

    PlaybackState position;
    RecordingState recording;

  private:
    [[nodiscard]] std::uint64_t index() const { return position.played + position.cleared; }

    bool clear(std::uint64_t up_to) {
        if (up_to > written_frames) return false;
        clear_to_ = std::max(clear_to_, up_to);
        if (up_to < index()) return true;
        if (plays_ && fade_ == 0) fade_ = std::min<std::uint64_t>(up_to - index(), clear_fade_frames);
        if (!plays_ || fade_ == 0) drop();
        return true;
    }
    std::uint64_t drop() {
        position.cleared += std::max(clear_to_, index()) - index();
        return 0;
    }

    bool plays_ = false;
    std::uint64_t clear_to_ = 0;
    std::uint64_t fade_ = 0;
    bool records_ = false;
    bool ended_ = false;
};

/// A line, or a ring to the control side.
struct PlainRing {
    std::deque<Message> waiting;
    RingStats counts;
    std::size_t taken_ahead = 0;  // of those that wait: no longer in the ring, offline

    bool push(const Message& message) {
        if (room() == 0) {
            ++counts.dropped;
            return false;
        }
        ++counts.sent;
        waiting.push_back(message);
        return true;
    }
    [[nodiscard]] std::size_t room() const { return Ring<Message>::capacity - (waiting.size() - taken_ahead); }
    void make_room() {
        note_level();
        taken_ahead = waiting.size();
    }
    void note_level() { counts.high_water = std::max<std::uint64_t>(counts.high_water, waiting.size() - taken_ahead); }
    [[nodiscard]] RingStats seen() const {
        RingStats seen = counts;
        if (seen.dropped > 0) seen.high_water = Ring<Message>::capacity;
        return seen;
    }
};

/// Predicts an engine whose processor answers every command and acts on it, as PartProcessor does.
class PlainEngine {
  public:
    /// Without a budget, it has no deadline: no cue is refused for lack of room.
    explicit PlainEngine(std::optional<std::uint32_t> budget) : budget_{budget} {}

    std::array<PlainRing, max_lines> lines;
    std::array<PlainRing, max_lines> events;
    std::array<PlainRing, max_lines> confirmations;
    CueStats cues;
    std::uint64_t unhandled = 0;
    std::uint64_t refused = 0;
    std::uint64_t refused_unconfirmed = 0;
    std::uint64_t frame = 0;
    Tally tally;
    PlainStreams streams;
    PlainValues values;
    PlainMaps maps;

    [[nodiscard]] double beat() const { return transport_.timeline().beat_at(static_cast<double>(frame)); }

    /// Its new owner gets no events of the owner before.
    void open(std::size_t line) {
        open_.at(line) = true;
        opened_at_.at(line) = lines.at(line).counts.sent;
        events.at(line).waiting.clear();
    }
    void close(std::size_t line) { open_.at(line) = line == 0; }

    /// Returns whether the line accepts the command.
    bool send(std::size_t line, Message message) {
        message.line = static_cast<std::uint8_t>(line);
        message.sequence = static_cast<std::uint32_t>(lines.at(line).counts.sent) + 1;
        make_room(line, 1, is_cue(message));
        return lines.at(line).push(message);
    }

    /// Returns the transaction's sequence, or 0 if it is refused.
    std::uint32_t send_whole(std::size_t line, std::span<const Message> members, const Delivery& delivery) {
        PlainRing& ring = lines.at(line);
        make_room(line, members.size() + 1, delivery.is_cue());
        if (ring.room() < members.size() + 1) return 0;
        Message header = Message::of(kind::transaction, Transaction{static_cast<std::uint32_t>(members.size())});
        header.frame = delivery.frame;
        header.flags = delivery.flags;
        const auto sequence = static_cast<std::uint32_t>(ring.counts.sent) + 1;
        send(line, header);
        for (const Message& member : members) send(line, member);
        return sequence;
    }

    struct Block {
        std::vector<float> samples;      // each is the tally of what the processor had got by then
        std::vector<Values> parameters;  // of each frame
        std::vector<Cause> sent;         // of the messages that maps send to the processor
    };

    /// Renders one block.
    Block render(std::size_t frames) {
        const BlockFloatMode mode;
        const std::uint64_t first = frame;
        block_ = {};
        for (PlainRing& line : lines) line.note_level();
        if (!budget_) reserve();
        scheduled_ = {};
        cancels_left_ = most_calls_;
        values.begin_block(static_cast<double>(frame), transport_.timeline());
        maps.begin_block(budget_ ? max_midi_moves : ~std::size_t{0});
        apply_due();
        swept_for_room_ = false;
        read([this](Cue cue) { accept(std::move(cue)); });
        carry_out_cancels();
        apply_due_beats();
        if (!budget_) {
            for (PlainRing& line : lines) line.taken_ahead = 0;
        }
        for (; frame < first + frames; ++frame) {
            apply_due();
            if (cancelled_in_render_) cancel(*std::exchange(cancelled_in_render_, {}));
            block_.samples.push_back(tally.sample());
            block_.parameters.push_back(values.at(static_cast<double>(frame), transport_.timeline()));
            streams.render_frame();
        }
        values.end_block(static_cast<double>(frame - 1), transport_.timeline());
        for (PlainRing& ring : events) ring.note_level();
        for (PlainRing& ring : confirmations) ring.note_level();
        cues.pending = waiting();
        return std::move(block_);
    }

    /// Gives back what waits in the schedule, and then what waits in the lines.
    void close() {
        for (const auto& [due, cue] : std::exchange(schedule_, {})) discard(cue);
        for (const auto& [beat, waits] : std::exchange(beats_, {})) discard(waits.cue);
        for (bool found = true; found;) {
            found = false;
            read([&](const Cue& cue) {
                found = true;
                discard(cue);
            });
        }
    }

    // What act_on() uses.

    Outcome schedule(Message message, std::uint64_t at) {
        if (message.kind < kind::first_processor) return false;
        if (at <= frame) return Outcome::refused(Reason::late);
        const std::size_t line = handling_.command.line;
        if (!fits(line, 1) || !may_schedule(line)) return Outcome::refused(Reason::schedule_full);
        ++scheduled_.at(line);
        message.flags &= delivery::part;
        message.line = handling_.command.line;
        message.sequence = handling_.command.sequence;
        message.frame = at;
        handling_.scheduled = &keep({message, {}, handling_.transaction}).command;
        return Outcome::deferred();
    }
    bool cancel(Cause cause) {
        if (cancels_left_ == 0 || cancelled_.size() >= CancelMarks::max_singles) return false;
        --cancels_left_;
        if (cause.line < max_lines) cancel_one(cause.line, cause.sequence);
        return true;
    }
    void cancel_in_render(Cause cause) { cancelled_in_render_ = cause; }

  private:
    struct Cue {
        Message command;
        std::vector<Message> members;   // of a transaction
        std::uint32_t transaction = 0;  // of whose member this was scheduled for
    };

    [[nodiscard]] std::size_t waiting() const {
        std::size_t messages = 0;
        for (const std::size_t held : held_) messages += held;
        return messages;
    }

    /// Keeps a cue until its frame, after the cues of the same frame.
    Cue& keep(Cue cue) {
        held_.at(cue.command.line) += 1 + cue.members.size();
        const std::uint64_t due = cue.command.frame;
        return schedule_.emplace(due, std::move(cue))->second;
    }

    /// Offline, there is room for twice as many as can come, so that each may schedule another one.
    void reserve() {
        std::size_t messages = waiting() + max_members + 1;
        for (const PlainRing& line : lines) messages += line.waiting.size();
        if (2 * messages > capacity_) capacity_ = std::max(2 * messages, 2 * capacity_);
    }

    void make_room(std::size_t line, std::size_t commands, bool cue) {
        if (!budget_ && cue && lines.at(line).room() < commands) lines.at(line).make_room();
    }

    /// Each line's balance grows by its share and shrinks by what is read of it.
    template <class Take>
    void read(Take take) {
        std::vector<std::size_t> turns;
        for (std::size_t place = 0; place < max_lines; ++place) {
            const std::size_t line = (next_line_ + place) % max_lines;
            if (!lines.at(line).waiting.empty()) turns.push_back(line);
        }
        std::int64_t left = budget_.value_or(~0U);
        const std::int64_t most_balance = left + std::int64_t{max_members} + 1;
        std::optional<std::size_t> next;
        while (left > 0 && !turns.empty()) {
            const std::int64_t share = std::max<std::int64_t>(1, left / static_cast<std::int64_t>(turns.size()));
            const auto by_balance = [this](std::size_t one, std::size_t other) {
                return balance_.at(one) < balance_.at(other);
            };
            const std::int64_t most = balance_.at(*std::ranges::max_element(turns, by_balance));
            const std::int64_t times = most + share > 0 ? 1 : -most / share + 1;
            for (const std::size_t line : turns) {
                balance_.at(line) = std::min(balance_.at(line) + times * share, most_balance);
            }
            std::vector<std::size_t> kept;
            for (const std::size_t line : turns) {
                if (left <= 0 && !next) next = line;
                read_line(line, left, take);
                if (lines.at(line).waiting.empty()) {
                    balance_.at(line) = std::min<std::int64_t>(balance_.at(line), 0);
                } else {
                    kept.push_back(line);
                }
            }
            turns = kept;
        }
        if (!next && !turns.empty()) next = turns.front();
        next_line_ = next.value_or(next_line_);
    }

    template <class Take>
    void read_line(std::size_t number, std::int64_t& left, Take take) {
        std::deque<Message>& line = lines.at(number).waiting;
        std::int64_t& balance = balance_.at(number);
        while (balance > 0 && left > 0 && !line.empty()) {
            Cue cue{line.front(), {}, 0};
            line.pop_front();
            std::size_t members = 0;
            if (cue.command.kind == kind::transaction) {
                members = std::min<std::size_t>(cue.command.as<Transaction>().members, max_members);
            }
            for (; members > 0 && !line.empty(); --members) {  // the number may be wrong
                cue.members.push_back(line.front());
                line.pop_front();
            }
            const auto cost = static_cast<std::int64_t>(1 + cue.members.size());
            left -= cost;
            balance -= cost;
            take(std::move(cue));
        }
    }

    [[nodiscard]] bool fits(std::size_t line, std::size_t messages) const {
        if (!budget_) return waiting() + messages <= capacity_;
        std::array<std::size_t, max_lines> held = held_;
        held.at(line) += messages;
        std::size_t taken = 0;
        for (const std::size_t places : held) taken += std::max(places, Schedule::reserved);
        return held.at(line) <= Schedule::line_capacity && taken <= Schedule::capacity;
    }

    /// Of the calls of a block, a few are reserved for each line.
    [[nodiscard]] bool may_schedule(std::size_t line) const {
        const std::uint32_t reserved = std::min<std::uint32_t>(16, most_calls_ / (2 * max_lines));
        std::uint32_t taken = 0;
        for (const std::uint32_t calls : scheduled_) taken += std::max(calls, reserved);
        return scheduled_.at(line) < reserved || taken < most_calls_;
    }

    bool has_room_for(const Cue& cue) {
        const std::size_t line = cue.command.line;
        const std::size_t messages = 1 + cue.members.size();
        if (!fits(line, messages) && !swept_for_room_ && any_cancels()) {
            swept_for_room_ = true;
            carry_out_cancels();
        }
        return fits(line, messages);
    }

    void accept(Cue cue) {
        const Message& command = cue.command;
        for (Message& member : cue.members) {
            member.flags &= delivery::part;
            member.frame = command.frame;
        }
        std::uint32_t& forgotten = forgotten_.at(command.line);
        std::uint32_t& read = read_.at(command.line);
        read = command.sequence + static_cast<std::uint32_t>(cue.members.size());
        if (is_later(command.sequence, forgotten)) forgotten = 0;
        if (forgotten != 0) cancel_up_to(command.line, read);  // and so what it schedules
        if (has_beat(command.flags)) return accept_beat(std::move(cue), forgotten != 0);
        const bool late = command.frame != 0 && command.frame < frame;
        if (forgotten != 0 && command.frame != 0) {
            refuse_whole(cue, Reason::cancelled);
        } else if (command.frame > frame) {
            if (!has_room_for(cue)) return refuse_whole(cue, Reason::schedule_full);
            keep(std::move(cue));
        } else if (late && (command.flags & delivery::drop_if_late) != 0) {
            refuse_whole(cue, Reason::late);
        } else {
            for (const Message& member : cue.members) apply(member, false, command.sequence);
            apply(command, late, 0);
        }
    }

    /// The time of beats is the engine's own: transport.hpp has tests beside it. Which cue comes when is told apart
    /// here.
    void accept_beat(Cue cue, bool cancelled) {
        const double beat = transport_.beat_of(cue.command, frame);
        const BeatComes comes = beat >= 0 ? transport_.comes(beat, frame) : BeatComes::never;
        if (beat >= 0 && !cancelled && comes == BeatComes::later && has_room_for(cue)) {
            set_time(cue, std::bit_cast<std::uint64_t>(beat), delivery::beat);
            const double first = transport_.first_beat(frame);
            seek(first);
            held_.at(cue.command.line) += 1 + cue.members.size();
            beats_.emplace(beat, BeatCue{std::move(cue), beat < first});
            return;
        }
        const bool in_time = comes == BeatComes::now;
        set_time(cue, in_time || beat < 0 ? frame : transport_.frame_or_0(beat), 0);
        if (beat < 0) return refuse_whole(cue, Reason::unknown);
        if (cancelled) return refuse_whole(cue, Reason::cancelled);
        if (comes == BeatComes::later) return refuse_whole(cue, Reason::schedule_full);
        if (!in_time && (cue.command.flags & delivery::drop_if_late) != 0) return refuse_whole(cue, Reason::late);
        if (in_time) point_ = transport_.point_of(beat, transport_.exact_frame(beat));
        for (const Message& member : cue.members) apply(member, false, cue.command.sequence);
        apply(cue.command, !in_time, 0);
        point_.reset();
    }

    static void set_time(Cue& cue, std::uint64_t time, std::uint8_t flags) {
        constexpr std::uint8_t times = delivery::beat | delivery::grid;
        cue.command.frame = time;
        cue.command.flags = static_cast<std::uint8_t>((cue.command.flags & ~times) | flags);
        for (Message& member : cue.members) {
            member.frame = time;
            member.flags = static_cast<std::uint8_t>((member.flags & delivery::part) | flags);
        }
    }

    /// The cues below `beat` were passed, and the others come.
    void seek(double beat) {
        for (auto& [cue_beat, cue] : beats_) cue.passed = cue_beat < beat;
    }

    void apply_due_beats() {
        while (true) {
            const auto gone = std::ranges::find_if(beats_, [this](const auto& cue) {
                return cue.second.passed && cue.first < std::bit_cast<double>(transport_.never_again_below());
            });
            const auto next = std::ranges::find_if(beats_, [](const auto& cue) { return !cue.second.passed; });
            if (gone != beats_.end()) {
                apply_beat(gone, true);
            } else if (next != beats_.end() && nearest_frame(transport_.exact_frame(next->first)) <= frame) {
                apply_beat(next, false);
            } else if (transport_.loop_frame() <= frame) {
                seek(std::bit_cast<double>(transport_.loop()));
            } else {
                return;
            }
        }
    }

    void apply_beat(auto place, bool late) {
        const double beat = place->first;
        Cue cue = std::move(place->second.cue);
        beats_.erase(place);
        held_.at(cue.command.line) -= 1 + cue.members.size();
        if (is_cancelled(cue)) return refuse_whole(cue, Reason::cancelled);
        if (late && (cue.command.flags & delivery::drop_if_late) != 0) return refuse_whole(cue, Reason::late);
        set_time(cue, late ? transport_.frame_or_0(beat) : frame, 0);
        if (!late) point_ = transport_.point_of(beat, transport_.exact_frame(beat));
        apply(cue.command, late, cue.transaction);
        for (const Message& member : cue.members) apply(member, false, cue.command.sequence);
        point_.reset();
    }

    /// The frame of a command; of a beat, where the timeline has it now.
    [[nodiscard]] std::uint64_t frame_of(const Message& command) const {
        if (!has_beat(command.flags)) return command.frame;
        const double beat = transport_.beat_of(command, frame);
        return beat >= 0 ? transport_.frame_or_0(beat) : 0;
    }

    /// Each message takes its place in the schedule until it is applied.
    void apply_due() {
        while (!schedule_.empty() && schedule_.begin()->first <= frame) {
            const Cue cue = std::move(schedule_.begin()->second);
            schedule_.erase(schedule_.begin());
            std::size_t& held = held_.at(cue.command.line);
            if (is_cancelled(cue)) {
                held -= 1 + cue.members.size();
                refuse_whole(cue, Reason::cancelled);
                continue;
            }
            --held;
            apply(cue.command, false, cue.transaction);
            for (const Message& member : cue.members) {
                --held;
                apply(member, false, cue.command.sequence);
            }
        }
        apply_due_beats();
    }

    void apply(const Message& command, bool late, std::uint32_t transaction) {
        const Outcome outcome =
            command.kind < kind::first_processor ? apply_own(command) : handle_mapped(command, transaction);
        report(command, outcome, late);
    }

    void report(const Message& command, Outcome outcome, bool late) {
        switch (outcome.result) {
            case Outcome::Result::applied:
                if (late) ++cues.late;
                return confirm(Message::of(Applied{late, outcome.value}), command);
            case Outcome::Result::deferred:
                if (late) ++cues.late;
                return;
            case Outcome::Result::refused: {
                const auto reason = static_cast<Reason>(outcome.value);
                const bool is_told = (command.flags & delivery::confirm) != 0;
                const bool is_over = command.kind == kind::automate && reason == Reason::cancelled;
                if (!is_told && !is_over && reason != Reason::schedule_full && reason != Reason::unknown)
                    ++refused_unconfirmed;
                return refuse(command, reason);
            }
            case Outcome::Result::unknown:
                return refuse(command, Reason::unknown);
        }
    }

    /// A MIDI message does what its maps say, and then comes to the processor, which need not know it.
    Outcome handle_mapped(const Message& command, std::uint32_t transaction) {
        if (!is_midi(command.kind)) return handle(command, transaction);
        const std::optional<std::vector<PlainMaps::Move>> moves = maps.moves(command);
        if (!moves) return handle(command, transaction);
        for (const PlainMaps::Move& move : *moves) carry_out(move, command, transaction);
        const Outcome outcome = handle(command, transaction);
        return outcome.result == Outcome::Result::unknown ? Outcome{true} : outcome;
    }

    void carry_out(const PlainMaps::Move& move, const Message& midi, std::uint32_t transaction) {
        if (move.map.target == kind::none) {
            return values.move(move.map, move.number, static_cast<double>(frame), transport_.timeline());
        }
        const Message message = maps.message_of(move, midi);
        if (message.kind >= kind::first_processor) block_.sent.emplace_back(message);
        const Outcome outcome =
            message.kind < kind::first_processor ? apply_own(message) : handle(message, transaction);
        if (outcome.result == Outcome::Result::refused || outcome.result == Outcome::Result::unknown) {
            report(message, outcome, false);
        }
    }

    Outcome handle(const Message& command, std::uint32_t transaction) {
        tally.note(Tally::Call::handled, command, frame);
        Message part = command;
        const auto bytes = std::to_integer<std::size_t>(command.payload[0]);
        for (std::size_t index = bytes; index < part.payload.size(); ++index) part.payload.at(index) = std::byte{0};
        answer(part);
        handling_ = {command, transaction, nullptr};
        const Outcome outcome = act_on(command, frame, *this);
        if (outcome.result != Outcome::Result::deferred) return outcome;
        if (handling_.scheduled == nullptr) return false;
        handling_.scheduled->flags |= command.flags & delivery::confirm;
        return outcome;
    }

    Outcome apply_own(const Message& command) {
        switch (command.kind) {
            case kind::ping: {
                Message pong = command;
                pong.kind = kind::pong;
                answer(pong);
                return true;
            }
            case kind::cancel: {
                cancel_one(command.line, command.as<Cancel>().sequence);
                return true;
            }
            case kind::cancel_all: {
                const auto cancel = command.as<CancelAll>();
                for (std::size_t place = 0; place < cancel_all_lines; ++place) {
                    const std::size_t line = std::size_t{cancel.first_line} + place;
                    if (line < max_lines && cancel.up_to.at(place) != 0) cancel_line(line, cancel.up_to.at(place));
                }
                return true;
            }
            case kind::transaction:
            case kind::unload_buffer:  // of a handle that no load_buffer() returned
                return true;
            case kind::publish_buffer: {
                const auto publish = command.as<PublishBuffer>();
                return publish.slot < slots && publish.handle == no_buffer;  // no publish() has sent another handle
            }
            case kind::start_stream:
            case kind::stop_stream:
            case kind::clear_playback:
                return streams.apply(command, frame);
            case kind::automate:
            case kind::hold_automation:
            case kind::cancel_automation:
                return values.apply(command, point_ ? *point_ : TimelinePoint{static_cast<double>(frame), beat()});
            case kind::map_midi:
            case kind::map_midi_message:
            case kind::unmap_midi:
                return maps.apply(command);
            default:
                if (!transport_.apply(command, point_ ? *point_ : transport_.point(frame))) return false;
                if (transport_.take_jumped()) seek(transport_.first_beat(frame));
                return true;
        }
    }

    /// A cancel only marks: what is scheduled for its command until carry_out_cancels() is cancelled, too. The number
    /// of a command that was not read cancels nothing.
    void cancel_one(std::size_t line, std::uint32_t sequence) {
        if (sequence != 0 && !is_later(sequence, read_.at(line))) cancelled_.emplace(line, sequence);
    }

    void cancel_line(std::size_t line, std::uint32_t up_to) {
        const std::uint32_t read = read_.at(line);
        cancel_up_to(line, is_later(up_to, read) ? read : up_to);
        // Cues that still wait in their line are forgotten when they are read.
        std::uint32_t& forgotten = forgotten_.at(line);
        if (is_later(up_to, read) && (forgotten == 0 || is_later(up_to, forgotten))) forgotten = up_to;
    }

    void cancel_up_to(std::size_t line, std::uint32_t sequence) {
        std::optional<std::uint32_t>& mark = cancelled_up_to_.at(line);
        if (!mark || is_later(sequence, *mark)) mark = sequence;
    }

    [[nodiscard]] bool any_cancels() const {
        return !cancelled_.empty() || std::ranges::any_of(cancelled_up_to_, [](auto mark) { return mark.has_value(); });
    }

    [[nodiscard]] bool is_cancelled(const Cue& cue) const {
        const std::size_t line = cue.command.line;
        const std::uint32_t sequence = cue.command.sequence;
        const std::optional<std::uint32_t> up_to = cancelled_up_to_.at(line);
        return (up_to && !is_later(sequence, *up_to)) || cancelled_.contains({line, sequence}) ||
               cancelled_.contains({line, cue.transaction});
    }

    void carry_out_cancels() {
        for (auto place = schedule_.begin(); any_cancels() && place != schedule_.end();) {
            const Cue& cue = place->second;
            if (is_cancelled(cue)) {
                held_.at(cue.command.line) -= 1 + cue.members.size();
                refuse_whole(cue, Reason::cancelled);
                place = schedule_.erase(place);
            } else {
                ++place;
            }
        }
        for (auto place = beats_.begin(); any_cancels() && place != beats_.end();) {
            const Cue& cue = place->second.cue;
            if (is_cancelled(cue)) {
                held_.at(cue.command.line) -= 1 + cue.members.size();
                refuse_whole(cue, Reason::cancelled);
                place = beats_.erase(place);
            } else {
                ++place;
            }
        }
        cancelled_.clear();
        cancelled_up_to_ = {};
    }

    void refuse_whole(const Cue& cue, Reason reason) {
        refuse(cue.command, reason);
        discard(cue);
    }

    void discard(const Cue& cue) {
        discard(cue.command);
        for (const Message& member : cue.members) discard(member);
    }
    void discard(const Message& command) {
        if (command.kind == kind::automate) values.discard(command);
        if (command.kind < kind::first_processor) return;
        Message discarded = command;
        discarded.frame = frame_of(command);
        discarded.flags &= static_cast<std::uint8_t>(~(delivery::beat | delivery::grid));
        tally.note(Tally::Call::discarded, discarded, frame);
    }

    void refuse(const Message& command, Reason reason) {
        const Message refusal = Message::of(Refused{frame_of(command), reason});
        switch (reason) {
            case Reason::late:
                ++cues.dropped_late;
                break;
            case Reason::cancelled:
                ++cues.cancelled;
                break;
            case Reason::unknown:
                ++unhandled;
                break;
            case Reason::schedule_full:
                ++cues.refused;
                if ((command.flags & delivery::confirm) == 0) answer(of_cause(refusal, command));
                break;
            default:
                ++refused;
        }
        confirm(refusal, command);
    }

    void confirm(const Message& outcome, const Message& command) {
        if ((command.flags & delivery::confirm) != 0)
            confirmations.at(command.line).push(stamped(of_cause(outcome, command)));
    }

    void answer(const Message& event) {
        const bool has_owner = open_.at(event.line) && event.sequence > opened_at_.at(event.line);
        events.at(has_owner ? event.line : 0).push(stamped(event));
    }

    static Message of_cause(Message message, const Message& cause) {
        message.sequence = cause.sequence;
        message.line = cause.line;
        return message;
    }

    [[nodiscard]] Message stamped(Message message) const {
        message.frame = frame;
        message.flags = 0;
        return message;
    }

    std::optional<std::uint32_t> budget_;
    std::size_t next_line_ = 0;
    std::array<std::int64_t, max_lines> balance_{};
    std::array<bool, max_lines> open_{true};
    std::array<std::uint64_t, max_lines> opened_at_{};
    std::multimap<std::uint64_t, Cue> schedule_;
    struct BeatCue {
        Cue cue;
        bool passed = false;
    };
    std::multimap<double, BeatCue> beats_;
    Transport transport_;
    Block block_;                                  // that is being rendered
    std::optional<TimelinePoint> point_;           // of the cue of a beat that is being applied in time
    std::array<std::uint32_t, max_lines> read_{};  // the sequence of each line's last command
    // The sequence of the last command whose cue is cancelled already.
    std::array<std::uint32_t, max_lines> forgotten_{};
    std::array<std::size_t, max_lines> held_{};  // places in the schedule
    std::size_t capacity_ = Schedule::capacity;  // offline
    // The marks since carry_out_cancels(): of single commands, and of all commands of a line up to one.
    std::set<std::pair<std::size_t, std::uint32_t>> cancelled_;
    std::array<std::optional<std::uint32_t>, max_lines> cancelled_up_to_;
    std::optional<Cause> cancelled_in_render_;
    bool swept_for_room_ = false;
    std::uint32_t most_calls_ = budget_ ? *budget_ + max_members + 1 : ~0U;
    std::array<std::uint32_t, max_lines> scheduled_{};  // by the processor, in this block
    std::uint32_t cancels_left_ = 0;                    // in this block

    struct Handling {
        Message command;
        std::uint32_t transaction = 0;
        Message* scheduled = nullptr;  // the last one
    };
    Handling handling_;
};

}  // namespace cueline::fuzz
