// panel.hpp: the parameters and meters of an engine: what its processor declared, and the ends of them on both sides.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <cueline/audio.hpp>
#include <cueline/link.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/processor.hpp>

namespace cueline {

/// A parameter's, or a meter's, number is its place in what the processor declared.
class ProcessorControls {
  public:
    /// Nobody has declared anything. `link` outlives it.
    explicit ProcessorControls(Link& link) noexcept;

    // --- The control side's ----------------------------------------------------------------------------------------

    /// Copies what the processor declares. Each parameter stands at its default.
    /// Thread: control, once, before the first block. Throws ArgumentError, with the numbers, for more than 64
    /// parameters or 32 meters, names that are empty or come twice, a range that is none or lacks the default, a ramp
    /// that is not from 0 to 3600 seconds, and a meter without fields or with more than 8.
    void declare(const Processor& processor);

    /// Counts ramps in frames of this format. Thread: control, while no block runs.
    void prepare(const Format& format) noexcept;

    [[nodiscard]] std::span<const ParameterSpec> parameter_specs() const noexcept { return parameter_specs_; }
    [[nodiscard]] std::span<const MeterSpec> meter_specs() const noexcept { return meter_specs_; }

    /// Sets a parameter: the audio thread sees it as its next block begins, and of several writes the last.
    /// Thread: control, one at a time. Never blocks. Throws ArgumentError for a number that is none of the
    /// parameters', and for a value outside the parameter's range.
    void set(std::size_t index, double value);

    /// What a parameter was last set to, or its default. Where a message moved it, that is not to be seen here.
    /// Thread: control, any. Throws ArgumentError for a number that is none of the parameters'.
    [[nodiscard]] double get(std::size_t index) const;

    /// The latest value that the audio thread gave a meter.
    /// Thread: control, one at a time. Never blocks. Throws ArgumentError for a number that is none of the meters'.
    [[nodiscard]] MeterValue read(std::size_t index);

    // --- The audio side's ------------------------------------------------------------------------------------------

    /// Has each parameter look once for what was written. Thread: audio. Real-time: wait-free.
    void begin_block() noexcept CUELINE_NONBLOCKING {
        for (std::size_t index = 0; index < count_; ++index) parameters_[index].begin_block();
    }

    /// The processor's ends, for its ProcessContext. Those that nobody declared are there too, and of no use.
    [[nodiscard]] std::span<Parameter> parameters() noexcept { return parameters_; }
    [[nodiscard]] std::span<Meter> meters() noexcept { return meters_; }

  private:
    Link* link_;
    std::array<Parameter, max_parameters> parameters_;
    std::array<Meter, max_meters> meters_;
    std::size_t count_ = 0;  // of the parameters
    std::vector<ParameterSpec> parameter_specs_;
    std::vector<MeterSpec> meter_specs_;
};

}  // namespace cueline
