// takeover_checks.hpp: ends of a ring that die at every instruction, and others that take their place. The checks say
// what is wrong, so that mutants can fail them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <cueline/ring.hpp>

#include "ring_checks.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {

/// Memory whose user dies before a chosen access, or half-way through a message. What is dead changes nothing.
struct MortalMemory : StdMemory {
    static constexpr bool never_throws = false;
    static constexpr int immortal = -1;
    struct Died {};

    CUELINE_RULES_OFF
    /// Counts an access. Returns false if its user is dead, and throws Died if it dies now.
    static bool lives() CUELINE_NONBLOCKING {
        if (dead) return false;
        if (accesses_left == 0) {
            dead = true;
            throw Died{};
        }
        if (accesses_left > 0) --accesses_left;
        return true;
    }
    CUELINE_RULES_ON

    template <class Value>
    struct Atomic : std::atomic<Value> {
        using std::atomic<Value>::atomic;
        [[nodiscard]] Value load(std::memory_order order) const CUELINE_NONBLOCKING {
            lives();
            return std::atomic<Value>::load(order);
        }
        void store(Value value, std::memory_order order) CUELINE_NONBLOCKING {
            if constexpr (std::is_same_v<Value, bool>) {  // the claim: a destructor stores it, and must not throw
                if (!dead) std::atomic<Value>::store(value, order);
            } else {
                if (lives()) std::atomic<Value>::store(value, order);
            }
        }
    };

    template <class T>
    class Cell {
      public:
        void write(const T& value) CUELINE_NONBLOCKING {
            constexpr std::size_t half = sizeof(T) / 2;
            if (lives()) std::memcpy(bytes(), &value, half);
            if (lives()) std::memcpy(bytes() + half, reinterpret_cast<const std::byte*>(&value) + half, half);
        }
        template <class Fill>
        bool write_in_place(Fill& fill) CUELINE_NONBLOCKING {
            T value{};
            const bool filled = fill(value);
            write(value);
            return filled;
        }
        template <class Reader>
        void read(Reader& reader) const {
            lives();
            reader(value_);
        }

      private:
        std::byte* bytes() { return reinterpret_cast<std::byte*>(&value_); }
        T value_{};
    };

    inline static int accesses_left = immortal;
    inline static bool dead = false;
};

/// Runs `act`, which dies before its access number `accesses`, counted from 0. Returns whether it died.
template <class Act>
bool dies(int accesses, Act act) {
    MortalMemory::accesses_left = accesses;
    bool died = false;
    try {
        act();
    } catch (const MortalMemory::Died&) {
        died = true;
    }
    MortalMemory::accesses_left = MortalMemory::immortal;
    MortalMemory::dead = false;
    return died;
}

/// A ring whose ends may die. Messages are numbered from 1 in the order in which they are accepted.
template <std::size_t Capacity>
class MortalRing {
  public:
    using RingType = Ring<Wide<2>, Capacity, MortalMemory>;
    static constexpr std::uint64_t junk = 1'000'000;

    explicit MortalRing(std::uint64_t first_index) : ring_{first_index} {
        producers_.push_back(std::make_unique<Producer<RingType>>(ring_));
        consumers_.push_back(std::make_unique<Consumer<RingType>>(ring_));
    }

    /// Pushes the next `count` messages at once, or one alone by the function for one. All must be accepted.
    bool push(std::size_t count, bool alone = false) {
        const bool pushed = push_some(count, alone) == count;
        accepted_ += count;
        return pushed;
    }

    /// Pops `count` messages. They must be the next ones. A call takes only those that are counted, if any are.
    bool pop(std::size_t count) {
        std::vector<Wide<2>> popped(count, Wide<2>::of(junk));
        std::size_t taken = 0;
        while (taken < count) {
            const std::size_t more = consumers_.back()->try_pop(std::span{popped}.subspan(taken));
            if (more == 0) return false;
            taken += more;
        }
        return std::ranges::all_of(popped, [this](const Wide<2>& message) { return message == next(); });
    }

    /// Returns whether a message is found.
    bool finds_any() {
        Wide<2> message = Wide<2>::of(junk);
        return consumers_.back()->try_pop(message) == Status::ok;
    }

