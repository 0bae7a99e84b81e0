// engine_block.cpp: what happens once per block: commands are read, cues come due, the processor renders.
#include "engine/engine.hpp"

#include <algorithm>

namespace cueline {

void Engine::process(const AudioBlock& block, std::uint64_t block_ns) noexcept CUELINE_NONBLOCKING {
    block_ns_ = block_ns;
    block_time_.write({frames_.get(), block_ns, samplerate_});
    audio_.begin_block(frames_.get());
    controls_.begin_block();

    apply_due(frames_.get());  // before what is read now, for it came before
    read_commands();
    render(block);

    cues_pending_.set(schedule_.size());
    frames_.add(block.frames);
    audio_.go_to(frames_.get());
    audio_.end_block();
    blocks_.add(1);
}

// --- Reading -----------------------------------------------------------------------------------------------------

void Engine::read_commands() noexcept CUELINE_NONBLOCKING {
    Message command;
    while (audio_.receive(command) == Status::ok) {
        command.flags &= static_cast<std::uint8_t>(~delivery::member);  // whatever its sender set
        const bool cancelled = cancel_progress_.note_read(command);
        if (command.kind == kind::transaction) {
            accept_transaction(command, cancelled);
        } else {
            accept(command, cancelled);
        }
    }
}

/// Applies a command, keeps it for its frame, or refuses it.
void Engine::accept(const Message& command, bool cancelled) noexcept CUELINE_NONBLOCKING {
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

/// As accept(), of a header and the members behind it: what becomes of the one becomes of all.
void Engine::accept_transaction(const Message& header, bool cancelled) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t now = audio_.events().frame();
    const bool late = header.frame != 0 && header.frame < now;
    const std::uint32_t members = header.as<Transaction>().members;
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
            apply(member, false);  // it is the whole that may be late, and that is counted below
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

/// `command` will not be applied, and whoever has to know of it is told.
void Engine::refuse(const Message& command, Reason reason) noexcept CUELINE_NONBLOCKING {
    const Refused refused{.wanted_frame = command.frame, .reason = reason};
    switch (reason) {
        case Reason::late:
            cues_dropped_late_.add(1);
            break;
        case Reason::schedule_full:
            cues_refused_.add(1);
            // An event too, for it is not what anybody asked for.
            if ((command.flags & delivery::confirm) == 0) audio_.events().send(kind::refused, refused, command);
            break;
        case Reason::cancelled:
            cues_cancelled_.add(1);
            break;
        case Reason::unknown:
            unhandled_.add(1);
            break;
    }
    audio_.confirm(kind::refused, refused, command);
    discard(command);
}

/// Gives back what a command brings that will not be applied.
void Engine::discard(const Message& command) noexcept CUELINE_NONBLOCKING {
    if (command.kind == kind::publish_buffer) buffers_.discard(command.as<PublishBuffer>());
}

// --- Applying ----------------------------------------------------------------------------------------------------

void Engine::apply_due(std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
    Message cue;
    while (schedule_.take_due(frame, cue)) apply(cue, false);
}

void Engine::apply(const Message& command, bool late) noexcept CUELINE_NONBLOCKING {
    if (!handle(command)) {
        refuse(command, Reason::unknown);
        return;
    }
    if (late) cues_late_.add(1);
    audio_.confirm(kind::applied, Applied{late}, command);
}

/// Returns false for a command that nobody knows.
bool Engine::handle(const Message& command) noexcept CUELINE_NONBLOCKING {
    switch (command.kind) {
        case kind::ping:
            // A full event ring drops the pong and counts it; the audio goes on.
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
            return true;  // its members are commands of their own
        default:
            return command.kind >= kind::first_processor && processor_->handle(command, context_);
    }
}

// --- Cancelling --------------------------------------------------------------------------------------------------

void Engine::cancel(const Message& command) noexcept CUELINE_NONBLOCKING {
    schedule_.take_out_one(command.line, command.as<Cancel>().sequence,
                           [this](const Message& cue) noexcept { forget(cue); });
}

void Engine::cancel_all(const Message& command) noexcept CUELINE_NONBLOCKING {
    const auto up_to = command.as<CancelAll>().up_to;
    for (std::size_t line = 0; line < max_lines; ++line) cancel_progress_.forget(line, up_to[line]);
    schedule_.take_out(
        [&, chosen = false](const Message& cue) mutable noexcept {
            // A transaction's members lie behind their header, and go where it goes. Where this is itself a member of
            // one, the rest of that has no header any more: it is being applied, and stays.
            if (!is_member(cue))
                chosen = up_to[cue.line] != 0 && !cancel_progress_.was_sent_after(cue, up_to[cue.line]);
            return chosen;
        },
        [this](const Message& cue) noexcept { forget(cue); });
}

/// A cue was taken out of the schedule. A transaction counts as one.
void Engine::forget(const Message& cue) noexcept CUELINE_NONBLOCKING {
    if (is_member(cue)) {
        discard(cue);
    } else {
        refuse(cue, Reason::cancelled);
    }
}

// --- Rendering ---------------------------------------------------------------------------------------------------

/// Renders up to each cue's frame, applies it, and goes on.
void Engine::render(const AudioBlock& block) noexcept CUELINE_NONBLOCKING {
    const std::uint64_t first = frames_.get();
    for (std::uint32_t done = 0; done < block.frames;) {
        const std::uint64_t until_next = schedule_.next_frame() - first;  // those before this frame are gone
        const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(until_next, block.frames));
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
