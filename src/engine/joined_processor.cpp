// joined_processor.cpp: one engine at a time.
#include "engine/joined_processor.hpp"

#include <utility>

#include <cueline/error.hpp>

namespace cueline {

JoinedProcessor::JoinedProcessor(std::shared_ptr<Processor> processor) : processor_{std::move(processor)} {
    if (!processor_) throw ArgumentError{"an engine needs a processor: to hear nothing, SilenceProcessor"};
    if (!processor_->join_engine()) {
        throw ArgumentError{"this processor has an engine already: close() that one first, or make another processor"};
    }
}

void JoinedProcessor::leave() noexcept {
    if (joined_) processor_->leave_engine();
    joined_ = false;
}

}  // namespace cueline
