// freeing.hpp: a mutant: any processor, but it frees something whenever a command comes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <cueline/processor.hpp>

#include "rule_breaking.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {

template <class ProcessorType>
class Freeing final : public Processor {
  public:
    void prepare(const Format& format) override { sound_.prepare(format); }
    [[nodiscard]] std::uint32_t buffer_slots() const override { return sound_.buffer_slots(); }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return sound_.parameters(); }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return sound_.meters(); }
    bool handle(const Message& command, Context& context) noexcept CUELINE_NONBLOCKING override {
        break_the_rule([] {
            const auto freed_here = std::make_unique<int>(1);
            escaped = freed_here.get();
        });
        return sound_.handle(command, context);
    }
    void render(const AudioBlock& block, Context& context) noexcept CUELINE_NONBLOCKING override {
        sound_.render(block, context);
    }

  private:
    ProcessorType sound_;
};

}  // namespace cueline::test
