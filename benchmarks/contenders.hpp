// contenders.hpp: the rings to compare, each used as its documentation says, behind one small interface.
//
// A contender has `Shared`, which both threads share, and two ends that each thread makes on its own stack: a Sender
// with push() and a Receiver with pop(). Both return whether they succeeded. A contender with batches also has
// push_some() and pop_some() over spans, and each_waiting(), which reads in place; all three return a number of
// messages. Only `comparable` contenders can be the best peer: they hold as many messages as ours, and can refuse
// (try_).
#pragma once

#include <atomic_queue/atomic_queue.h>
#include <jack/ringbuffer.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

#include <cueline/ring.hpp>
#include <cueline/span_ring.hpp>

// Concurrency Kit is C: one function returns `false` as a pointer. C++ accepts that only if it is spelled 0.
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define false 0
extern "C" {
#include <ck_ring.h>
}
#undef false
#ifdef __clang__
#pragma clang diagnostic pop
#endif

namespace cueline::bench {

inline constexpr std::size_t ring_capacity = 1024;  // messages, or 1023 if a slot must stay empty

/// The payload: a number in the first word and its complement in the last, so that a receiver notices errors.
template <std::size_t Bytes>
struct Load {
    static constexpr std::size_t last = Bytes / sizeof(std::uint64_t) - 1;
    std::array<std::uint64_t, last + 1> words{};

    void set(std::uint64_t number) noexcept {
        words[0] = number;
        words[last] = ~number;
    }
    [[nodiscard]] bool is(std::uint64_t number) const noexcept { return words[0] == number && words[last] == ~number; }
};

template <class T>
struct Cueline {
    static constexpr const char* name = "cueline";
    static constexpr bool ours = true;
    static constexpr bool comparable = true;
    using Shared = Ring<T, ring_capacity>;

    struct Sender {
        explicit Sender(Shared& ring) : end{ring} {}
        bool push(const T& load) { return end.try_push(load) == Status::ok; }
        std::size_t push_some(std::span<const T> loads) { return end.try_push(loads); }
        Producer<Shared> end;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : end{ring} {}
        bool pop(T& load) { return end.try_pop(load) == Status::ok; }
        std::size_t pop_some(std::span<T> loads) { return end.try_pop(loads); }
        std::size_t each_waiting(std::size_t max_count, auto read) { return end.consume(read, max_count); }
        Consumer<Shared> end;
    };
};

/// The ring of indices, with a storage of as many messages. It is for batches of samples and handles, so the targets
/// for messages do not apply to it.
template <class T>
struct CuelineSpans {
    static constexpr const char* name = "cueline span_ring";
    static constexpr bool ours = true;
    static constexpr bool comparable = false;
    struct Shared {
        SpanRing<> ring;
        alignas(cache_line_bytes) std::array<T, ring_capacity> storage{};
    };

    struct Sender {
        explicit Sender(Shared& shared) : end{shared.ring, ring_capacity}, storage{shared.storage} {}
        bool push(const T& load) { return push_some({&load, 1}) == 1; }
        std::size_t push_some(std::span<const T> loads) {
            const RingPlaces room = end.room(loads.size());
            if (room.size() == 0) return 0;
            auto next = loads.begin();
            for (const std::span<T> piece : room.of(storage)) {
                std::copy_n(next, piece.size(), piece.begin());
                next += static_cast<std::ptrdiff_t>(piece.size());
            }
            end.push(room.size());
            return room.size();
        }
        SpanProducer<> end;
        std::span<T> storage;
    };
    struct Receiver {
        explicit Receiver(Shared& shared) : end{shared.ring, ring_capacity}, storage{shared.storage} {}
        bool pop(T& load) { return pop_some({&load, 1}) == 1; }
        std::size_t pop_some(std::span<T> loads) {
            auto next = loads.begin();
            return each_waiting(loads.size(), [&next](const T& load) noexcept { *next++ = load; });
        }
        std::size_t each_waiting(std::size_t most, auto read) {
            const RingPlaces waiting = end.waiting(most);
            if (waiting.size() == 0) return 0;
            for (const std::span<T> piece : waiting.of(storage)) {
                for (const T& load : piece) read(load);
            }
            end.pop(waiting.size());
            return waiting.size();
        }
        SpanConsumer<> end;
        std::span<T> storage;
    };
};

template <class T>
struct Boost {
    static constexpr const char* name = "boost spsc_queue";
    static constexpr bool ours = false;
    static constexpr bool comparable = true;
    using Shared = boost::lockfree::spsc_queue<T, boost::lockfree::capacity<ring_capacity>>;

    struct Sender {
        explicit Sender(Shared& ring) : queue{ring} {}
        bool push(const T& load) { return queue.push(load); }
        std::size_t push_some(std::span<const T> loads) { return queue.push(loads.data(), loads.size()); }
        Shared& queue;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : queue{ring} {}
        bool pop(T& load) { return queue.pop(load); }
        std::size_t pop_some(std::span<T> loads) { return queue.pop(loads.data(), loads.size()); }
        std::size_t each_waiting(std::size_t, auto read) { return queue.consume_all(read); }
        Shared& queue;
    };
};

/// With 1023 slots in one block, or with the 2044 that it makes for a size of 1024.
template <class T, std::size_t Slots>
struct Moodycamel {
    static constexpr const char* name =
        Slots == 1023 ? "readerwriterqueue, 1023 slots" : "readerwriterqueue, 2044 slots";
    static constexpr bool ours = false;
    static constexpr bool comparable = Slots == 1023;
    struct Shared {
        moodycamel::ReaderWriterQueue<T> queue{Slots == 1023 ? 1023 : 1024};
    };

