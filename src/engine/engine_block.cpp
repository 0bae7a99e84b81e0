// engine_block.cpp: reads commands, applies them at their frames, and renders up to each of them.
#include "engine/engine_block.hpp"

#include <algorithm>

#include "engine/finite.hpp"
#include "system/float_mode.hpp"

namespace cueline {

namespace {

void silence(const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
    for (float* const channel : block.channels) std::fill_n(channel, block.frames, 0.0F);
}

}  // namespace

EngineBlock::EngineBlock(Link& link, std::uint32_t budget, EngineReport& report, const BufferSlots::Table& buffers,
                         BufferSlots::Returns& returned_buffers)
    : report_{&report}, audio_{link, budget}, buffers_{buffers, returned_buffers}, values_{link} {}

void EngineBlock::run(Processor& processor, std::span<const ParameterSpec> parameters, std::uint32_t slots) noexcept {
    processor_ = &processor;
    values_.declare(parameters);
    buffers_.set_count(slots);
}

void EngineBlock::prepare(const std::optional<Format>& format) noexcept {
    prepared_ = format;
    if (prepared_) values_.prepare(prepared_->samplerate);
}

void EngineBlock::report_format(const Format& format) noexcept CUELINE_NONBLOCKING {
    const bool changed = reported_ && *reported_ != format;
    reported_ = format;
    if (changed) {
        events().send(kind::format_changed, FormatChanged{format.samplerate, format.channels, format.blocksize});
    }
}

void EngineBlock::blocksize_changed(std::uint32_t frames) noexcept CUELINE_NONBLOCKING {
    if (!reported_) return;
    Format format = *reported_;
    format.blocksize = frames;
    report_format(format);
}

void EngineBlock::process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    // The processor may have no memory for a block that it is not prepared for.
    if (!prepared_ || block.channels.size() != prepared_->channels || fades_.is_out()) {
        silence(block);
        return;
    }
    const Format format = *prepared_;
    const BlockFloatMode mode;
    const std::uint64_t frame = report_->frames.get();
    block_ns_ = block_ns;
    report_->block_time.write({frame, block_ns, format.samplerate});
    audio_.begin_block(frame);
    values_.begin_block();

    apply_due(frame);  // these cues were read before the commands below
    read_commands();
    render(block, format.blocksize);
    if (const Replaced replaced = replace_not_finite(block); replaced.samples > 0) {
        report_->not_finite.add(replaced.samples);
        audio_.events().send_at(frame + replaced.first_frame, kind::not_finite, NotFinite{replaced.samples});
    }
    fades_.apply(block);

    report_->cues_pending.set(schedule_.size());
    report_->frames.add(block.frames);
    audio_.go_to(report_->frames.get());
    audio_.end_block();
    report_->blocks.add(1);
}

void EngineBlock::read_commands() noexcept CUELINE_NONBLOCKING {
    Message command;
    while (audio_.receive(command) == Status::ok) {
        command.flags &= static_cast<std::uint8_t>(~delivery::member);  // a sender may not set it
        const bool cancelled = cancel_progress_.note_read(command);
        if (command.kind == kind::transaction) {
            accept_transaction(command, cancelled);
        } else {
            accept(command, cancelled);
        }
    }
}

/// Applies a command, keeps it for its frame, or refuses it.
void EngineBlock::accept(const Message& command, bool cancelled) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t now = audio_.events().frame();
    const bool late = command.frame != 0 && command.frame < now;
    if (cancelled) {
        refuse(command, Reason::cancelled);
    } else if (command.frame > now) {
        if (schedule_.room() > 0) {
            schedule_.add(command);
        } else {
            refuse(command, Reason::schedule_full);
        }
    } else if (late && (command.flags & delivery::drop_if_late) != 0) {
        refuse(command, Reason::late);
    } else {
        apply(command, late);
    }
}

