// handled_kinds.hpp: the kinds of messages that an engine's processor declares.
#pragma once

#include <bitset>
#include <limits>
#include <memory>
#include <string>

#include <cueline/message.hpp>
#include <cueline/processor.hpp>

namespace cueline::python {

/// A copy of Processor::kinds(), for a check in each send().
class HandledKinds {
  public:
    /// Copies what `processor` declares. `described` begins the error: "the processor 'tone'".
    HandledKinds(const Processor& processor, std::string described);

    /// Whether the processor handles this kind, or does not say.
    [[nodiscard]] bool include(Kind kind) const { return !declared_ || declared_->test(kind); }

    /// Raises ProcessorError if the processor does not handle this kind.
    void require(Kind kind) const {
        if (!include(kind)) refuse(kind);
    }

  private:
    [[noreturn]] void refuse(Kind kind) const;

    std::unique_ptr<std::bitset<std::numeric_limits<Kind>::max() + 1U>> declared_;  // null: none declared
    std::string described_;
};

}  // namespace cueline::python
