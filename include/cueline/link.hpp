// link.hpp: the memory that one control side and one audio side share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <cueline/counted_ring.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>

namespace cueline {

/// A ring for each line's commands, one for events, one for confirmations, parameters and meters. Plain memory without
/// pointers, so that two processes could share it. Use it through a ControlSide, its lines and an AudioSide; it must
/// outlive them.
class Link {
  public:
    /// The commands of a line below max_lines.
    [[nodiscard]] CountedRing& commands(std::size_t line) noexcept CUELINE_NONBLOCKING { return commands_[line]; }
    [[nodiscard]] const CountedRing& commands(std::size_t line) const noexcept CUELINE_NONBLOCKING {
        return commands_[line];
    }
    [[nodiscard]] CountedRing& events() noexcept CUELINE_NONBLOCKING { return events_; }
    [[nodiscard]] const CountedRing& events() const noexcept CUELINE_NONBLOCKING { return events_; }
    [[nodiscard]] CountedRing& confirmations() noexcept CUELINE_NONBLOCKING { return confirmations_; }
    [[nodiscard]] const CountedRing& confirmations() const noexcept CUELINE_NONBLOCKING { return confirmations_; }

    /// By index, in the order in which the processor declared them.
    [[nodiscard]] std::span<SharedParameter<>> parameters() noexcept { return parameters_; }
    [[nodiscard]] std::span<SharedMeter> meters() noexcept { return meters_; }

    /// Returns how many lines the audio side has to read. A closed line counts: its ring may still hold commands.
    [[nodiscard]] std::uint32_t lines_in_use() const noexcept CUELINE_NONBLOCKING {
        return lines_in_use_.load(std::memory_order_relaxed);  // relaxed: see use_line()
    }

    /// Makes the audio side read this line too, from its next block on. [control threads, several at once]
    void use_line(std::size_t line) noexcept {
        // Relaxed: each ring orders its own messages. The audio side loses nothing if it reads a line a block later.
        std::uint32_t known = lines_in_use_.load(std::memory_order_relaxed);
        while (known <= line && !lines_in_use_.compare_exchange_weak(known, static_cast<std::uint32_t>(line) + 1,
                                                                     std::memory_order_relaxed)) {
        }
    }

  private:
    std::array<CountedRing, max_lines> commands_;
    CountedRing events_;
    CountedRing confirmations_;
    std::atomic<std::uint32_t> lines_in_use_ = 1;
    std::array<SharedParameter<>, max_parameters> parameters_;
    std::array<SharedMeter, max_meters> meters_;
};
static_assert(std::is_standard_layout_v<Link> && std::is_trivially_destructible_v<Link>);

}  // namespace cueline
