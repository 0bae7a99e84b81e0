// plain_engine.hpp: a model of what an engine does with its commands, as simple as possible.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/schedule.hpp>

namespace cueline::fuzz {

inline constexpr std::uint32_t slots = 2;
inline constexpr std::uint32_t blocksize = 16;

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

/// Predicts an engine whose processor answers every command, as PartProcessor does.
class PlainEngine {
  public:
    /// Without a budget, it has no deadline: no cue is refused for lack of room.
    explicit PlainEngine(std::optional<std::uint32_t> budget) : budget_{budget} {}

    std::array<PlainRing, max_lines> lines;
    std::size_t lines_in_use = 1;
    PlainRing events;
    PlainRing confirmations;
    CueStats cues;
    std::uint64_t unhandled = 0;
    std::uint64_t frame = 0;

    /// Returns whether the line accepts the command.
    bool send(std::size_t line, Message message) {
        message.line = static_cast<std::uint8_t>(line);
        message.sequence = static_cast<std::uint32_t>(lines.at(line).counts.sent) + 1;
        make_room(line, 1, message.frame);
        return lines.at(line).push(message);
    }

    /// Returns the transaction's sequence, or 0 if it is refused.
    std::uint32_t send_whole(std::size_t line, std::span<const Message> members, const Delivery& delivery) {
        PlainRing& ring = lines.at(line);
        make_room(line, members.size() + 1, delivery.frame);
        if (ring.room() < members.size() + 1) return 0;
        Message header = Message::of(kind::transaction, Transaction{static_cast<std::uint32_t>(members.size())});
        header.frame = delivery.frame;
        header.flags = delivery.flags;
        const auto sequence = static_cast<std::uint32_t>(ring.counts.sent) + 1;
        send(line, header);
        for (const Message& member : members) send(line, member);
        return sequence;
    }

    /// Renders one block. Each sample is the number of commands that the processor had handled by then.
    std::vector<float> render(std::size_t frames) {
        const std::uint64_t first = frame;
        std::vector<float> samples;
        for (std::size_t line = 0; line < lines_in_use; ++line) lines.at(line).note_level();
        apply_due();
        read();
        if (!budget_) {
            for (PlainRing& line : lines) line.taken_ahead = 0;
        }
        for (; frame < first + frames; ++frame) {
            apply_due();
            samples.push_back(static_cast<float>(handled_));
        }
        events.note_level();
        confirmations.note_level();
        cues.pending = waiting();
        return samples;
    }

  private:
    struct Cue {
        Message command;
        std::vector<Message> members;  // of a transaction
    };

    [[nodiscard]] std::size_t waiting() const {
        std::size_t messages = 0;
        for (const auto& [due, cue] : schedule_) messages += 1 + cue.members.size();
        return messages;
    }

    void make_room(std::size_t line, std::size_t commands, std::uint64_t cue_frame) {
        if (!budget_ && cue_frame != 0 && lines.at(line).room() < commands) lines.at(line).make_room();
    }

    void read() {
        for (std::uint32_t left = budget_.value_or(~0U); left > 0;) {
            std::size_t looked_at = 0;
            while (looked_at < lines_in_use && lines.at(next_line_).waiting.empty()) {
                next_line_ = (next_line_ + 1) % lines_in_use;
                ++looked_at;
            }
            if (looked_at == lines_in_use) return;
            std::deque<Message>& line = lines.at(next_line_).waiting;
            next_line_ = (next_line_ + 1) % lines_in_use;

            Cue cue{line.front(), {}};
            line.pop_front();
            --left;
            // A sender may set only these two flags.
            cue.command.flags &= delivery::drop_if_late | delivery::confirm;
            std::size_t members = 0;
            if (cue.command.kind == kind::transaction) {
                members = std::min<std::size_t>(cue.command.as<Transaction>().members, max_members);
            }
            const bool fits = members < room();
            for (; members > 0; --members) {  // the number may be wrong: then fewer commands follow, or others
                if (left > 0) --left;
                if (line.empty()) break;
                cue.members.push_back(line.front());
                cue.members.back().flags = 0;
                line.pop_front();
            }
            accept(std::move(cue), fits);
        }
    }

    [[nodiscard]] std::size_t room() const { return budget_ ? Schedule::capacity - waiting() : Schedule::never; }

