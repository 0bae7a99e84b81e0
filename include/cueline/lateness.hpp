// lateness.hpp: a histogram of how late blocks begin after their deadline.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <cueline/counter.hpp>

namespace cueline {

/// Counts blocks by their lateness. Buckets up to a microsecond are an eighth of a microsecond wide. Above that, there
/// are eight buckets from each value to twice that value, so that no bucket is wider than an eighth of its least value.
/// The device's audio thread writes it, any thread may read it. Each number is a snapshot of its own.
class Lateness {
  public:
    /// Up to 16.8 seconds. The last bucket counts everything later too.
    static constexpr std::size_t bucket_count = 200;

    /// Counts a block that began `late_ns` after its deadline. [audio thread, wait-free]
    void record(std::uint64_t late_ns) noexcept CUELINE_NONBLOCKING {
        buckets_[bucket_of(late_ns)].add(1);
        worst_ns_.raise_to(late_ns);
    }

    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t late_ns) noexcept CUELINE_NONBLOCKING {
        const std::uint64_t steps = late_ns / step_ns;
        const auto doublings = steps < 16 ? 0 : static_cast<std::size_t>(std::bit_width(steps)) - 4;
        return std::min<std::size_t>(doublings * 8 + (steps >> doublings), bucket_count - 1);
    }

    /// The least lateness that counts in this bucket. For bucket_count: the end of the last bucket.
    [[nodiscard]] static constexpr std::uint64_t least_ns(std::size_t bucket) noexcept {
        const std::uint64_t doublings = std::max<std::size_t>(bucket / 8, 1) - 1;
        return ((bucket - doublings * 8) << doublings) * step_ns;
    }

    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept { return buckets_[bucket].get(); }
    [[nodiscard]] std::uint64_t worst_ns() const noexcept { return worst_ns_.get(); }

  private:
    static constexpr std::uint64_t step_ns = 125;

    std::array<Counter, bucket_count> buckets_;
    Counter worst_ns_;
};

}  // namespace cueline
