// effects_sound.cpp: what the mutants are but for their acts, by the same flags: clang must accept it.
#include <cueline/processor.hpp>

#include "processors.hpp"

namespace cueline::test {

class Sound final : public Processor {
  public:
    void prepare(const Format& format) override { wave_.prepare(format); }
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
