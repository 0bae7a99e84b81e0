// freeing.hpp: a mutant: any processor that also frees memory at each command.
#pragma once

#include <memory>

#include "rule_breaking.hpp"
#include "wrapping_processor.hpp"

CUELINE_RULES_OFF
#include "rule_breakers.hpp"
CUELINE_RULES_ON

namespace cueline::test {

template <class ProcessorType>
class Freeing final : public WrappingProcessor<ProcessorType> {
  public:
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        break_the_rule([] {
            const auto freed_here = std::make_unique<int>(1);
            escaped = freed_here.get();
        });
        return WrappingProcessor<ProcessorType>::handle(command, context);
    }
};

}  // namespace cueline::test
