// timeout.hpp: how long a call waits for room.
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <optional>
#include <string>

namespace cueline::python {

/// Python's argument `timeout`: seconds to wait, None for ever, 0 not at all. It lives for one call.
class Timeout {
  public:
    /// Raises ArgumentError, ArgumentTypeError.
    explicit Timeout(nanobind::handle given);

    /// Whether it is more than 0.
    [[nodiscard]] bool waits() const { return seconds_ > 0; }

    /// Sleeps for `seconds` without the GIL, or for as long as there is time left. Returns false if there is none. The
    /// time runs from the first call. Raises what a signal handler raises, and ClosedError if Python ends.
    [[nodiscard]] bool sleep(double seconds);

    /// Raises Full. `why` says what is full.
    [[noreturn]] void raise_full(const std::string& why) const;

  private:
    using Clock = std::chrono::steady_clock;

    nanobind::handle given_;
    double seconds_;
    std::optional<Clock::time_point> began_;
};

}  // namespace cueline::python
