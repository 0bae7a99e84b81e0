// open_processor.hpp: a processor by its name.
#pragma once

#include <memory>
#include <string_view>

#include <cueline/processor.hpp>

namespace cueline {

/// The processor of that name: "silence", "tone" or "player". Thread: control. Throws ArgumentError for another name.
std::unique_ptr<Processor> open_processor(std::string_view name);

}  // namespace cueline
