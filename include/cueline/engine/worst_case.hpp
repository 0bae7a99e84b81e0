// worst_case.hpp: the most that a block can have to do, from the settings of its engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <cueline/engine_messages.hpp>
#include <cueline/schedule.hpp>

namespace cueline {

/// The most that a block can have to do, whatever is sent on any line. In addition, the block looks at each waiting
/// cue, at most twice, to take out those that are cancelled.
struct WorstCase {
    std::size_t commands = 0;  ///< that it reads: its budget, and one transaction that begins within it
    std::size_t midi = 0;      ///< messages of MIDI inputs that it hands to the processor
    std::size_t cues = 0;  ///< that it applies or cancels: those that waited, those that it has just read, and those
                           ///< that the processor schedules meanwhile, as many as commands
    std::size_t segments = 0;  ///< that the processor renders: they end at cues, and where a loop begins again
};

/// Returns how many commands a block reads at most.
constexpr std::size_t most_commands(std::uint32_t budget) noexcept {
    return std::size_t{budget} + 1 + max_members;
}

/// Returns the bound of a block of `blocksize` frames, on a device with deadlines, with these settings of an engine.
/// `midi` is how many MIDI messages the device hands over at most.
constexpr WorstCase worst_case(std::uint32_t budget, std::size_t lines, std::uint32_t blocksize,
                               std::size_t midi = 0) noexcept {
    const std::size_t commands = most_commands(budget);
    const std::size_t scheduled = commands;
    constexpr std::size_t shortest_loop_frames = 3;  // shortest_loop, at the highest tempo and the lowest sample rate
    const std::size_t loops = blocksize / shortest_loop_frames + 1;
    const std::size_t waiting = std::min(Schedule::capacity, lines * Schedule::line_capacity);
    return {.commands = commands,
            .midi = midi,
            .cues = waiting + commands + scheduled,
            .segments = std::min<std::size_t>(blocksize, waiting + scheduled + midi + loops + 1)};
}

}  // namespace cueline
