// processor_values.hpp: a processor's parameters and meters, as the processor sees them on the audio thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <cueline/link.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

namespace cueline {

/// The audio thread owns it. Control threads may set it up while no block runs.
class ProcessorValues {
  public:
    /// Nothing is declared yet. `link` must outlive it.
    explicit ProcessorValues(Link& link) noexcept : shared_{link.parameters()} {
        std::ranges::transform(link.meters(), meters_.begin(), [](SharedMeter& meter) { return Meter{meter}; });
    }

    /// Sets each parameter to its default. Call it once.
    void declare(std::span<const ParameterSpec> specs) noexcept {
        count_ = specs.size();
        for (std::size_t index = 0; index < count_; ++index) {
            parameters_[index] = Parameter{specs[index], shared_[index]};
        }
    }

    /// Converts ramp times to frames at this rate.
    void prepare(std::uint32_t samplerate) noexcept {
        for (std::size_t index = 0; index < count_; ++index) parameters_[index].prepare(samplerate);
    }

    /// Makes each parameter read what was written since the last block.
    void begin_block() noexcept CUELINE_NONBLOCKING {
        for (std::size_t index = 0; index < count_; ++index) parameters_[index].begin_block();
    }

    /// By index, for a ProcessContext. Those beyond the declared ones are unused.
    [[nodiscard]] std::span<Parameter> parameters() noexcept { return parameters_; }
    [[nodiscard]] std::span<Meter> meters() noexcept { return meters_; }

  private:
    std::span<SharedParameter<>> shared_;
    std::array<Parameter, max_parameters> parameters_;
    std::array<Meter, max_meters> meters_;
    std::size_t count_ = 0;  // of the parameters
};

}  // namespace cueline