    [[nodiscard]] std::size_t waiting() const { return static_cast<std::size_t>(accepted_ - received_); }

    /// Pushes as push() does, and dies before that access. Returns false if it lived. `published` says whether the
    /// messages are accepted all the same: they are if only their count was missing.
    bool dies_pushing(std::size_t count, bool alone, int accesses, bool published) {
        const bool died = dies(accesses, [&] { push_some(count, alone); });
        if (!died || published) accepted_ += count;
        return died;
    }

    /// Pops up to `count` messages, and dies before that access. Returns false if it lived.
    bool dies_popping(std::size_t count, int accesses) {
        std::uint64_t expected = received_;
        const auto look = [&](const Wide<2>& message) noexcept {
            whole_ = whole_ && message == Wide<2>::of(++expected);
        };
        const bool died = dies(accesses, [&] { consumers_.back()->consume(look, count); });
        if (!died) received_ = expected;
        return died;
    }

    /// Another producer takes over, and may die before that access. Returns false if it lived.
    bool producer_is_replaced(int accesses = MortalMemory::immortal) {
        return dies(accesses, [this] {
            producers_.push_back(std::make_unique<Producer<RingType>>(Producer<RingType>::take_over(ring_)));
        });
    }
    void consumer_is_replaced() {
        consumers_.push_back(std::make_unique<Consumer<RingType>>(Consumer<RingType>::take_over(ring_)));
    }

    /// Checks the ring and its claims after a death, through several laps. Returns what is wrong, or an empty text.
    std::string is_wrong() {
        if (!whole_) return "what a dead consumer saw";
        if (ring_.size() != waiting()) return "size";
        if (Capacity > waiting()) {  // one alone, because more could hide what a dead batch left behind
            if (!push(1)) return "no room for one";
            if (ring_.size() != waiting()) return "size after one";
        }
        if (!pop(waiting())) return "lost, doubled or out of order";
        if (finds_any()) return "found what was never published";
        for (std::size_t round = 0; round < 3 * Capacity; ++round) {
            const std::size_t count = round % Capacity + 1;
            if (!push(count) || !pop(count)) return "a later message is wrong";
            if (finds_any()) return "found a later message that was never published";
        }
        if (!push(Capacity) || push_some(1, true) != 0) return "wrong room";
        if (!pop(Capacity)) return "a full ring gives less";
        return is_free<Producer>() || is_free<Consumer>() ? "an end is free while its holder lives" : "";
    }

  private:
    std::size_t push_some(std::size_t count, bool alone) {
        std::vector<Wide<2>> messages;
        for (std::size_t place = 1; place <= count; ++place) messages.push_back(Wide<2>::of(accepted_ + place));
        if (alone) return producers_.back()->try_push(messages.front()) == Status::ok ? 1 : 0;
        return producers_.back()->try_push(std::span<const Wide<2>>{messages});
    }

    Wide<2> next() { return Wide<2>::of(++received_); }

    template <template <class> class End>
    bool is_free() {
        try {
            const End<RingType> end{ring_};
        } catch (const EndTakenError&) {
            return false;
        }
        return true;
    }

    RingType ring_;
    std::deque<std::unique_ptr<Producer<RingType>>> producers_;  // the dead stay as they are until the ring goes
    std::deque<std::unique_ptr<Consumer<RingType>>> consumers_;
    std::uint64_t accepted_ = 0;
    std::uint64_t received_ = 0;
    bool whole_ = true;
};

/// Calls `attempt` with rings in every state that holds `waiting` messages and has room for `count` more. Returns the
/// first text that is not empty, or an empty text.
template <std::size_t Capacity, class Attempt>
std::string in_every_state(Attempt attempt) {
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{0} - 2}) {
        for (const bool used : {false, true}) {
            for (std::size_t waiting = 0; waiting <= Capacity; ++waiting) {
                const auto make = [=] {
                    auto ring = std::make_unique<MortalRing<Capacity>>(first);
                    // Then each slot has an old stamp, and the producer must look for room.
                    if (used) ring->push(Capacity) && ring->pop(Capacity);
                    if (waiting > 0) ring->push(waiting);
                    return ring;
                };
                const std::string wrong = attempt(make, waiting);
                if (!wrong.empty()) {
                    return wrong + " (first index " + std::to_string(first) + (used ? ", used, " : ", new, ") +
                           std::to_string(waiting) + " waiting)";
                }
            }
        }
    }
    return "";
}

