// wrapping_processor.hpp: a processor that forwards all calls to another one. Derive from it to change one call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <cueline/processor.hpp>

namespace cueline::test {

template <class ProcessorType>
class WrappingProcessor : public Processor {
  public:
    void prepare(const Format& format) override { wrapped_.prepare(format); }
    [[nodiscard]] std::uint32_t buffer_slots() const override { return wrapped_.buffer_slots(); }
    [[nodiscard]] std::uint32_t loaded_buffers() const override { return wrapped_.loaded_buffers(); }
    [[nodiscard]] std::span<const ParameterSpec> parameters() const override { return wrapped_.parameters(); }
    [[nodiscard]] std::span<const MeterSpec> meters() const override { return wrapped_.meters(); }
    [[nodiscard]] std::optional<std::span<const Kind>> kinds() const override { return wrapped_.kinds(); }
    [[nodiscard]] std::span<const std::string_view> reasons() const override { return wrapped_.reasons(); }
    void begin_block(ProcessContext& context) noexcept CUELINE_NONBLOCKING override { wrapped_.begin_block(context); }
    void discarded(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        wrapped_.discarded(command, context);
    }
    Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        return wrapped_.handle(command, context);
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        wrapped_.render(block, context);
    }

  private:
    ProcessorType wrapped_;
};

}  // namespace cueline::test
