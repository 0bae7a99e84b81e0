// joined_processor.hpp: a processor while it is one engine's.
#pragma once

#include <memory>

#include <cueline/processor.hpp>

namespace cueline {

/// Owns a share in a processor, and the right to run it.
class JoinedProcessor {
  public:
    /// Thread: control. Throws ArgumentError when it is another engine's, and when it is none.
    explicit JoinedProcessor(std::shared_ptr<Processor> processor);
    ~JoinedProcessor() { leave(); }
    JoinedProcessor(const JoinedProcessor&) = delete;
    JoinedProcessor& operator=(const JoinedProcessor&) = delete;

    /// From now on another engine may have it. It is not run any more. Thread: control, one at a time.
    void leave() noexcept;

    /// Thread: any. Real-time: wait-free.
    Processor* operator->() const noexcept CUELINE_NONBLOCKING { return processor_.get(); }
    Processor& operator*() const noexcept { return *processor_; }

  private:
    std::shared_ptr<Processor> processor_;
    bool joined_ = true;
};

}  // namespace cueline
