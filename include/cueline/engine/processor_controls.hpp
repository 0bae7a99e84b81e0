// processor_controls.hpp: a processor's parameters and meters, for control threads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <cueline/link.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/processor.hpp>

namespace cueline {

/// Sets parameters and reads meters, by their index in the processor's declaration. No call blocks.
class ProcessorControls {
  public:
    /// Nothing is declared yet. `link` must outlive it.
    explicit ProcessorControls(Link& link) noexcept : link_{&link} {}

    /// Copies the declarations of `processor`, and sets each parameter to its default. Call it once, before the first
    /// block. Throws ArgumentError, with the numbers, for: more than max_parameters parameters or max_meters meters; an
    /// empty name or one that is used twice; a range that is not finite or does not contain the default; a ramp outside
    /// 0 to 3600 seconds; a meter without fields or with more than 8.
    void declare(const Processor& processor);

    [[nodiscard]] std::span<const ParameterSpec> parameter_specs() const noexcept { return parameter_specs_; }
    [[nodiscard]] std::span<const MeterSpec> meter_specs() const noexcept { return meter_specs_; }

    /// Sets a parameter. The audio thread reads the latest value at the start of its next block.
    /// [one control thread at a time] Throws ArgumentError for an index that was not declared, and for a value outside
    /// the parameter's range.
    void set(std::size_t index, double value);

    /// Returns the value that was last set, or the default. It does not show what a message changed.
    /// [control threads, several at once] Throws ArgumentError for an index that was not declared.
    [[nodiscard]] double get(std::size_t index) const;

    /// Returns the latest value of a meter.
    /// [one control thread at a time] Throws ArgumentError for an index that was not declared.
    [[nodiscard]] MeterValue read(std::size_t index);

  private:
    Link* link_;
    std::vector<ParameterSpec> parameter_specs_;
    std::vector<MeterSpec> meter_specs_;
};

}  // namespace cueline
