// midi_output.hpp: the MIDI messages that a block sends to the device.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/counter.hpp>
#include <cueline/message.hpp>
#include <cueline/midi.hpp>

namespace cueline {

/// Keeps what a processor sends during a block, until the block has ended. [audio thread, wait-free]
class MidiOutput {
  public:
    /// From now on, keeps as many messages in a block as `room` holds. [while no block runs]
    void use(std::span<Message> room) noexcept { room_ = room; }

    void begin_block() noexcept CUELINE_NONBLOCKING { size_ = 0; }

    /// Keeps a message that is sent at `frame`. If there is no room left, drops and counts it.
    void add(const Message& message, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        if (size_ == room_.size()) {
            unsent_.add(1);
            return;
        }
        Message& kept = room_[size_];
        kept = message;
        kept.frame = frame;
        kept.sequence = static_cast<std::uint32_t>(size_++);  // its place among those of the same frame
    }

    /// Returns the messages of a block of `frames` frames that begins at `first`, in the order of their frames, each
    /// with its place in the block. A frame outside the block counts as its first or its last one.
    [[nodiscard]] std::span<const Message> end_block(std::uint64_t first, std::uint32_t frames) noexcept
        CUELINE_NONBLOCKING {
        const std::span<Message> sent = room_.first(size_);
        for (Message& message : sent) {
            message.frame = std::clamp(message.frame, first, first + std::max(frames, 1U) - 1) - first;
        }
        std::ranges::sort(sent, [](const Message& one, const Message& other) noexcept {
            return one.frame != other.frame ? one.frame < other.frame : one.sequence < other.sequence;
        });
        return sent;
    }

    /// How many were dropped. [any thread]
    [[nodiscard]] std::uint64_t unsent() const noexcept { return unsent_.get(); }

  private:
    std::span<Message> room_;
    std::size_t size_ = 0;
    Counter unsent_;
};

}  // namespace cueline
