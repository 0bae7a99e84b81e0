// effects_sound.cpp: what the mutants are but for their acts: clang must accept it, by the same command.
#include <cueline/processor.hpp>

#include "processors.hpp"

namespace cueline::test {

class Sound final : public Processor {
  public:
    void prepare(const Format&) override {}
    bool handle(const Message& command, EventSender& events) noexcept CUELINE_NONBLOCKING override {
        return wave_.handle(command, events);
    }
    void render(const AudioBlock& block, EventSender& events) noexcept CUELINE_NONBLOCKING override {
        wave_.render(block, events);
    }

  private:
    WaveProcessor wave_;
};

}  // namespace cueline::test
