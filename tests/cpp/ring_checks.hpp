// ring_checks.hpp: checks that hold for any ring. They say what is wrong, so that mutants can fail them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <cueline/ring.hpp>

namespace cueline::test {

/// Wide enough to tear: a number, repeated in every word in another form.
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

/// A seed from CUELINE_SEED, or a random one. It is printed, so that you can repeat a run.
inline std::uint64_t seed() {
    const char* given = std::getenv("CUELINE_SEED");
    const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "seed: CUELINE_SEED=" << value << '\n';
    return value;
}

enum class Watch : std::uint8_t { indices, nothing };

/// A ring with both ends, beside a bounded deque as the model. Each step changes both, and returns the difference, or
/// an empty text.
template <class RingType>
class BesideModel {
    using T = typename RingType::value_type;

  public:
    explicit BesideModel(std::uint64_t first_index) : ring_{first_index}, head_{first_index}, tail_{first_index} {}

    std::string push(T message) {
        const Status expected = model_.size() == RingType::capacity ? Status::full : Status::ok;
        if (producer_.try_push(message) != expected) return "wrong status";
        if (expected == Status::ok) accept({&message, 1});
        return "";
    }

    std::string pop() {
        T message = untouched();
        const Status expected = model_.empty() ? Status::empty : Status::ok;
        if (consumer_.try_pop(message) != expected) return "wrong status";
        if (message != (model_.empty() ? untouched() : model_.front())) return "wrong contents";
        if (expected == Status::ok) forget(1);
        return "";
    }

    std::string push_some(const std::vector<T>& messages) {
        const std::size_t expected = std::min(messages.size(), RingType::capacity - model_.size());
        if (producer_.try_push(std::span{messages}) != expected) return "wrong number";
        accept(std::span{messages}.first(expected));
        return "";
    }

    /// Lets the producer fill all free slots with `messages`. If there is more room than messages, it gives up.
    std::string give_up_after(const std::vector<T>& messages) {
        const std::size_t room = RingType::capacity - model_.size();
        const std::size_t expected = messages.size() < room ? 0 : room;
        const auto fill = [&messages](std::size_t place, T& message) noexcept {
            if (place < messages.size()) message = messages[place];
            return place < messages.size();
        };
        if (producer_.produce(fill, RingType::capacity) != expected) return "wrong number";
        accept(std::span{messages}.first(expected));
        return "";
    }

    std::string pop_some(std::size_t max_count) {
        std::vector<T> messages(max_count, untouched());
        const std::size_t expected = std::min(max_count, model_.size());
        if (consumer_.try_pop(std::span{messages}) != expected) return "wrong number";
        for (std::size_t place = 0; place < max_count; ++place) {
            if (messages[place] != (place < expected ? model_[place] : untouched())) return "wrong contents";
        }
        forget(expected);
        return "";
    }

    std::string consume(std::size_t max_count) {
        const std::size_t expected = std::min(max_count, model_.size());
        std::size_t place = 0;
        bool right = true;
        const auto look = [&](const T& message) noexcept {
            right = right && place < expected && message == model_[place];
            ++place;
        };
        const std::size_t taken = consumer_.consume(look, max_count);
        if (taken != expected || place != expected) return right ? "wrong number" : "wrong contents";
        if (!right) return "wrong contents";
        forget(expected);
        return "";
    }

    [[nodiscard]] std::string watch() const {
        if (ring_.head() == head_ && ring_.tail() == tail_ && ring_.size() == model_.size()) return "";
        return "wrong head, tail or size";
    }

  private:
    static T untouched() { return T::of(0); }
    void accept(std::span<const T> messages) {
        model_.insert(model_.end(), messages.begin(), messages.end());
        tail_ += messages.size();
    }
    void forget(std::size_t count) {
        model_.erase(model_.begin(), model_.begin() + static_cast<std::ptrdiff_t>(count));
        head_ += count;
    }

    RingType ring_;
    Producer<RingType> producer_{ring_};
    Consumer<RingType> consumer_{ring_};
    std::deque<T> model_;
    std::uint64_t head_;
    std::uint64_t tail_;
};

/// Pushes and pops at random, in runs that fill and drain the ring, one message at a time or sometimes several. Returns
/// the difference from the model, or an empty text.
template <class RingType>
std::string differs_from_model(std::uint64_t first_index, std::uint64_t seed, int steps, Watch watch = Watch::indices,
                               int spans_percent = 0) {
    using T = typename RingType::value_type;
    BesideModel<RingType> both{first_index};
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<int> percent{0, 99};
    std::uniform_int_distribution<std::size_t> some{0, RingType::capacity + 1};

    int push_percent = 50;
    for (int step = 0; step < steps; ++step) {
        if (step % 4096 == 0) push_percent = percent(random);
        const bool pushes = percent(random) < push_percent;
        std::string wrong;
        if (percent(random) >= spans_percent) {
            wrong = pushes ? both.push(T::of(random())) : both.pop();
        } else if (pushes) {
            std::vector<T> messages(some(random), T::of(0));
            for (T& message : messages) message = T::of(random());
            wrong = step % 4 == 0 ? both.give_up_after(messages) : both.push_some(messages);
        } else {
            wrong = step % 2 == 0 ? both.pop_some(some(random)) : both.consume(some(random));
        }
        if (wrong.empty() && watch == Watch::indices) wrong = both.watch();
        if (!wrong.empty()) return wrong;
    }
    return "";
}

/// A machine that is busy may let a thread run for a moment every tenth of a second, and in a small ring each moment
/// passes a few messages. So two threads pass as many as were asked for, or as many as they can in this time.
class LongEnough {
  public:
    explicit LongEnough(std::chrono::seconds longest) : end_{std::chrono::steady_clock::now() + longest} {}

