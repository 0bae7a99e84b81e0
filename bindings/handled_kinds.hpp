// handled_kinds.hpp: the kinds of messages that an engine's processor declares.
#pragma once

#include <atomic>
#include <bitset>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include <cueline/message.hpp>
#include <cueline/midi.hpp>
#include <cueline/processor.hpp>

namespace cueline::python {

/// A copy of Processor::kinds(), for a check in each send().
class HandledKinds {
  public:
    /// Copies what `processor` declares. `described` begins the error: "the processor 'tone'". `all` has the others of
    /// the engine, for the error; it outlives this.
    HandledKinds(const Processor& processor, std::string described, const std::deque<HandledKinds>& all);

    /// Whether the processor handles this kind, or does not say.
    [[nodiscard]] bool include(Kind kind) const {
        return !declared_ || declared_->test(kind) ||
               (is_midi(kind) && midi_is_mapped_.load(std::memory_order_relaxed));  // relaxed: no other data follows
    }

    /// From now on, the engine handles MIDI messages.
    void map_midi() { midi_is_mapped_.store(true, std::memory_order_relaxed); }

    /// Raises ProcessorError if the processor does not handle this kind.
    void require(Kind kind) const {
        if (!include(kind)) refuse(kind);
    }

  private:
    [[noreturn]] void refuse(Kind kind) const;

    std::unique_ptr<std::bitset<std::numeric_limits<Kind>::max() + 1U>> declared_;  // null: none declared
    std::string described_;
    const std::deque<HandledKinds>* all_;
    std::atomic<bool> midi_is_mapped_ = false;
};

}  // namespace cueline::python
