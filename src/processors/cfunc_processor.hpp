// cfunc_processor.hpp: a processor made of C functions, for instance those that numba compiles from Python functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/processor.hpp>

#include "system/locked_array.hpp"
#include "system/locked_memory.hpp"
#include "system/locked_pages.hpp"

namespace cueline {

inline constexpr std::size_t max_events_per_call = 16;  // and cues

/// The functions of such a processor. Message is the only type of cueline's that they use, and they see it as bytes.
///
/// - `inputs`: input_count times frames samples, one channel after the other.
/// - `outputs`: output_count times frames samples, in the same order. The function fills them.
/// - `parameters`: for each parameter that is no array, its value in each frame.
/// - `arrays`: for each element of the arrays, in their order, two numbers: its value in the first frame, and how much
///   it changes from frame to frame.
/// - `meters`: eight numbers for each meter, or each element of one. They keep their values, and are published after
///   each call.
/// - `events`: sixteen empty messages. Those that get a kind are sent after the call, and emptied.
///   If an event's frame is 0, it is sent with the first frame of the call.
/// - `samples`: for each slot, the samples of its buffer, interleaved; a null pointer if it is empty. Valid during the
///   call.
/// - `buffers`: for each slot, three numbers: its buffer's frames, channels and serial; 0 if it is empty.
/// - `cues`: sixteen empty messages. Those that get a kind are scheduled after the call, for their frames, and emptied.
/// - `state`: the user's memory.
struct CFunctions {
    /// [as Processor::render()]
    using Render = void (*)(const float* inputs, std::uint32_t input_count, float* outputs, std::uint32_t output_count,
                            std::uint32_t frames, std::uint64_t frame, double samplerate, const double* parameters,
                            const double* arrays, double* meters, Message* events, const float* const* samples,
                            const std::uint64_t* buffers, void* state) noexcept CUELINE_NONBLOCKING;
    /// Returns an Outcome: its Result in the lowest 32 bits, where 0 is unknown, 1 applied, 2 refused and 3 deferred,
    /// and above them its value or reason. If a cue cannot be scheduled, an applied or deferred command is refused: the
    /// function cannot see it. Its other cues stay scheduled.
    /// An event without a sequence answers the command. [as Processor::handle()]
    using Handle = std::int64_t (*)(const Message* command, std::uint64_t frame, double samplerate, Message* events,
                                    Message* cues, void* state) noexcept CUELINE_NONBLOCKING;
    /// [as Processor::discarded()]
    using Discarded = void (*)(const Message* command, std::uint64_t frame, double samplerate, void* state) noexcept
        CUELINE_NONBLOCKING;

    Render render = nullptr;
    Handle handle = nullptr;        ///< nullptr: it handles no commands
    Discarded discarded = nullptr;  ///< nullptr: nothing is done then
    void* state = nullptr;
    std::size_t state_bytes = 0;
};

/// Calls C functions. They and their state must outlive it.
class CFuncProcessor final : public Processor {
  public:
    /// Like ParameterSpec and MeterSpec, but they own their strings.
    struct OwnParameter {
        std::string name;
        double lowest;
        double highest;
        double default_value;
        std::string unit;
        double ramp_s;
        std::uint32_t count = 1;
    };
    struct OwnMeter {
        std::string name;
        std::string unit;
        std::vector<std::string> fields;
        std::uint32_t count = 1;
    };

    /// The engine checks the parameters, the meters and the number of slots.
    CFuncProcessor(const CFunctions& functions, std::vector<OwnParameter> parameters, std::vector<OwnMeter> meters,
                   std::uint32_t slots = 0, std::vector<std::string> reasons = {});

    /// The meters begin at 0. The state is its owner's.
    void reset() override;
    /// Allocates the memory of a block on locked pages. Locks the state's memory where the system permits it, and
    /// touches it otherwise. That takes long for a large state, and a forked child does not inherit the lock.
    void prepare(const Format& format) override;
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameter_specs_; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return meter_specs_; }

    /// Without a handle function, returns an empty list. With one, declares nothing: its kinds are unknown here.
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override {
        if (functions_.handle == nullptr) return std::span<const Kind>{};
        return std::nullopt;
    }

    [[nodiscard]] std::span<const std::string_view> reasons() const override { return reasons_; }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    static constexpr std::uint64_t line_frames = 64;

    [[nodiscard]] bool array_bends(ProcessContext& context) const noexcept CUELINE_NONBLOCKING;
    void render_piece(const AudioBlock& block, std::uint32_t first, std::uint32_t frames,
                      ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void fill_parameters(std::uint32_t first, std::uint32_t frames, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    void find_buffers(const ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    Scheduled schedule_cues(ProcessContext& context) noexcept CUELINE_NONBLOCKING;
    void send_events(ProcessContext& context, std::uint64_t frame, Cause cause) noexcept CUELINE_NONBLOCKING;

    CFunctions functions_;
    std::vector<OwnParameter> own_parameters_;
    std::vector<OwnMeter> own_meters_;
    std::vector<std::vector<std::string_view>> fields_;
    std::vector<ParameterSpec> parameter_specs_;
    std::vector<MeterSpec> meter_specs_;
    double samplerate_ = 0;
    LockedPages meter_pages_;
    LockedPages block_pages_;  // the parameters' values, the arrays' values, the inputs and then the outputs
    std::size_t single_parameters_ = 0;
    std::span<double> meter_values_;
    std::span<double> parameter_values_;
    std::span<double> array_values_;
    std::span<float> inputs_;
    std::span<float> outputs_;
    std::uint32_t slots_;
    std::vector<std::string> own_reasons_;
    std::vector<std::string_view> reasons_;
    LockedArray<const float*> samples_;   // by slot
    LockedArray<std::uint64_t> buffers_;  // three by slot
    std::array<Message, max_events_per_call> events_;
    std::array<Message, max_events_per_call> cues_;
    std::optional<LockedMemory> locked_state_;
};

}  // namespace cueline
