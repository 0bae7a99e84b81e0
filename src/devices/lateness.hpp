// lateness.hpp: how late a clocked thread's blocks begin, counted in buckets.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <cueline/counter.hpp>

namespace cueline {

/// Written by the device's audio thread, read by any. Up to a microsecond the buckets are an eighth of one wide; from
/// there on there are eight to each doubling, so that none is wider than an eighth of where it begins.
class Lateness {
  public:
    /// Up to 16.8 seconds; what is later counts in the last.
    static constexpr std::size_t bucket_count = 200;

    /// A block began so long after its deadline. Thread: audio. Real-time: wait-free.
    void record(std::uint64_t late_ns) noexcept CUELINE_NONBLOCKING {
        buckets_[bucket_of(late_ns)].add(1);
        worst_ns_.raise_to(late_ns);
    }

    /// Thread: any. Real-time: wait-free.
    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t late_ns) noexcept CUELINE_NONBLOCKING {
        const std::uint64_t steps = late_ns / step_ns;
        const auto doublings = steps < 16 ? 0 : static_cast<std::size_t>(std::bit_width(steps)) - 4;
        return std::min<std::size_t>(doublings * 8 + (steps >> doublings), bucket_count - 1);
    }

    /// The least that counts in this bucket; of bucket_count, where the last one ends.
    [[nodiscard]] static constexpr std::uint64_t least_ns(std::size_t bucket) noexcept {
        const std::uint64_t doublings = std::max<std::size_t>(bucket / 8, 1) - 1;
        return ((bucket - doublings * 8) << doublings) * step_ns;
    }

    /// How many blocks were so late. Each number is a snapshot of its own.
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept { return buckets_[bucket].get(); }
    [[nodiscard]] std::uint64_t worst_ns() const noexcept { return worst_ns_.get(); }

  private:
    static constexpr std::uint64_t step_ns = 125;

    std::array<Counter, bucket_count> buckets_;
    Counter worst_ns_;
};

}  // namespace cueline
