// timeline.hpp: musical times, which Python passes as `at`, and what Python reads of a timeline.
#pragma once

#include <nanobind/nanobind.h>

#include <bit>
#include <cstdint>

#include <cueline/line.hpp>
#include <cueline/message.hpp>

namespace cueline::python {

/// Python's MusicalTime: a beat, or a grid whose next line is meant. The package's classes derive from it, and check
/// the numbers.
class MusicalTime {
  public:
    MusicalTime(bool is_grid, double beats) : flag_{is_grid ? delivery::grid : delivery::beat}, beats_{beats} {}

    [[nodiscard]] double beats() const { return beats_; }
    [[nodiscard]] bool is_grid() const { return flag_ == delivery::grid; }

    void set(Delivery& delivery) const {
        delivery.frame = std::bit_cast<std::uint64_t>(beats_);
        delivery.flags |= flag_;
    }

  private:
    std::uint8_t flag_;
    double beats_;
};

}  // namespace cueline::python