    [[nodiscard]] bool is_over() { return ++asked_ % 64 == 0 && std::chrono::steady_clock::now() >= end_; }

  private:
    std::chrono::steady_clock::time_point end_;
    std::uint64_t asked_ = 0;
};

constexpr std::chrono::seconds usual{15};

/// Each end's thread relies on size(): it must never be too small for the producer, and never too large for the
/// consumer. `size_of` reads the size. Returns what was wrong, or an empty text.
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
        LongEnough long_enough{usual};
        Producer producer{ring};
        for (std::uint64_t sent = 0; sent < count && !over;) {
            if (long_enough.is_over()) over = true;
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

/// How the two threads below pass messages.
enum class Way : std::uint8_t { one_by_one, spans, in_place, spans_in_only };

/// Sends `count` messages, or fewer (see LongEnough), from this thread to another as fast as possible. A thread that is
/// refused yields. Returns the first fault, for instance a torn or lost message, or an empty text.
template <class RingType>
std::string goes_wrong_between_threads(std::uint64_t first_index, std::uint64_t count, Way way = Way::one_by_one,
                                       std::chrono::seconds longest = usual) {
    using T = typename RingType::value_type;
    constexpr std::size_t max_span = 7;  // in a span: it divides no capacity
    RingType ring{first_index};
    std::string wrong;
    std::atomic<bool> over = false;
    // Both relaxed, because only the ring may order the two threads. So the receiver needs patience.
    std::atomic<std::uint64_t> accepted = 0;
    std::atomic<std::uint64_t> last = count;
    constexpr int patience = 10'000;
    std::thread receiver{[&] {
        Consumer consumer{ring};
        int missed = 0;
        std::vector<T> messages(max_span, T::of(0));
        std::uint64_t expected = 1;
        const auto look = [&](const T& message) noexcept {
            if (!message.whole()) wrong = "message " + std::to_string(expected) + " is torn";
            if (message.number() != expected) {
                wrong = "expected message " + std::to_string(expected) + ", got " + std::to_string(message.number());
            }
            ++expected;
        };
        while (expected <= last.load(std::memory_order_relaxed) && wrong.empty()) {
            const bool waits = accepted.load(std::memory_order_relaxed) >= expected;
            std::size_t popped = 0;
            if (way == Way::in_place) {
                popped = consumer.consume(look, max_span);
            } else if (way == Way::spans) {
                popped = consumer.try_pop(std::span{messages});
            } else {
                popped = consumer.try_pop(messages[0]) == Status::ok ? 1 : 0;
            }
            if (way != Way::in_place) std::ranges::for_each(std::span{messages}.first(popped), look);
            missed = popped == 0 && waits ? missed + 1 : 0;
            if (missed > patience) wrong = "message " + std::to_string(expected) + " was accepted and is not found";
            if (popped == 0) std::this_thread::yield();
        }
        over = true;
    }};
    {
        LongEnough long_enough{longest};
        Producer producer{ring};
        std::vector<T> messages;
        for (std::uint64_t number = 1; number <= count && !over;) {
            if (long_enough.is_over()) {
                last.store(number - 1, std::memory_order_relaxed);
                break;
            }
            messages.clear();
            const std::uint64_t batch =
                way == Way::one_by_one ? 1 : std::min<std::uint64_t>(max_span, count + 1 - number);
            for (std::uint64_t place = 0; place < batch; ++place) messages.push_back(T::of(number + place));
            std::size_t pushed = 0;
            if (way == Way::one_by_one) {
                pushed = producer.try_push(messages[0]) == Status::ok ? 1 : 0;
            } else if (way == Way::in_place) {
                // It gives up at the last message, if there is room for that, and then fills all of them.
                bool gives_up = true;
                const auto fill = [&](std::size_t place, T& message) noexcept {
                    message = messages[place];
                    return !gives_up || place + 1 < batch;
                };
                pushed = producer.produce(fill, batch);
                gives_up = false;
                if (pushed == 0) pushed = producer.produce(fill, batch);
            } else {
                pushed = producer.try_push(std::span<const T>{messages});
            }
            number += pushed;
            accepted.store(number - 1, std::memory_order_relaxed);
            if (pushed == 0) std::this_thread::yield();
        }
    }
    receiver.join();
    return wrong;
}

}  // namespace cueline::test
