// passthrough_processor.hpp: copies the inputs to the outputs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include <cueline/processor.hpp>

namespace cueline {

/// Each output is the input of the same number. A single input goes to all outputs. Other outputs are silent. It
/// handles no message.
class PassthroughProcessor final : public Processor {
  public:
    void prepare(const Format&) override {}
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return std::span<const Kind>{}; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t index = 0; index < block.outputs.size(); ++index) {
            const std::size_t input = block.inputs.size() == 1 ? 0 : index;
            if (input < block.inputs.size()) {
                std::ranges::copy(block.input(input), block.outputs[index]);
            } else {
                std::ranges::fill(block.output(index), 0.0F);
            }
        }
    }
};

}  // namespace cueline
