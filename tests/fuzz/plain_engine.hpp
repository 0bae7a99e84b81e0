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
    std::array<PlainRing, max_lines> events;
    std::array<PlainRing, max_lines> confirmations;
    CueStats cues;
    std::uint64_t unhandled = 0;
    std::uint64_t frame = 0;

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
        for (PlainRing& line : lines) line.note_level();
        apply_due();
        swept_for_room_ = false;
        read();
        carry_out_cancels();
        if (!budget_) {
            for (PlainRing& line : lines) line.taken_ahead = 0;
        }
        for (; frame < first + frames; ++frame) {
            apply_due();
            samples.push_back(static_cast<float>(handled_));
        }
        for (PlainRing& ring : events) ring.note_level();
        for (PlainRing& ring : confirmations) ring.note_level();
        cues.pending = waiting();
        return samples;
    }

  private:
    struct Cue {
        Message command;
        std::vector<Message> members;  // of a transaction
        bool cancelled = false;
    };

    [[nodiscard]] std::size_t waiting() const {
        std::size_t messages = 0;
        for (const auto& [due, cue] : schedule_) messages += 1 + cue.members.size();
        return messages;
    }

    void make_room(std::size_t line, std::size_t commands, std::uint64_t cue_frame) {
        if (!budget_ && cue_frame != 0 && lines.at(line).room() < commands) lines.at(line).make_room();
    }

    /// Each line's balance grows by its share and shrinks by what is read of it.
    void read() {
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
                read_line(line, left);
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

    void read_line(std::size_t number, std::int64_t& left) {
        std::deque<Message>& line = lines.at(number).waiting;
        std::int64_t& balance = balance_.at(number);
        while (balance > 0 && left > 0 && !line.empty()) {
            Cue cue{line.front(), {}};
            line.pop_front();
            // A sender may set only these two flags.
            cue.command.flags &= delivery::drop_if_late | delivery::confirm;
            std::size_t members = 0;
            if (cue.command.kind == kind::transaction) {
                members = std::min<std::size_t>(cue.command.as<Transaction>().members, max_members);
            }
            for (; members > 0 && !line.empty(); --members) {  // the number may be wrong
                cue.members.push_back(line.front());
                cue.members.back().flags = 0;
                line.pop_front();
            }
            const auto cost = static_cast<std::int64_t>(1 + cue.members.size());
            left -= cost;
            balance -= cost;
            accept(std::move(cue));
        }
    }

    [[nodiscard]] bool fits(const Cue& added) const {
        if (!budget_) return true;
        std::array<std::size_t, max_lines> held{};
        for (const auto& [due, cue] : schedule_) held.at(cue.command.line) += 1 + cue.members.size();
        held.at(added.command.line) += 1 + added.members.size();
        std::size_t taken = 0;
        for (const std::size_t places : held) taken += std::max(places, Schedule::reserved);
        return held.at(added.command.line) <= Schedule::line_capacity && taken <= Schedule::capacity;
    }

    bool has_room_for(const Cue& cue) {
        if (!fits(cue) && marked_ && !swept_for_room_) {
            swept_for_room_ = true;
            carry_out_cancels();
        }
        return fits(cue);
    }

    void accept(Cue cue) {
        const Message& command = cue.command;
        const bool late = command.frame != 0 && command.frame < frame;
        std::uint32_t& forgotten = forgotten_.at(command.line);
        read_.at(command.line) = command.sequence;
        if (is_later(command.sequence, forgotten)) forgotten = 0;
        if (forgotten != 0 && command.frame != 0) {
            refuse(command, Reason::cancelled);
        } else if (command.frame > frame) {
            if (!has_room_for(cue)) return refuse(command, Reason::schedule_full);
            schedule_.emplace(command.frame, std::move(cue));  // after the cues of the same frame
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
            if (cue.cancelled) {
                refuse(cue.command, Reason::cancelled);
                continue;
            }
            apply(cue.command, false);
            for (const Message& member : cue.members) apply(member, false);
        }
    }

    void apply(const Message& command, bool late) {
        if (!handle(command)) return refuse(command, Reason::unknown);
        if (late) ++cues.late;
        confirm(Message::of(Applied{late, 0}), command);
    }

    bool handle(const Message& command) {
        switch (command.kind) {
            case kind::ping: {
                Message pong = command;
                pong.kind = kind::pong;
                answer(pong);
                return true;
            }
            case kind::cancel: {
                const std::uint32_t sequence = command.as<Cancel>().sequence;
                // Of those that were read: the number of a later command cancels nothing.
                if (sequence == 0 || is_later(sequence, read_.at(command.line))) return true;
                mark([&](const Message& cue) { return cue.line == command.line && cue.sequence == sequence; });
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

    void cancel_line(std::size_t line, std::uint32_t up_to) {
        // It is not one of those between up_to and the last one read
        const auto sent_before = [&](const Message& cue) {
            const std::uint32_t since = read_.at(line) - up_to;
            const std::uint32_t place = cue.sequence - up_to;
            return static_cast<std::int32_t>(since) <= 0 || place == 0 || place > since;
        };
        mark([&](const Message& cue) { return cue.line == line && sent_before(cue); });
        // Cues that still wait in their line are forgotten when they are read.
        std::uint32_t& forgotten = forgotten_.at(line);
        if (is_later(up_to, read_.at(line)) && (forgotten == 0 || is_later(up_to, forgotten))) forgotten = up_to;
    }

    /// Cancels a cue at once. It stays in the schedule until carry_out_cancels(), or until it is due.
    template <class Chosen>
    void mark(Chosen chosen) {
        marked_ = true;
        for (auto& [due, cue] : schedule_) cue.cancelled = cue.cancelled || chosen(cue.command);
    }

    void carry_out_cancels() {
        marked_ = false;
        for (auto place = schedule_.begin(); place != schedule_.end();) {
            if (place->second.cancelled) {
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
    std::array<std::uint32_t, max_lines> read_{};  // the sequence of each line's last command
    // The sequence of the last command whose cue is cancelled already.
    std::array<std::uint32_t, max_lines> forgotten_{};
    std::uint64_t handled_ = 0;
    bool marked_ = false;  // since carry_out_cancels()
    bool swept_for_room_ = false;
};

}  // namespace cueline::fuzz
