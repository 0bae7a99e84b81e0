// rtrb_slices.h: the rtrb ring (Rust) for a C++ harness: loops in its own language, each called once a slice.
#pragma once

#include <cstddef>
#include <cstdint>

/// Both ends of one ring. One thread at a time uses an end of it.
struct RtrbRing;

inline constexpr std::size_t rtrb_most_in_batch = 256;  // a larger batch is cut to it

/// Messages carry their number in the first word and its complement in the last, from `first` on. Receivers return how
/// many were not as expected: 0. Who is refused spins with a pause, and does nothing else.
struct RtrbSlices {
    /// A ring for `capacity` messages, all on the heap; null for none.
    RtrbRing* (*make)(std::size_t capacity);
    void (*free)(RtrbRing* ring);

    /// One by one: from one thread, and in another.
    void (*send)(RtrbRing* ring, std::uint64_t first, std::uint64_t count);
    std::uint64_t (*receive)(RtrbRing* ring, std::uint64_t first, std::uint64_t count);

    /// The sender fills an array of `batch` messages and hands over what fits, until all of it went. The receivers take
    /// at most `batch` at a time: into an array, and then look at it; or they look where the messages lie.
    void (*send_batches)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);
    std::uint64_t (*receive_batches)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);
    std::uint64_t (*receive_in_place)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);

    /// `count` round trips, numbered from 0: from one thread, and in another.
    std::uint64_t (*ping)(RtrbRing* there, RtrbRing* back, std::uint64_t count);
    void (*pong)(RtrbRing* there, RtrbRing* back, std::uint64_t count);

    /// A single push, true when it went through; and all that waits, from `first` on: returns how many, and adds to
    /// `wrong`. Their cost contains a call that is not inlined.
    bool (*push_one)(RtrbRing* ring, std::uint64_t number);
    std::uint64_t (*pop_all)(RtrbRing* ring, std::uint64_t first, std::uint64_t* wrong);

    /// Push one, pop one, in one thread, `count` times.
    std::uint64_t (*uncontended)(RtrbRing* ring, std::uint64_t count);
};

extern "C" {
extern const RtrbSlices rtrb_slices_32;  // NOLINT(readability-identifier-naming)
extern const RtrbSlices rtrb_slices_56;  // NOLINT(readability-identifier-naming)
}
