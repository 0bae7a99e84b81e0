// processor_controls.hpp: a processor's parameters and meters, for control threads, and the streams that it declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <cueline/link.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/processor.hpp>
#include <cueline/processor_streams.hpp>
#include <cueline/shared_parameters.hpp>

namespace cueline {

/// Sets parameters and reads meters, by their address: the first_address() of a spec, plus the index of the element.
/// Any number of control threads may use it at once after declare(). No call blocks.
class ProcessorControls {
  public:
    /// Nothing is declared yet. The link's memory must outlive it.
    explicit ProcessorControls(const Link& link) noexcept : link_{link} {}

    /// Throws ArgumentError, with the numbers, if `processor` declares: more than max_parameters parameters or
    /// max_meters meters; an empty name or one that is used twice; a range that is not finite or does not contain the
    /// default; a ramp outside 0 to 3600 seconds; a meter without fields or with more than 8; a count of 0; more than
    /// max_streams playbacks or recordings; a stream with 0 or more than max_channels channels; a recording with the
    /// name of a RecordingSource.
    static void check(const Processor& processor);

    /// Copies the declarations of `processor`, and sets each parameter to its default. Call it once, before the first
    /// block. Throws what check() throws, and ArgumentError if the link has fewer parameters or meters than `processor`
    /// declares.
    void declare(const Processor& processor);

    [[nodiscard]] std::span<const ParameterSpec> parameter_specs() const noexcept { return parameter_specs_; }
    [[nodiscard]] std::span<const MeterSpec> meter_specs() const noexcept { return meter_specs_; }
    [[nodiscard]] std::span<const StreamSpec> playback_specs() const noexcept { return playback_specs_; }
    [[nodiscard]] std::span<const StreamSpec> recording_specs() const noexcept { return recording_specs_; }

    /// Sets a parameter. The audio thread reads the latest value at the start of its next block.
    /// Throws ArgumentError for an address that was not declared, and for a value outside the parameter's range.
    void set(std::size_t address, double value);

    /// Sets the parameters at `first`, `first + step` and so on, one for each value. Checks everything before it sets
    /// anything. A block may begin meanwhile: then it reads some of the new values, and the next block reads the
    /// others. Throws what set() throws.
    void set(std::size_t first, std::span<const double> values, std::ptrdiff_t step = 1);

    /// Returns the value that was last set, or the default. It includes what a MIDI map set, but not what the processor
    /// changed. Throws ArgumentError for an address that was not declared.
    [[nodiscard]] double get(std::size_t address) const;

    /// Returns the latest value of a meter. Throws ArgumentError for an address that was not declared.
    [[nodiscard]] MeterValue read(std::size_t address) const;

    /// Fills `numbers` with the first `fields` fields of the meters from `first` on: all numbers of a field, then those
    /// of the next. Each meter is whole by itself. Throws what read() throws, and ArgumentError unless `fields` is from
    /// 1 to 8.
    void read(std::size_t first, std::size_t fields, std::span<double> numbers) const;

  private:
    [[nodiscard]] const ParameterSpec& spec_of_parameter(std::size_t address) const;
    void require_inside(std::size_t address, double value) const;

    Link link_;
    SharedParameters<> parameters_;
    std::span<SharedMeter> meters_;
    std::vector<ParameterSpec> parameter_specs_;
    std::vector<MeterSpec> meter_specs_;
    std::vector<StreamSpec> playback_specs_;
    std::vector<StreamSpec> recording_specs_;
    std::vector<std::uint16_t> spec_of_parameter_;  // by address: the index of its spec
};

}  // namespace cueline
