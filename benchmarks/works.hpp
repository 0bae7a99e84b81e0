// works.hpp: the work of both threads with a contender in one slice: each a whole loop, so that it is inlined.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "contenders.hpp"

namespace cueline::bench {

inline constexpr std::size_t batch_messages = 64;

/// How every contender waits: one pause instruction, nothing else.
inline void relax() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// One ring, as functions that each run for a whole slice. `first` is the number of the slice's first message. Those
/// that receive return the number of wrong messages. A function that a contender does not have is null.
struct Contender {
    std::string name;
    std::size_t bytes = 0;
    bool peer = true;        // not one of ours
    bool comparable = true;  // whether it may be the best peer: equal capacity, and a try_ interface

    void* (*make)() = nullptr;
    void (*free)(void* ring) = nullptr;
    void (*send)(void* ring, std::uint64_t first, std::uint64_t count) = nullptr;
    std::uint64_t (*receive)(void* ring, std::uint64_t first, std::uint64_t count) = nullptr;
    void (*send_batches)(void* ring, std::uint64_t first, std::uint64_t count) = nullptr;
    std::uint64_t (*receive_batches)(void* ring, std::uint64_t first, std::uint64_t count) = nullptr;
    std::uint64_t (*receive_in_place)(void* ring, std::uint64_t first, std::uint64_t count) = nullptr;
    std::uint64_t (*ping)(void* there, void* back, std::uint64_t count) = nullptr;
    void (*pong)(void* there, void* back, std::uint64_t count) = nullptr;
    std::uint64_t (*push_and_pop)(void* ring, std::uint64_t count) = nullptr;
    // For paced sending, where the ends live from call to call.
    bool (*push_one)(void* ring, std::uint64_t number) = nullptr;
    std::uint64_t (*pop_all)(void* ring, std::uint64_t first, std::uint64_t* wrong) = nullptr;
};

template <template <class> class Kind, std::size_t Bytes>
class Works {
    using T = Load<Bytes>;
    using Shared = typename Kind<T>::Shared;
    using Sender = typename Kind<T>::Sender;
    using Receiver = typename Kind<T>::Receiver;

    static constexpr bool reads_in_place =
        requires(Receiver& end) { end.each_waiting(std::size_t{1}, [](const T&) noexcept {}); };

    /// A ring, and the ends for paced sending. The thread that uses an end makes it, on cache lines of its own.
    struct Ring {
        Shared shared;
        struct alignas(2 * cache_line_bytes) {
            std::unique_ptr<Sender> end;
        } sender;
        struct alignas(2 * cache_line_bytes) {
            std::unique_ptr<Receiver> end;
        } receiver;
    };
    static Ring& of(void* ring) { return *static_cast<Ring*>(ring); }

  public:
    static Contender contender() {
        Contender contender;
        contender.name = Kind<T>::name;
        contender.bytes = Bytes;
        contender.peer = !Kind<T>::ours;
        contender.comparable = Kind<T>::comparable;
        contender.make = []() -> void* { return new Ring; };
        contender.free = [](void* ring) { delete static_cast<Ring*>(ring); };
        contender.send = send;
        contender.receive = receive;
        if constexpr (requires(Sender& end) { end.push_some(std::span<const T>{}); }) {
            contender.send_batches = send_batches;
            contender.receive_batches = receive_batches;
        }
        if constexpr (reads_in_place) contender.receive_in_place = receive_in_place;
        contender.ping = ping;
        contender.pong = pong;
        contender.push_and_pop = push_and_pop;
        contender.push_one = push_one;
        contender.pop_all = pop_all;
        return contender;
    }

  private:
    static void send(void* ring, std::uint64_t first, std::uint64_t count) {
        Sender end{of(ring).shared};
        T load;
        for (std::uint64_t number = first; number != first + count; ++number) {
            load.set(number);
            while (!end.push(load)) relax();
        }
    }

