// cfunc_processor.hpp: a processor of C functions, such as numba compiles of Python's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <cueline/processor.hpp>

#include "system/locked_memory.hpp"

namespace cueline {

inline constexpr std::size_t max_events_per_call = 16;

/// What such a processor calls. The functions know none of our types but Message, as its bytes.
///
/// `audio` is channels times frames samples, one channel after the other, and to be filled. `parameters` has for each
/// parameter its values in each of the frames. `meters` has eight numbers for each meter, which stay from call to call
/// and are shown after each. `events` is sixteen empty messages: those that have a kind afterwards are sent, and are
/// empty again. `state` is the user's. A frame of 0 in an event means the first one of the call.
struct CFunctions {
    /// Thread: audio. Real-time: as Processor::render().
    using Render = void (*)(float* audio, std::uint32_t channels, std::uint32_t frames, std::uint64_t frame,
                            double samplerate, const double* parameters, double* meters, Message* events,
                            void* state) noexcept CUELINE_NONBLOCKING;
    /// Returns 0 for a command that it does not know. An event that says no cause answers the command.
    /// Thread: audio. Real-time: as Processor::handle().
    using Handle = std::uint8_t (*)(const Message* command, std::uint64_t frame, double samplerate, Message* events,
                                    void* state) noexcept CUELINE_NONBLOCKING;

    Render render = nullptr;
    Handle handle = nullptr;  ///< nullptr: it knows no commands
    void* state = nullptr;
    std::size_t state_bytes = 0;
};

/// Calls C functions, which live as long as it does, with their state.
class CFuncProcessor final : public Processor {
  public:
    /// As ParameterSpec and MeterSpec, with texts of their own.
    struct OwnParameter {
        std::string name;
        double lowest;
        double highest;
        double default_value;
        std::string unit;
        double ramp_s;
    };
    struct OwnMeter {
        std::string name;
        std::string unit;
        std::vector<std::string> fields;
    };

    /// Thread: control. Allocates. What is wrong with the parameters and meters, the engine says.
    CFuncProcessor(const CFunctions& functions, std::vector<OwnParameter> parameters, std::vector<OwnMeter> meters);

    /// Brings in what a block touches, the state too, and locks it where that is permitted.
    void prepare(const Format& format) override;
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameter_specs_; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return meter_specs_; }

    bool handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    void send_events(ProcessContext& context, std::uint64_t frame, Cause cause) noexcept CUELINE_NONBLOCKING;

    CFunctions functions_;
    std::vector<OwnParameter> own_parameters_;
    std::vector<OwnMeter> own_meters_;
    std::vector<std::vector<std::string_view>> fields_;
    std::vector<ParameterSpec> parameter_specs_;
    std::vector<MeterSpec> meter_specs_;
    double samplerate_ = 0;
    std::vector<float> audio_;
    std::vector<double> parameter_values_;
    std::vector<double> meter_values_;
    std::array<Message, max_events_per_call> events_;
    std::array<std::optional<LockedMemory>, 4> locked_;  // of what is above, and the state
};

}  // namespace cueline
