// rtrb_contender.hpp: the rtrb ring as a contender. Its loops are in Rust (rtrb/), and each is called once per slice.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rtrb_slices.h"
#include "works.hpp"

namespace cueline::bench {

template <std::size_t Bytes>
class Rtrb {
    static const RtrbSlices& slices() { return Bytes == 32 ? rtrb_slices_32 : rtrb_slices_56; }
    static RtrbRing* of(void* ring) { return static_cast<RtrbRing*>(ring); }

  public:
    static Contender contender();
};

template <std::size_t Bytes>
Contender Rtrb<Bytes>::contender() {
    Contender contender;
    contender.name = "rtrb (Rust)";
    contender.bytes = Bytes;
    contender.make = []() -> void* { return slices().make(ring_capacity); };
    contender.free = [](void* ring) { slices().free(of(ring)); };
    contender.send = [](void* ring, std::uint64_t first, std::uint64_t count) {
        slices().send(of(ring), first, count);
    };
    contender.receive = [](void* ring, std::uint64_t first, std::uint64_t count) {
        return slices().receive(of(ring), first, count);
    };
    contender.send_batches = [](void* ring, std::uint64_t first, std::uint64_t count) {
        slices().send_batches(of(ring), first, count, batch_messages);
    };
    contender.receive_batches = [](void* ring, std::uint64_t first, std::uint64_t count) {
        return slices().receive_batches(of(ring), first, count, batch_messages);
    };
    contender.receive_in_place = [](void* ring, std::uint64_t first, std::uint64_t count) {
        return slices().receive_in_place(of(ring), first, count, batch_messages);
    };
    contender.ping = [](void* there, void* back, std::uint64_t count) {
        return slices().ping(of(there), of(back), count);
    };
    contender.pong = [](void* there, void* back, std::uint64_t count) { slices().pong(of(there), of(back), count); };
    contender.push_and_pop = [](void* ring, std::uint64_t count) { return slices().uncontended(of(ring), count); };
    contender.push_one = [](void* ring, std::uint64_t number) { return slices().push_one(of(ring), number); };
    contender.pop_all = [](void* ring, std::uint64_t first, std::uint64_t* wrong) {
        return slices().pop_all(of(ring), first, wrong);
    };
    return contender;
}

}  // namespace cueline::bench
