// open_processor.cpp: the list of processors. Add a new one here.
#include <cueline/engine/open_processor.hpp>

#include <string>

#include <cueline/error.hpp>

#include "processors/player_processor.hpp"
#include "processors/tone_processor.hpp"

namespace cueline {

OwnedProcessor open_processor(std::string_view name) {
    if (name == "silence") return {std::make_unique<SilenceProcessor>(), std::string{name}};
    if (name == "tone") return {std::make_unique<ToneProcessor>(), std::string{name}};
    if (name == "player") return {std::make_unique<PlayerProcessor>(), std::string{name}};
    throw ArgumentError{"processor must be 'silence', 'tone' or 'player', or left out for silence, got '" +
                        std::string{name} + "'"};
}

}  // namespace cueline
