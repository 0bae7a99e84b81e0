// wakeups.cpp: a histogram as a tuple.
#include "wakeups.hpp"

#include <cstddef>
#include <cstdint>

namespace nb = nanobind;
using cueline::Lateness;

nb::tuple to_python(const Lateness& lateness) {
    nb::list buckets;
    for (std::size_t bucket = 0; bucket < Lateness::bucket_count; ++bucket) {
        const std::uint64_t count = lateness.count(bucket);
        if (count == 0) continue;
        buckets.append(nb::make_tuple(Lateness::least_ns(bucket), Lateness::least_ns(bucket + 1), count));
    }
    return nb::make_tuple(lateness.worst_ns(), buckets);
}
