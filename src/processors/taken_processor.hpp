// taken_processor.hpp: a processor that an extension offered, once it is seen to fit.
#pragma once

#include <memory>

#include <cueline/processor.hpp>
#include <cueline/processor_offer.hpp>

namespace cueline {

/// The processor of that offer, or of a copy of one, and a share in it.
/// Thread: control. Throws ProcessorMismatchError, with the versions of both, when it was compiled against another
/// interface or layout than this; std::bad_alloc.
std::shared_ptr<Processor> take_processor(const ProcessorOffer& offer);

}  // namespace cueline
