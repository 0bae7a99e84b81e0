// owned_processor.cpp: claims and releases a processor, so that one engine at a time runs it.
#include <cueline/engine/owned_processor.hpp>

#include <cueline/error.hpp>

namespace cueline {

void OwnedProcessor::claim() {
    if (!processor_) throw ArgumentError{"an engine needs a processor, got none: for silence, use SilenceProcessor"};
    if (processor_->claimed_.exchange(true)) {
        throw ArgumentError{"another engine runs this processor: close() that engine first, or make another processor"};
    }
    claimed_ = true;
}

void OwnedProcessor::release() noexcept {
    if (std::exchange(claimed_, false)) processor_->claimed_.store(false);
}

}  // namespace cueline
