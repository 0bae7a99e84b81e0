// orders.cpp: a function for each call of ring, latest value and parameters that orders memory. test_orders.py reads
// what a compiler for aarch64 makes of them.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <cueline/link.hpp>
#include <cueline/message.hpp>
#include <cueline/ring.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/shared_parameters.hpp>
#include <cueline/span_ring.hpp>

#define FLAT [[gnu::flatten]]  // all that it calls is part of it

using namespace cueline;

using Messages = Ring<Message>;
using Latest = Seqlock<std::uint64_t>;  // of one word, so that no loop over words is unrolled

// On an ARM processor with cache lines of 128 bytes, no thread writes to a line that another one writes to.
constexpr std::size_t long_line = 128;
static_assert(alignof(Messages) == long_line && sizeof(Ring<Message, 1>) == 3 * long_line);  // tail, head, slot
static_assert(alignof(SpanRing<>) == long_line && sizeof(SpanRing<>) == 2 * long_line);
static_assert(alignof(Producer<Messages>) == long_line && alignof(Consumer<Messages>) == long_line);
static_assert(offsetof(CountedRing, high_water) - offsetof(CountedRing, dropped) == long_line);

extern "C" {

FLAT void ring_claim(Producer<Messages>* end, Messages& ring) {
    std::construct_at(end, ring);
}

FLAT void ring_release(Producer<Messages>& end) {
    std::destroy_at(&end);
}

FLAT bool ring_push(Producer<Messages>& end, const Message& message) {
    return end.try_push(message) == Status::ok;
}

FLAT std::size_t ring_push_all(Producer<Messages>& end, const Message* messages, std::size_t count) {
    return end.try_push(std::span{messages, count});
}

FLAT bool ring_pop(Consumer<Messages>& end, Message& message) {
    return end.try_pop(message) == Status::ok;
}

FLAT std::size_t ring_pop_all(Consumer<Messages>& end, Message* messages, std::size_t count) {
    return end.try_pop(std::span{messages, count});
}

FLAT std::uint64_t ring_tail(const Messages& ring) {
    return ring.tail();
}

FLAT std::size_t span_room(SpanProducer<>& end, std::size_t most) {
    return end.room(most).count;
}

FLAT void span_push(SpanProducer<>& end, std::size_t count) {
    end.push(count);
}

FLAT std::size_t span_waiting(SpanConsumer<>& end, std::size_t most) {
    return end.waiting(most).count;
}

FLAT void span_pop(SpanConsumer<>& end, std::size_t count) {
    end.pop(count);
}

FLAT void latest_write(Latest& latest, std::uint64_t value) {
    latest.write(value);
}

FLAT bool latest_read(const Latest& latest, std::uint64_t& value) {
    return latest.read(value);
}

FLAT void parameter_write(const SharedParameters<>& parameters, std::size_t place, double value) {
    parameters.write(place, value);
}

FLAT void parameters_take(const SharedParameters<>& parameters, std::size_t& turn, double* values) {
    parameters.take(turn, [values](std::size_t place, double value) { values[place] = value; });
}
}
