// automations.cpp: lets parameters follow automations.
#include "engine/automations.hpp"

#include <bit>
#include <cmath>

namespace cueline {

namespace {

constexpr double shortest = 1e-6;  // frames or beats: what is shorter is a jump

}  // namespace

void Automations::declare(std::span<Parameter> parameters, const SharedParameters<>& shared, BufferSlots* curves) {
    parameters_ = parameters;
    shared_ = shared;
    curves_ = curves;
    automations_ = LockedArray<Automation>{parameters.size()};
    for (std::size_t address = 0; address < parameters.size(); ++address) {
        automations_.all()[address].known = parameters[address].target();
    }
}

Outcome Automations::apply(const Message& command, TimelinePoint here) noexcept CUELINE_NONBLOCKING {
    switch (command.kind) {
        case kind::automate: {
            const Outcome outcome = automate(command, here);
            if (outcome.result != Outcome::Result::applied) discard(command);
            return outcome;
        }
        case kind::hold_automation: {
            const auto wanted = command.as<HoldAutomation>();
            if (wanted.parameter >= parameters_.size()) return false;
            hold(wanted, command.line, here);
            return true;
        }
        case kind::cancel_automation: {
            const auto wanted = command.as<CancelAutomation>();
            if (wanted.parameter >= parameters_.size() || std::isnan(wanted.from)) return false;
            cancel(wanted, command.line, here);
            return true;
        }
        default:
            return false;
    }
}

void Automations::discard(const Message& command) noexcept CUELINE_NONBLOCKING {
    const auto unwanted = command.as<Automate>();
    if (unwanted.shape == Shape::curve && curves_ != nullptr) curves_->release(unwanted.buffer);
}

Outcome Automations::automate(const Message& command, TimelinePoint here) noexcept CUELINE_NONBLOCKING {
    const auto wanted = command.as<Automate>();
    if (!is_sound(wanted)) return false;
    Automation& automation = automations_.all()[wanted.parameter];
    if (wanted.automation == 0 && !is_replaced(wanted, command)) {
        automation.cause = command;
        automation.held = false;
    } else if (!is_current(wanted.parameter, wanted.automation, command.line)) {
        return Outcome::refused(Reason::cancelled);
    }
    const double from = parameters_[wanted.parameter].value_at(here.frame, here.beat);
    const BufferHandle curve = wanted.shape == Shape::curve ? wanted.buffer : 0;
    follow(wanted.parameter, course(wanted, from, here), curve);
    return true;
}

/// The rest of the automation finds that it is not the parameter's any more.
void Automations::hold(const HoldAutomation& wanted, std::uint8_t line, TimelinePoint here) noexcept
    CUELINE_NONBLOCKING {
    if (!is_current(wanted.parameter, wanted.automation, line)) return;
    automations_.all()[wanted.parameter].held = true;
    const Parameter& parameter = parameters_[wanted.parameter];
    const ValueSegment& course = parameter.course();
    // A curve that begins at this very place is cancelled.
    const bool is_cancelled =
        course.shape() == Shape::curve && !course.began_before(course.in_beats() ? here.beat : here.frame);
    const double value = is_cancelled ? course.from() : parameter.value_at(here.frame, here.beat);
    follow(wanted.parameter, ValueSegment{value});
}

void Automations::cancel(const CancelAutomation& wanted, std::uint8_t line, TimelinePoint here) noexcept
    CUELINE_NONBLOCKING {
    if (!is_current(wanted.parameter, wanted.automation, line)) return;
    const ValueSegment& course = parameters_[wanted.parameter].course();
    const bool has_end = course.shape() != Shape::step && course.shape() != Shape::target;
    const bool moves = course.moves_after(course.in_beats() ? here.beat : here.frame);
    if (has_end && moves && course.end() >= wanted.from) follow(wanted.parameter, ValueSegment{course.from()});
}

/// Whether an automation has begun meanwhile that its line sent later.
bool Automations::is_replaced(const Automate& wanted, const Message& command) const noexcept CUELINE_NONBLOCKING {
    // Numbers of commands begin again after 2^32: of two that are farther apart, nobody knows which came first.
    constexpr std::uint32_t farthest = std::uint32_t{1} << 24U;
    const Cause& latest = automations_.all()[wanted.parameter].cause;
    const std::uint32_t later_by = latest.sequence - command.sequence;
    return latest.sequence != 0 && latest.line == command.line && later_by != 0 && later_by <= farthest;
}

bool Automations::is_sound(const Automate& wanted) const noexcept CUELINE_NONBLOCKING {
    if (wanted.parameter >= parameters_.size() || !std::isfinite(wanted.value)) return false;
    switch (wanted.shape) {
        case Shape::step:
            return true;
        case Shape::linear:
        case Shape::exponential:
            return std::isfinite(wanted.end);
        case Shape::target:
            return wanted.constant >= 0 && wanted.constant <= longest_time_constant_s;
        case Shape::curve:
            return std::isfinite(wanted.end) && curves_ != nullptr && curves_->loaded(wanted.buffer) != nullptr;
        default:
            return false;
    }
}

bool Automations::is_current(std::uint16_t parameter, std::uint32_t sequence, std::uint8_t line) const noexcept
    CUELINE_NONBLOCKING {
    const Automation& current = automations_.all()[parameter];
    if (!parameters_[parameter].automated() || current.held) return false;
    return current.cause.sequence == sequence && current.cause.line == line;
}

ValueSegment Automations::course(const Automate& wanted, double from, TimelinePoint here) const noexcept
    CUELINE_NONBLOCKING {
    const double to = parameters_[wanted.parameter].inside(wanted.value);
    if (wanted.shape == Shape::target) {
        const double constant = wanted.constant * samplerate_;
        return constant < shortest ? ValueSegment{to} : ValueSegment::target(from, to, here.frame, constant);
    }
    const bool in_beats = wanted.in_beats != 0;
    const double start = in_beats ? here.beat : here.frame;
    if (wanted.shape == Shape::step || wanted.end - start < shortest) return ValueSegment{to};
    if (wanted.shape == Shape::curve) {
        return ValueSegment::curve(wanted.buffer, from, to, start, wanted.end, in_beats);
    }
    return ValueSegment::ramp(wanted.shape, from, to, start, wanted.end, in_beats);
}

void Automations::follow(std::uint16_t parameter, const ValueSegment& course, BufferHandle curve) noexcept
    CUELINE_NONBLOCKING {
    Automation& automation = automations_.all()[parameter];
    release_curve(automation);
    automation.curve = curve;
    parameters_[parameter].automate(course);
    active_[parameter / word_bits] |= std::uint64_t{1} << (parameter % word_bits);
    active_words_ |= std::uint64_t{1} << (parameter / word_bits);
}

void Automations::release_curve(Automation& automation) noexcept CUELINE_NONBLOCKING {
    if (automation.curve != 0) curves_->release(automation.curve);
    automation.curve = 0;
}

void Automations::end_block() noexcept CUELINE_NONBLOCKING {
    for (std::uint64_t words = active_words_; words != 0; words &= words - 1) {
        const auto word = static_cast<std::size_t>(std::countr_zero(words));
        for (std::uint64_t bits = active_[word]; bits != 0; bits &= bits - 1) {
            look_at(word * word_bits + static_cast<std::size_t>(std::countr_zero(bits)));
        }
        if (active_[word] == 0) active_words_ &= ~(std::uint64_t{1} << word);
    }
}

void Automations::look_at(std::size_t address) noexcept CUELINE_NONBLOCKING {
    Automation& automation = automations_.all()[address];
    const Parameter& parameter = parameters_[address];
    if (parameter.automated()) {
        show(address, parameter.value());
        if (parameter.moves()) return;
    }
    release_curve(automation);
    active_[address / word_bits] &= ~(std::uint64_t{1} << (address % word_bits));
}

}  // namespace cueline
