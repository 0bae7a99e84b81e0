// parts_processor.hpp: runs several processors side by side, and mixes their outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <cueline/engine/owned_processor.hpp>
#include <cueline/processor.hpp>

#include "system/locked_array.hpp"

namespace cueline {

/// Each part renders with all inputs, in their order; then its strip's gain, pan and mute apply, and the parts are
/// added. To its part, an engine looks as if the part were alone: see ProcessContext::part().
///
/// - What a part declares is declared here under "<part>.<name>", in the order of the parts. Behind the parameters of a
///   part come those of its strip: "<part>.gain", "<part>.pan" and "<part>.mute". If a part declares a parameter with
///   one of these names itself, the strip has none: one name stands for one thing.
/// - A command goes to the part that its flags name, or to all: see to_part(). MIDI inputs name none.
/// - A muted part renders on, and is not heard. A part with a gain of 1 in the middle is added as it is, bit for bit.
class PartsProcessor final : public Processor {
  public:
    /// `parts` are as open_parts() describes them. It has a share in each, and the name of each is that of the part.
    explicit PartsProcessor(std::span<const OwnedProcessor> parts);

    /// Prepares each part. What a part throws, or what is wrong with its declarations, gets the part's name.
    void prepare(const Format& format) override;
    [[nodiscard]] std::uint32_t buffer_slots() const override { return slots_; }
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return loaded_; }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return parameters_; }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return meters_; }
    [[nodiscard]] std::span<const StreamSpec> playbacks() const override { return playbacks_; }
    [[nodiscard]] std::span<const StreamSpec> recordings() const override { return recordings_; }
    /// Those of all parts, or nothing if one of them does not say.
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return kinds_; }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return reasons_; }

    void begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    /// If all parts get the command, a refusal counts first, then the outcome of the first part that handles it.
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override;

  private:
    struct Part {
        std::string name;
        std::shared_ptr<Processor> processor;
        PartPlaces places{};
        Places reasons{};
        // The addresses of its strip's parameters; nothing: the part has its own.
        std::optional<std::uint32_t> gain{};
        std::optional<std::uint32_t> pan{};
        std::optional<std::uint32_t> mute{};
    };
    class Strip;
    static void mix(const AudioBlock& rendered, const Strip& strip, bool is_first, const AudioBlock& block) noexcept
        CUELINE_NONBLOCKING;

    void declare();
    template <class Spec>
    Places add(const Part& part, std::span<const Spec> from, std::vector<Spec>& to);
    std::optional<std::uint32_t> add_to_strip(const Part& part, ParameterSpec spec);
    [[nodiscard]] std::string_view named(const Part& part, std::string_view name);
    [[nodiscard]] Outcome outcome_of(std::size_t number, const Message& command, ProcessContext& context) noexcept
        CUELINE_NONBLOCKING;
    template <class Call>
    void call(std::size_t number, const ProcessContext& context, Call call) noexcept;

    std::vector<Part> parts_;
    std::deque<std::string> names_;  // of what is declared; they keep their places
    std::vector<ParameterSpec> parameters_;
    std::vector<MeterSpec> meters_;
    std::vector<StreamSpec> playbacks_;
    std::vector<StreamSpec> recordings_;
    std::vector<Kind> handled_;
    std::optional<std::span<const Kind>> kinds_;
    std::vector<std::string_view> reasons_;
    std::uint32_t slots_ = 0;
    std::uint32_t loaded_ = 0;
    bool declared_ = false;
    std::uint32_t blocksize_ = 0;
    LockedArray<float> samples_;  // the outputs of one part
};

}  // namespace cueline