    static std::uint64_t receive(void* ring, std::uint64_t first, std::uint64_t count) {
        Receiver end{of(ring).shared};
        std::uint64_t wrong = 0;
        T load;
        for (std::uint64_t number = first; number != first + count; ++number) {
            while (!end.pop(load)) relax();
            wrong += load.is(number) ? 0 : 1;
        }
        return wrong;
    }

    static void send_batches(void* ring, std::uint64_t first, std::uint64_t count) {
        Sender end{of(ring).shared};
        std::array<T, batch_messages> loads;
        for (std::uint64_t number = first; number != first + count;) {
            const std::size_t batch = std::min<std::uint64_t>(batch_messages, first + count - number);
            for (std::size_t index = 0; index < batch; ++index) loads[index].set(number + index);
            for (std::span<const T> left{loads.data(), batch}; !left.empty();) {
                const std::size_t sent = end.push_some(left);
                left = left.subspan(sent);
                if (sent == 0) relax();
            }
            number += batch;
        }
    }

    static std::uint64_t receive_batches(void* ring, std::uint64_t first, std::uint64_t count) {
        Receiver end{of(ring).shared};
        std::array<T, batch_messages> loads;
        std::uint64_t wrong = 0;
        for (std::uint64_t number = first; number != first + count;) {
            const std::size_t popped = end.pop_some(loads);
            for (std::size_t index = 0; index < popped; ++index) wrong += loads[index].is(number + index) ? 0 : 1;
            number += popped;
            if (popped == 0) relax();
        }
        return wrong;
    }

    static std::uint64_t receive_in_place(void* ring, std::uint64_t first, std::uint64_t count) {
        Receiver end{of(ring).shared};
        std::uint64_t wrong = 0;
        std::uint64_t number = first;
        while (number != first + count) {
            const std::uint64_t before = number;
            end.each_waiting(batch_messages, [&](const T& load) noexcept { wrong += load.is(number++) ? 0 : 1; });
            if (number == before) relax();
        }
        return wrong;
    }

    static std::uint64_t ping(void* there, void* back, std::uint64_t count) {
        Sender out{of(there).shared};
        Receiver in{of(back).shared};
        std::uint64_t wrong = 0;
        T load;
        for (std::uint64_t number = 0; number < count; ++number) {
            load.set(number);
            while (!out.push(load)) relax();
            while (!in.pop(load)) relax();
            wrong += load.is(number) ? 0 : 1;
        }
        return wrong;
    }

    static void pong(void* there, void* back, std::uint64_t count) {
        Receiver in{of(there).shared};
        Sender out{of(back).shared};
        T load;
        for (std::uint64_t number = 0; number < count; ++number) {
            while (!in.pop(load)) relax();
            while (!out.push(load)) relax();
        }
    }

    static std::uint64_t push_and_pop(void* ring, std::uint64_t count) {
        Sender out{of(ring).shared};
        Receiver in{of(ring).shared};
        std::uint64_t wrong = 0;
        T sent;
        T load;
        for (std::uint64_t number = 0; number < count; ++number) {
            sent.set(number);
            out.push(sent);
            in.pop(load);
            wrong += load.is(number) ? 0 : 1;
        }
        return wrong;
    }

    static bool push_one(void* ring, std::uint64_t number) {
        auto& sender = of(ring).sender;
        if (!sender.end) [[unlikely]]
            sender.end = std::make_unique<Sender>(of(ring).shared);
        T load;
        load.set(number);
        return sender.end->push(load);
    }

    static std::uint64_t pop_all(void* ring, std::uint64_t first, std::uint64_t* wrong) {
        auto& receiver = of(ring).receiver;
        if (!receiver.end) [[unlikely]]
            receiver.end = std::make_unique<Receiver>(of(ring).shared);
        std::uint64_t number = first;
        std::uint64_t wrong_here = 0;
        const auto look = [&](const T& load) noexcept { wrong_here += load.is(number++) ? 0 : 1; };
        if constexpr (reads_in_place) {
            receiver.end->each_waiting(ring_capacity, look);
        } else {
            T load;
            while (receiver.end->pop(load)) look(load);
        }
        if (wrong_here > 0) *wrong += wrong_here;
        return number - first;
    }
};

}  // namespace cueline::bench
