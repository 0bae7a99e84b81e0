// sequence.hpp: the numbers of a line's commands: 32 bits, from 1; 0 stands for "no command".
#pragma once

#include <cstdint>

#include <cueline/ring.hpp>

namespace cueline {

/// Returns the number that follows `sequence`, or the one `steps` further. It skips 0.
constexpr std::uint32_t sequence_after(std::uint32_t sequence, std::uint32_t steps = 1) noexcept CUELINE_NONBLOCKING {
    constexpr std::uint32_t numbers = ~std::uint32_t{0};
    const std::uint64_t sum = std::uint64_t{sequence} + steps;
    return static_cast<std::uint32_t>(sum > numbers ? sum - numbers : sum);
}

/// Returns the number of the last of `accepted` commands on a line, or 0 if there are none.
constexpr std::uint32_t last_sequence(std::uint64_t accepted) noexcept CUELINE_NONBLOCKING {
    return accepted == 0 ? 0 : static_cast<std::uint32_t>((accepted - 1) % ~std::uint32_t{0}) + 1;
}

/// Returns whether `sequence` comes after `than`. Both are numbers of one line, less than half of all numbers apart.
constexpr bool is_later(std::uint32_t sequence, std::uint32_t than) noexcept CUELINE_NONBLOCKING {
    return static_cast<std::int32_t>(sequence - than) > 0;
}

}  // namespace cueline