inline std::string text_of(std::size_t count, bool alone, int death) {
    return ": " + std::to_string(count) + (alone ? " alone" : " at once") + ", died before access " +
           std::to_string(death);
}

/// Calls `attempt(death, published)` for every access before which a push of `count` messages can die.
template <class Make, class Attempt>
std::string for_every_death(Make make, std::size_t count, bool alone, Attempt attempt) {
    int accesses = 0;
    while (make()->dies_pushing(count, alone, accesses, false)) ++accesses;
    for (int death = 0; death < accesses; ++death) {
        const std::string wrong = attempt(death, death == accesses - 1);
        if (!wrong.empty()) return wrong + text_of(count, alone, death);
    }
    return accesses < 3 ? "a push has fewer accesses than a message, a stamp and a count" : "";
}

/// A producer dies before each access of a push, in every state of the ring. The consumer pops any number of those that
/// were published, and another producer takes over. That one dies before each of its accesses too, and a third takes
/// over. Returns what is wrong, or an empty text.
template <std::size_t Capacity>
std::string producers_takeover_fails() {
    return in_every_state<Capacity>([](auto make, std::size_t waiting) -> std::string {
        for (std::size_t count = 1; count <= Capacity - waiting; ++count) {
            for (const bool alone : {false, true}) {
                if (alone && count > 1) continue;
                const auto die = [&](int death, bool published) -> std::string {
                    const std::size_t found = waiting + (published ? count : 0);
                    for (std::size_t popped = 0; popped <= found; ++popped) {
                        bool heir_died = true;
                        for (int heirs_death = 0; heir_died; ++heirs_death) {
                            const auto ring = make();
                            if (!ring->dies_pushing(count, alone, death, published)) return "it lived";
                            if (!ring->pop(popped)) return "what was published is not found before a takeover";
                            heir_died = ring->producer_is_replaced(heirs_death);
                            if (heir_died) ring->producer_is_replaced();
                            const std::string wrong = ring->is_wrong();
                            if (!wrong.empty()) return wrong;
                        }
                    }
                    return "";
                };
                const std::string wrong = for_every_death(make, count, alone, die);
                if (!wrong.empty()) return wrong;
            }
        }
        return "";
    });
}

/// A consumer dies before each access of a pop, in every state of the ring, and another takes over. The producer may
/// have died before, and is replaced before or after the consumer, or not at all. Returns what is wrong, or an empty
/// text.
template <std::size_t Capacity>
std::string consumers_takeover_fails() {
    return in_every_state<Capacity>([](auto make, std::size_t waiting) -> std::string {
        for (std::size_t most = 1; most <= Capacity; ++most) {
            bool died = true;
            for (int death = 0; died; ++death) {
                const auto ring = make();
                died = ring->dies_popping(most, death);
                if (died) ring->consumer_is_replaced();
                const std::string wrong = ring->is_wrong();
                if (!wrong.empty()) return wrong + text_of(most, false, death);
            }
            for (std::size_t count = 1; count <= Capacity - waiting; ++count) {
                const auto both_die = [&](int death, bool published) -> std::string {
                    died = true;
                    for (int consumers_death = 0; died; ++consumers_death) {
                        for (const bool consumer_first : {false, true}) {
                            const auto ring = make();
                            ring->dies_pushing(count, false, death, published);
                            died = ring->dies_popping(most, consumers_death);
                            if (died && consumer_first) ring->consumer_is_replaced();
                            ring->producer_is_replaced();
                            if (died && !consumer_first) ring->consumer_is_replaced();
                            const std::string wrong = ring->is_wrong();
                            if (!wrong.empty()) return wrong + ", both died";
                        }
                    }
                    return "";
                };
                const std::string wrong = for_every_death(make, count, false, both_die);
                if (!wrong.empty()) return wrong;
            }
        }
        return "";
    });
}

}  // namespace cueline::test
