// link.hpp: all that one control side and one audio side share: the lines down, the rings up, and their counters.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <cueline/counter.hpp>
#include <cueline/message.hpp>
#include <cueline/meter.hpp>
#include <cueline/parameter.hpp>
#include <cueline/ring.hpp>

namespace cueline {

/// What one ring of a link has seen so far.
struct RingStats {
    std::uint64_t sent = 0;        ///< messages the ring accepted
    std::uint64_t dropped = 0;     ///< messages it refused, being full
    std::uint64_t high_water = 0;  ///< most that waited at a block's boundary; the capacity once one was refused
};

using CommandRing = Ring<Message>;
using EventRing = Ring<Message>;

/// The shared part: plain memory without pointers, so that it could lie in memory shared by two processes.
/// Use it through one ControlSide, its lines and one AudioSide; it must outlive them.
class Link {
  public:
    /// How the commands of a line, below max_lines, fared. Thread: any. Real-time: wait-free. Each number is a
    /// snapshot of its own.
    [[nodiscard]] RingStats command_stats(std::size_t line = 0) const noexcept CUELINE_NONBLOCKING {
        return lines_[line].counts();
    }
    /// How the events fared. Likewise.
    [[nodiscard]] RingStats event_stats() const noexcept CUELINE_NONBLOCKING { return events_.counts(); }
    /// How the confirmations fared. Likewise.
    [[nodiscard]] RingStats confirmation_stats() const noexcept CUELINE_NONBLOCKING { return confirmations_.counts(); }

    /// The parameters and meters of the processor at the audio end, by their numbers: for who holds the ends of them.
    [[nodiscard]] std::span<SharedParameter<>> parameters() noexcept { return parameters_; }
    [[nodiscard]] std::span<SharedMeter> meters() noexcept { return meters_; }

  private:
    friend class CommandSender;
    friend class ControlSide;
    friend class AudioSide;
    friend class EventSender;

    /// A ring and how it fared.
    struct CountedRing {
        Ring<Message> ring;
        alignas(cache_line_bytes) Counter dropped;     // the producer's to write
        alignas(cache_line_bytes) Counter high_water;  // the audio side's to write

        [[nodiscard]] RingStats counts() const noexcept CUELINE_NONBLOCKING {
            const std::uint64_t refused = dropped.get();
            // The audio side notes the level once a block. A refusal between two looks means that it was full.
            return {ring.tail(), refused, refused > 0 ? Ring<Message>::capacity : high_water.get()};
        }
        void note_level() noexcept CUELINE_NONBLOCKING { high_water.raise_to(ring.size()); }
    };

    std::array<CountedRing, max_lines> lines_;
    CountedRing events_;
    CountedRing confirmations_;
    /// How many lines there have ever been: a line that was closed may still hold commands.
    std::atomic<std::uint32_t> lines_in_use_ = 1;
    std::array<SharedParameter<>, max_parameters> parameters_;
    std::array<SharedMeter, max_meters> meters_;
};
static_assert(std::is_standard_layout_v<Link> && std::is_trivially_destructible_v<Link>);

}  // namespace cueline
