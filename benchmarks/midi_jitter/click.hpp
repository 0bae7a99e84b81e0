// click.hpp: the sound of each note: one sample, whose place and size both say which note it is.
#pragma once

#include <cstdint>

namespace cueline::midi_jitter {

/// Notes are numbered from 0, one after the other, and then again from 0.
inline constexpr std::uint32_t notes = 100;

/// The sound of a note begins `note` frames before its sample. So sounds that begin at one frame can be told apart. The
/// size is exact in a float.
constexpr float click_of(std::uint32_t note) noexcept {
    return static_cast<float>(note + 1) / 256;
}

}  // namespace cueline::midi_jitter
