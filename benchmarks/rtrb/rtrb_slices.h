// rtrb_slices.h: the rtrb ring (Rust) for a C++ harness. Its loops are in Rust, and each is called once per slice.
#pragma once

#include <cstddef>
#include <cstdint>

/// Both ends of one ring. Only one thread at a time uses an end.
struct RtrbRing;

inline constexpr std::size_t rtrb_max_batch = 256;  // larger batches are cut to this

/// Messages have their number in the first word and its complement in the last, from `first` on. Receivers return the
/// number of wrong messages, which should be 0. A thread that is refused spins with a pause, and does nothing else.
struct RtrbSlices {
    /// Makes a ring for `capacity` messages on the heap. Returns null if it cannot.
    RtrbRing* (*make)(std::size_t capacity);
    void (*free)(RtrbRing* ring);

    /// One by one: one thread sends, another receives.
    void (*send)(RtrbRing* ring, std::uint64_t first, std::uint64_t count);
    std::uint64_t (*receive)(RtrbRing* ring, std::uint64_t first, std::uint64_t count);

    /// The sender fills an array of `batch` messages and pushes what fits, until all are pushed. The receivers take up
    /// to `batch` at a time: one copies them into an array and then reads them, the other reads them in place.
    void (*send_batches)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);
    std::uint64_t (*receive_batches)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);
    std::uint64_t (*receive_in_place)(RtrbRing* ring, std::uint64_t first, std::uint64_t count, std::size_t batch);

    /// `count` round trips, numbered from 0: one thread pings, another answers.
    std::uint64_t (*ping)(RtrbRing* there, RtrbRing* back, std::uint64_t count);
    void (*pong)(RtrbRing* there, RtrbRing* back, std::uint64_t count);

    /// push_one() is a single push, and returns whether it succeeded. pop_all() takes all waiting messages, from
    /// `first` on, returns how many, and adds errors to `wrong`. Their cost contains a call that is not inlined.
    bool (*push_one)(RtrbRing* ring, std::uint64_t number);
    std::uint64_t (*pop_all)(RtrbRing* ring, std::uint64_t first, std::uint64_t* wrong);

    /// Push one, pop one, on one thread, `count` times.
    std::uint64_t (*uncontended)(RtrbRing* ring, std::uint64_t count);
};

extern "C" {
extern const RtrbSlices rtrb_slices_32;  // NOLINT(readability-identifier-naming)
extern const RtrbSlices rtrb_slices_56;  // NOLINT(readability-identifier-naming)
}
