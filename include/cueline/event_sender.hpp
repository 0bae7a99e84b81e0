// event_sender.hpp: how the audio thread sends events, for instance a processor's answers.
#pragma once

#include <cstdint>

#include <cueline/audio_lines.hpp>
#include <cueline/message.hpp>

namespace cueline {

/// What an event answers: a command, or nothing. A processor that answers later keeps the cause.
struct Cause {
    constexpr Cause() noexcept CUELINE_NONBLOCKING = default;
    // NOLINTNEXTLINE(*-explicit-*): a command is a cause
    constexpr Cause(const Message& command) noexcept CUELINE_NONBLOCKING : sequence{command.sequence},
                                                                           line{command.line} {}

    std::uint32_t sequence = 0;
    std::uint8_t line = 0;
};

/// Sends events to the control side. An event that answers a command goes to the line that sent the command. All calls
/// are for the audio thread, and wait-free.
class EventSender {
  public:
    /// Sends an event of this kind, stamped with the frame that is rendered next. It answers `cause`.
    /// Returns Status::full, and counts a dropped event, if the ring is full.
    template <class Payload>
    Status send(Kind kind, const Payload& payload, Cause cause = {}) noexcept CUELINE_NONBLOCKING {
        return send_at(frame_, kind, payload, cause);
    }

    /// Like send(), but stamped with `frame`: for an event inside the segment that is being rendered.
    template <class Payload>
    Status send_at(std::uint64_t frame, Kind kind, const Payload& payload, Cause cause = {}) noexcept
        CUELINE_NONBLOCKING {
        Message message = Message::of(kind, payload);
        message.set_origin(cause.line, cause.sequence);
        message.frame = frame;
        return lines_->send(message);
    }

    /// Returns the frame that is rendered next.
    [[nodiscard]] std::uint64_t frame() const noexcept CUELINE_NONBLOCKING { return frame_; }

  private:
    friend class AudioSide;  // makes it, and sets the frame
    explicit EventSender(AudioLines& lines) noexcept : lines_{&lines} {}

    AudioLines* lines_;
    std::uint64_t frame_ = 0;
};

}  // namespace cueline
