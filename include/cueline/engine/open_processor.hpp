// open_processor.hpp: opens a processor by its name, or from an extension's offer.
#pragma once

#include <string_view>
#include <vector>

#include <cueline/engine/owned_processor.hpp>
#include <cueline/processor_offer.hpp>

namespace cueline {

/// Opens "silence", "tone" or "player". [control thread] Throws ArgumentError for another name.
OwnedProcessor open_processor(std::string_view name);

/// Takes a share in the processor that an extension offers.
/// [control thread] Throws std::bad_alloc. Throws ProcessorMismatchError, with both versions, if the extension's
/// interface or layout differs from the engine's.
OwnedProcessor open_processor(const ProcessorOffer& offer);

/// Returns a processor that runs 1 to max_parts others, the parts, and mixes their outputs. Each name is the name of
/// the part. docs/parts.md describes it. [control thread] Throws ArgumentError for another number of parts, for one
/// without a processor, for a processor that is there twice, and for a name that is empty, has a dot, or is there
/// twice.
OwnedProcessor open_parts(std::vector<OwnedProcessor> parts);

}  // namespace cueline
