// processor_values.hpp: a processor's parameters and meters, as the processor sees them on the audio thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/link.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/shared_parameters.hpp>

#include "engine/automations.hpp"
#include "system/locked_array.hpp"

namespace cueline {

/// The audio thread owns it. Control threads may set it up while no block runs.
class ProcessorValues {
  public:
    /// Nothing is declared yet. The link's memory must outlive it.
    explicit ProcessorValues(const Link& link) noexcept : link_{link} {}
    ProcessorValues(const ProcessorValues&) = delete;
    ProcessorValues& operator=(const ProcessorValues&) = delete;
    ~ProcessorValues() = default;

    /// Sets each parameter to its default. Call it once, with as many as the link has room for. `timeline` and
    /// `buffers` are those of automations, and must outlive it. Throws std::bad_alloc.
    void declare(std::span<const ParameterSpec> parameters, std::span<const MeterSpec> meters,
                 const Timeline& timeline = default_timeline, BufferSlots* curves = nullptr) {
        clock_.timeline = &timeline;
        clock_.curves = curves;
        parameters_ = LockedArray<Parameter>{elements(parameters)};
        meters_ = LockedArray<Meter>{elements(meters)};
        shared_ = link_.parameters().first(parameters_.size());
        std::size_t address = 0;
        for (const ParameterSpec& spec : parameters) {
            for (std::uint32_t element = 0; element < spec.count; ++element, ++address) {
                parameters_.all()[address] = Parameter{spec, clock_};
            }
        }
        automations_.declare(parameters_.all(), shared_, curves);
        const std::span<SharedMeter> shared_meters = link_.meters();
        for (address = 0; address < meters_.size(); ++address) {
            meters_.all()[address] = Meter{shared_meters[address]};
        }
    }

    /// Converts ramp times to frames at this rate.
    void prepare(std::uint32_t samplerate) noexcept {
        for (Parameter& parameter : parameters_.all()) parameter.prepare(samplerate);
        automations_.prepare(samplerate);
    }

    /// Starts the ramps to the values that were written since the last block. If a value was written before the first
    /// block, the parameter begins there, without a ramp.
    void begin_block() noexcept CUELINE_NONBLOCKING {
        const std::span<Parameter> parameters = parameters_.all();
        if (begun_) {
            shared_.take(turn_, [&](std::size_t address, double value) noexcept {
                parameters[address].go_to(value);
                automations_.note_write(address, value);
            });
        } else {
            shared_.take(turn_, [&](std::size_t address, double value) noexcept {
                parameters[address].jump_to(value);
                automations_.note_write(address, value);
            });
        }
        begun_ = true;
    }

    /// Moves the parameters on, by the `frames` of the segment that was rendered. That takes constant time: their
    /// values follow from the frame.
    void end_segment(std::uint32_t frames) noexcept CUELINE_NONBLOCKING { clock_.frame += frames; }

    /// Ends the block: shows what automations have set.
    void end_block() noexcept CUELINE_NONBLOCKING { automations_.end_block(); }

    [[nodiscard]] Automations& automations() noexcept CUELINE_NONBLOCKING { return automations_; }

    /// Moves a parameter from this frame on, as a write of the control side does from the next block on. Reading it
    /// shows the number. The number is clamped to lie between `low` and `high`, and within the parameter's range.
    void go_to(std::size_t address, double number, double low, double high) noexcept CUELINE_NONBLOCKING {
        Parameter& parameter = parameters_.all()[address];
        parameter.go_to(std::clamp(number, std::min(low, high), std::max(low, high)));
        automations_.show(address, parameter.target());
    }

    /// Where a parameter moves to.
    [[nodiscard]] double target(std::size_t address) const noexcept CUELINE_NONBLOCKING {
        return parameters_.all()[address].target();
    }

    /// By address, for a ProcessContext.
    [[nodiscard]] std::span<Parameter> parameters() noexcept { return parameters_.all(); }
    [[nodiscard]] std::span<Meter> meters() noexcept { return meters_.all(); }

    /// Whether what a block touches is locked in memory.
    [[nodiscard]] bool memory_locked() const noexcept {
        return parameters_.granted() && meters_.granted() && automations_.memory_locked();
    }

  private:
    Link link_;
    SharedParameters<> shared_;
    std::size_t turn_ = 0;
    bool begun_ = false;
    ParameterClock clock_;  // like the engine's frames, it stands still in blocks that are not rendered
    LockedArray<Parameter> parameters_;
    Automations automations_;
    LockedArray<Meter> meters_;
};

}  // namespace cueline
