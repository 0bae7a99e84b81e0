// context.hpp: what a processor has to do with while it handles a command or renders: the engine's side of the line.
#pragma once

#include <cueline/audio_side.hpp>

namespace cueline {

/// Thread: audio, inside the call that it was handed to. Real-time: every call is wait-free.
class Context {
  public:
    explicit Context(EventSender& events) noexcept : events_{&events} {}

    /// Where events are sent.
    [[nodiscard]] EventSender& events() noexcept CUELINE_NONBLOCKING { return *events_; }

  private:
    EventSender* events_;
};

}  // namespace cueline
