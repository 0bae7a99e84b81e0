// open_processor.cpp: the list of processors. A new one gets its line here.
#include <cueline/engine/open_processor.hpp>

#include <string>

#include <cueline/error.hpp>

#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"

namespace cueline {

std::unique_ptr<Processor> open_processor(std::string_view name) {
    if (name == "silence") return std::make_unique<SilenceProcessor>();
    if (name == "tone") return std::make_unique<ToneProcessor>();
    if (name == "player") return std::make_unique<PlayerProcessor>();
    throw ArgumentError{"processor must be 'silence', 'tone' or 'player', or left out for silence, got '" +
                        std::string{name} + "'"};
}

}  // namespace cueline