    void accept(Cue cue, bool fits) {
        const Message& command = cue.command;
        const bool late = command.frame != 0 && command.frame < frame;
        std::uint32_t& forgotten = forgotten_.at(command.line);
        read_.at(command.line) = command.sequence;
        if (is_later(command.sequence, forgotten)) forgotten = 0;
        if (forgotten != 0 && command.frame != 0) {
            refuse(command, Reason::cancelled);
        } else if (command.frame > frame && fits) {
            schedule_.emplace(command.frame, std::move(cue));  // after the cues of the same frame
        } else if (command.frame > frame) {
            refuse(command, Reason::schedule_full);
        } else if (late && (command.flags & delivery::drop_if_late) != 0) {
            refuse(command, Reason::late);
        } else {
            for (const Message& member : cue.members) apply(member, false);
            apply(command, late);
        }
    }

    void apply_due() {
        while (!schedule_.empty() && schedule_.begin()->first <= frame) {
            const Cue cue = std::move(schedule_.begin()->second);
            schedule_.erase(schedule_.begin());
            apply(cue.command, false);
            for (const Message& member : cue.members) apply(member, false);
        }
    }

    void apply(const Message& command, bool late) {
        if (!handle(command)) return refuse(command, Reason::unknown);
        if (late) ++cues.late;
        confirm(Message::of(Applied{late}), command);
    }

    bool handle(const Message& command) {
        switch (command.kind) {
            case kind::ping: {
                Message pong = command;
                pong.kind = kind::pong;
                answer(pong);
                return true;
            }
            case kind::cancel:
                forget([&, sequence = command.as<Cancel>().sequence](const Message& cue) {
                    return cue.line == command.line && cue.sequence == sequence;
                });
                return true;
            case kind::cancel_all: {
                const auto up_to = command.as<CancelAll>().up_to;
                // It is not one of those between up_to and the last one read
                const auto sent_before = [&](const Message& cue) {
                    const std::uint32_t since = read_.at(cue.line) - up_to.at(cue.line);
                    const std::uint32_t place = cue.sequence - up_to.at(cue.line);
                    return static_cast<std::int32_t>(since) <= 0 || place == 0 || place > since;
                };
                forget([&](const Message& cue) { return up_to.at(cue.line) != 0 && sent_before(cue); });
                // Cues that still wait in their lines are forgotten when they are read.
                for (std::size_t line = 0; line < max_lines; ++line) {
                    std::uint32_t& forgotten = forgotten_.at(line);
                    const std::uint32_t last = up_to.at(line);
                    if (last != 0 && is_later(last, read_.at(line)) && (forgotten == 0 || is_later(last, forgotten))) {
                        forgotten = last;
                    }
                }
                return true;
            }
            case kind::transaction:
                return true;
            case kind::publish_buffer: {
                const auto publish = command.as<PublishBuffer>();
                return publish.slot < slots && publish.handle == no_buffer;  // no publish() has sent another handle
            }
            default:
                break;
        }
        if (command.kind < kind::first_processor) return false;
        ++handled_;
        Message part = command;
        const auto bytes = std::to_integer<std::size_t>(command.payload[0]);
        for (std::size_t index = bytes; index < part.payload.size(); ++index) part.payload.at(index) = std::byte{0};
        answer(part);
        return true;
    }

    template <class Chosen>
    void forget(Chosen chosen) {
        for (auto place = schedule_.begin(); place != schedule_.end();) {
            if (chosen(place->second.command)) {
                refuse(place->second.command, Reason::cancelled);
                place = schedule_.erase(place);
            } else {
                ++place;
            }
        }
    }

    void refuse(const Message& command, Reason reason) {
        const Message refused = Message::of(Refused{command.frame, reason});
        if (reason == Reason::late) ++cues.dropped_late;
        if (reason == Reason::cancelled) ++cues.cancelled;
        if (reason == Reason::unknown) ++unhandled;
        if (reason == Reason::schedule_full) {
            ++cues.refused;
            if ((command.flags & delivery::confirm) == 0) answer(of_cause(refused, command));
        }
        confirm(refused, command);
    }

    void confirm(const Message& outcome, const Message& command) {
        if ((command.flags & delivery::confirm) != 0) confirmations.push(stamped(of_cause(outcome, command)));
    }

    void answer(const Message& event) { events.push(stamped(event)); }

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
    std::multimap<std::uint64_t, Cue> schedule_;
    std::array<std::uint32_t, max_lines> read_{};  // the sequence of each line's last command
    // The sequence of the last command whose cue is cancelled already.
    std::array<std::uint32_t, max_lines> forgotten_{};
    std::uint64_t handled_ = 0;
};

}  // namespace cueline::fuzz
