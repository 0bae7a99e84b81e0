// ring_checks.hpp: what must hold of any ring, as checks that say what is wrong, so that mutants can fail them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Wide enough to tear: a number, repeated with a twist in every word.
template <std::size_t Words>
struct Wide {
    std::array<std::uint64_t, Words> words;

    static Wide of(std::uint64_t number) {
        Wide wide;
        for (std::size_t index = 0; index < Words; ++index) wide.words[index] = word(number, index);
        return wide;
    }
    [[nodiscard]] std::uint64_t number() const { return words[0]; }
    [[nodiscard]] bool whole() const { return *this == of(number()); }
    bool operator==(const Wide&) const = default;

  private:
    static std::uint64_t word(std::uint64_t number, std::size_t index) {
        return index == 0 ? number : number * 0x9E3779B97F4A7C15U ^ index;
    }
};

/// A seed, from CUELINE_SEED or by chance, printed so that a run can be repeated.
inline std::uint64_t seed() {
    const char* given = std::getenv("CUELINE_SEED");
    const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed: CUELINE_SEED=" << value << '\n';
    return value;
}

enum class Watch : std::uint8_t { indices, nothing };

/// Pushes and pops at random, in runs that fill and drain the ring, beside a bounded deque that cannot be wrong.
/// Returns what differed, or nothing.
template <class RingType>
std::string differs_from_model(std::uint64_t first_index, std::uint64_t seed, int steps, Watch watch = Watch::indices) {
    using T = typename RingType::value_type;
    RingType ring{first_index};
    Producer producer{ring};
    Consumer consumer{ring};
    std::deque<T> model;
    std::uint64_t head = first_index;
    std::uint64_t tail = first_index;
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<int> percent{0, 99};

    int push_percent = 50;
    for (int step = 0; step < steps; ++step) {
        if (step % 4096 == 0) push_percent = percent(random);
        if (percent(random) < push_percent) {
            const T message = T::of(random());
            const Status expected = model.size() == RingType::capacity ? Status::full : Status::ok;
            if (producer.try_push(message) != expected) return "wrong status";
            if (expected == Status::ok) {
                model.push_back(message);
                ++tail;
            }
        } else {
            const T untouched = T::of(0);
            T message = untouched;
            const Status expected = model.empty() ? Status::empty : Status::ok;
            if (consumer.try_pop(message) != expected) return "wrong status";
            if (message != (model.empty() ? untouched : model.front())) {
                return "wrong contents";
            }
            if (expected == Status::ok) {
                model.pop_front();
                ++head;
            }
        }
        if (watch == Watch::nothing) continue;
        if (ring.head() != head || ring.tail() != tail || ring.size() != model.size()) {
            return "wrong head, tail or size";
        }
    }
    return "";
}

/// Each end's thread asks for the size, and takes it at its word: to the producer it is never too small, to the
/// consumer never too large. `size_of` asks the ring. Returns what was not so, or nothing.
template <class RingType, class SizeOf>
std::string size_misleads(std::uint64_t count, SizeOf size_of) {
    using T = typename RingType::value_type;
    RingType ring;
    std::atomic<bool> over = false;
    std::string wrong;
    std::thread receiver{[&] {
        Consumer consumer{ring};
        T message = T::of(0);
        for (std::uint64_t received = 0; received < count && !over;) {
            for (std::size_t waiting = size_of(ring); waiting > 0; --waiting, ++received) {
                if (consumer.try_pop(message) != Status::ok) {
                    wrong = "fewer waited than size() said";
                    over = true;
                }
            }
            std::this_thread::yield();
        }
        over = true;
    }};
    std::string wrong_here;
    {
        Producer producer{ring};
        for (std::uint64_t sent = 0; sent < count && !over;) {
            for (std::size_t room = RingType::capacity - size_of(ring); room > 0 && sent < count; --room, ++sent) {
                if (producer.try_push(T::of(sent)) != Status::ok) {
                    wrong_here = "less room than size() said";
                    over = true;
                }
            }
            std::this_thread::yield();
        }
    }
    receiver.join();
    return wrong + wrong_here;
}

/// Sends `count` messages from this thread to another as fast as both can, spinning when refused.
/// Returns the first thing wrong with what arrived, or nothing.
template <class RingType>
std::string goes_wrong_between_threads(std::uint64_t first_index, std::uint64_t count) {
    using T = typename RingType::value_type;
    RingType ring{first_index};
    std::string wrong;
    std::atomic<bool> over = false;
    std::thread receiver{[&] {
        Consumer consumer{ring};
        T message = T::of(0);
        for (std::uint64_t expected = 1; expected <= count;) {
            if (consumer.try_pop(message) != Status::ok) {
                std::this_thread::yield();
                continue;
            }
            if (!message.whole()) wrong = "message " + std::to_string(expected) + " is torn";
            if (message.number() != expected) {
                wrong = "expected message " + std::to_string(expected) + ", got " + std::to_string(message.number());
            }
            if (!wrong.empty()) break;
            ++expected;
        }
        over = true;
    }};
    {
        Producer producer{ring};
        for (std::uint64_t number = 1; number <= count && !over;) {
            if (producer.try_push(T::of(number)) == Status::ok) {
                ++number;
            } else {
                std::this_thread::yield();
            }
        }
    }
    receiver.join();
    return wrong;
}

}  // namespace cueline::test