    struct Sender {
        explicit Sender(Shared& ring) : queue{ring.queue} {}
        bool push(const T& load) { return queue.try_enqueue(load); }
        moodycamel::ReaderWriterQueue<T>& queue;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : queue{ring.queue} {}
        bool pop(T& load) { return queue.try_dequeue(load); }
        moodycamel::ReaderWriterQueue<T>& queue;
    };
};
template <class T>
using Moodycamel1023 = Moodycamel<T, 1023>;
template <class T>
using Moodycamel2044 = Moodycamel<T, 2044>;

/// atomic_queue for one producer and one consumer. Its default tuning is for throughput.
template <class T>
struct AtomicQueue {
    static constexpr const char* name = "atomic_queue";
    static constexpr bool ours = false;
    static constexpr bool comparable = true;
    using Shared = atomic_queue::AtomicQueue2<T, ring_capacity, true, true, false, true>;

    struct Sender {
        explicit Sender(Shared& ring) : queue{ring} {}
        bool push(const T& load) { return queue.try_push(load); }
        Shared& queue;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : queue{ring} {}
        bool pop(T& load) { return queue.try_pop(load); }
        Shared& queue;
    };
};

/// The same without try_: push and pop always wait. So it is shown, but not compared.
template <class T>
struct OptimistAtomicQueue {
    static constexpr const char* name = "atomic_queue, optimist (waits)";
    static constexpr bool ours = false;
    static constexpr bool comparable = false;
    using Shared = typename AtomicQueue<T>::Shared;

    struct Sender {
        explicit Sender(Shared& ring) : queue{ring} {}
        bool push(const T& load) {
            queue.push(load);
            return true;
        }
        Shared& queue;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : queue{ring} {}
        bool pop(T& load) {
            load = queue.pop();
            return true;
        }
        Shared& queue;
    };
};

/// Concurrency Kit's ring, which copies messages as its CK_RING_PROTOTYPE does.
template <class T>
struct ConcurrencyKit {
    static constexpr const char* name = "ck_ring";
    static constexpr bool ours = false;
    static constexpr bool comparable = true;
    struct Shared {
        Shared() { ck_ring_init(&ring, ring_capacity); }
        alignas(cache_line_bytes) ck_ring_t ring{};
        alignas(cache_line_bytes) std::array<T, ring_capacity> slots{};
    };

    struct Sender {
        explicit Sender(Shared& shared) : ring{shared} {}
        bool push(const T& load) {
            return _ck_ring_enqueue_sp(&ring.ring, ring.slots.data(), &load, sizeof load, nullptr);
        }
        Shared& ring;
    };
    struct Receiver {
        explicit Receiver(Shared& shared) : ring{shared} {}
        bool pop(T& load) { return _ck_ring_dequeue_sc(&ring.ring, ring.slots.data(), &load, sizeof load); }
        Shared& ring;
    };
};

/// JACK's ring of bytes, used as JACK's clients use it: check for room, then write. Its size is a power of two of
/// bytes: the smallest that holds 1024 messages.
template <class T>
struct Jack {
    static constexpr const char* name = "jack_ringbuffer";
    static constexpr bool ours = false;
    static constexpr bool comparable = true;
    struct Shared {
        Shared() : bytes{jack_ringbuffer_create(ring_capacity * sizeof(T))} {
            if (bytes == nullptr) throw std::bad_alloc{};
        }
        Shared(const Shared&) = delete;
        Shared& operator=(const Shared&) = delete;
        ~Shared() { jack_ringbuffer_free(bytes); }
        jack_ringbuffer_t* bytes;
    };

    struct Sender {
        explicit Sender(Shared& ring) : bytes{ring.bytes} {}
        bool push(const T& load) { return push_some({&load, 1}) == 1; }
        std::size_t push_some(std::span<const T> loads) {
            const std::size_t fit = std::min(loads.size(), jack_ringbuffer_write_space(bytes) / sizeof(T));
            if (fit == 0) return 0;
            return jack_ringbuffer_write(bytes, std::bit_cast<const char*>(loads.data()), fit * sizeof(T)) / sizeof(T);
        }
        jack_ringbuffer_t* bytes;
    };
    struct Receiver {
        explicit Receiver(Shared& ring) : bytes{ring.bytes} {}
        bool pop(T& load) { return pop_some({&load, 1}) == 1; }
        std::size_t pop_some(std::span<T> loads) {
            const std::size_t there = std::min(loads.size(), jack_ringbuffer_read_space(bytes) / sizeof(T));
            if (there == 0) return 0;
            return jack_ringbuffer_read(bytes, std::bit_cast<char*>(loads.data()), there * sizeof(T)) / sizeof(T);
        }
        jack_ringbuffer_t* bytes;
    };
};

}  // namespace cueline::bench