/// Applies, keeps or refuses a transaction as a whole. The header decides for all members.
void EngineBlock::accept_transaction(const Message& header, bool cancelled) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t now = audio_.events().frame();
    const bool late = header.frame != 0 && header.frame < now;
    const auto members = std::min<std::uint32_t>(header.as<Transaction>().members, max_members);
    const bool kept = !cancelled && header.frame > now && schedule_.room() > members;
    const bool dropped = late && (header.flags & delivery::drop_if_late) != 0;
    const bool applied = !cancelled && header.frame <= now && !dropped;

    if (kept) schedule_.add(header);
    Message member;
    for (std::uint32_t place = 0; place < members && audio_.receive_member(member) == Status::ok; ++place) {
        member.frame = header.frame;
        member.flags = delivery::member;
        if (kept) {
            schedule_.add(member);
        } else if (applied) {
            apply(member, false);  // if late, only the header counts as late, below
        } else {
            discard(member);
        }
    }
    if (applied) {
        apply(header, late);
    } else if (!kept) {
        auto reason = dropped ? Reason::late : Reason::schedule_full;
        if (cancelled) reason = Reason::cancelled;
        refuse(header, reason);
    }
}

/// Counts `command` as refused, reports it to a sender that wants a confirmation, and gives back its buffer.
void EngineBlock::refuse(const Message& command, Reason reason) noexcept CUELINE_NONBLOCKING {
    const Refused refused{.wanted_frame = command.frame, .reason = reason};
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
    }
    audio_.confirm(kind::refused, refused, command);
    discard(command);
}

/// Gives back the buffer of a command that will not be applied.
void EngineBlock::discard(const Message& command) noexcept CUELINE_NONBLOCKING {
    if (command.kind == kind::publish_buffer) buffers_.discard(command.as<PublishBuffer>());
}

void EngineBlock::apply_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    Message cue;
    while (schedule_.take_due(frame, cue)) apply(cue, false);
}

void EngineBlock::apply(const Message& command, bool late) noexcept CUELINE_NONBLOCKING {
    if (!handle(command)) {
        refuse(command, Reason::unknown);
        return;
    }
    if (late) report_->cues_late.add(1);
    audio_.confirm(kind::applied, Applied{late}, command);
}

/// Returns false if neither the engine nor the processor handles this command.
bool EngineBlock::handle(const Message& command) noexcept CUELINE_NONBLOCKING {
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
            return buffers_.apply(command.as<PublishBuffer>());
        case kind::transaction:
            return true;  // its members follow as commands
        default:
            return command.kind >= kind::first_processor && processor_->handle(command, context_);
    }
}

void EngineBlock::cancel(const Message& command) noexcept CUELINE_NONBLOCKING {
    schedule_.take_out_one(command.line, command.as<Cancel>().sequence,
                           [this](const Message& cue) noexcept { forget(cue); });
}

void EngineBlock::cancel_all(const Message& command) noexcept CUELINE_NONBLOCKING {
    const auto up_to = command.as<CancelAll>().up_to;
    for (std::size_t line = 0; line < max_lines; ++line) cancel_progress_.cancel(line, up_to[line]);
    schedule_.take_out(
        [&, chosen = false](const Message& cue) mutable noexcept {
            // Members follow their header and share its fate. If this cancel_all is a member itself, the header of its
            // own transaction was taken out before: the transaction is being applied, so its other members stay.
            if (!is_member(cue))
                chosen = up_to[cue.line] != 0 && !cancel_progress_.was_sent_after(cue, up_to[cue.line]);
            return chosen;
        },
        [this](const Message& cue) noexcept { forget(cue); });
}

/// Refuses a cue that was taken out of the schedule. A transaction counts as one.
void EngineBlock::forget(const Message& cue) noexcept CUELINE_NONBLOCKING {
    if (is_member(cue)) {
        discard(cue);
    } else {
        refuse(cue, Reason::cancelled);
    }
}

/// Renders up to each cue's frame, and applies the cue there. Renders at most `max_frames` at once.
void EngineBlock::render(const AudioBlock& block, std::uint32_t max_frames) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t first = report_->frames.get();
    for (std::uint32_t done = 0; done < block.frames;) {
        const std::uint64_t until_next = schedule_.next_frame() - first;  // earlier cues were applied
        const std::uint32_t piece = std::min(block.frames - done, max_frames);
        const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(until_next, done + piece));
        for (std::size_t channel = 0; channel < block.channels.size(); ++channel) {
            segment_[channel] = block.channels[channel] + done;
        }
        processor_->render({{segment_.data(), block.channels.size()}, end - done, first + done}, context_);
        done = end;
        if (done < block.frames) {
            audio_.go_to(first + done);
            apply_due(first + done);
        }
    }
}

}  // namespace cueline
