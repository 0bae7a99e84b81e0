// scenarios.cpp: what the model's threads do with a ring, a span ring, a seqlock, parameters, buffers or streams, and
// what must be true of it.
//
// loom runs each scenario once for every possible order of the threads' accesses, and for every value that a load may
// return under the header's memory orders. Nothing here is timed or random.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <cueline/buffer.hpp>
#include <cueline/engine_messages.hpp>
#include <cueline/playback.hpp>
#include <cueline/recording.hpp>
#include <cueline/ring.hpp>
#include <cueline/seqlock.hpp>
#include <cueline/shared_parameters.hpp>
#include <cueline/span_ring.hpp>
#include <cueline/stream.hpp>

#include "loom_memory.hpp"

namespace cueline::model {

extern "C" {
[[noreturn]] void loom_fail(const char* claim);  // throws
void loom_yield();
bool loom_stays_in_turn();
}

namespace {

// Counted over all executions while the threads run. A scenario that must meet refusals must have met some. A read that
// finds nothing new counts as a refused pop.
bool threads_run = false;
std::uint64_t refused_pushes = 0;
std::uint64_t refused_pops = 0;
// The greatest number of messages that a ring accepted, or of values that a reader got, in one execution.
std::uint64_t max_messages = 0;

void require(bool holds, const char* claim) {
    if (!holds) loom_fail(claim);
}

/// Two words that belong together, so that half of one message and half of another can be noticed.
struct Numbered {
    std::uint64_t number = 0;
    std::uint64_t check = 0;

    static Numbered of(std::uint64_t number) { return {number, ~number * 3}; }
    [[nodiscard]] bool whole() const { return check == ~number * 3; }
};

constexpr std::uint64_t from_zero = 0;
constexpr std::uint64_t below_wrap(std::uint64_t messages) {
    return std::uint64_t{0} - messages;
}

class Scenario {
  public:
    Scenario() = default;
    Scenario(const Scenario&) = delete;
    Scenario& operator=(const Scenario&) = delete;
    virtual ~Scenario() = default;
    /// Runs the part of thread `thread`. Thread 0 also makes the scenario and finishes it.
    virtual void run(int thread) = 0;
    /// Runs after all threads have ended.
    virtual void finish() = 0;
};

/// A ring, its ends, and what went in and came out. The ends are on the heap and are destroyed in finish(): a finding
/// unwinds through the threads' frames, where no destructor may access loom's memory again.
template <std::size_t Capacity>
class OneRing : public Scenario {
  public:
    using RingType = Ring<Numbered, Capacity, LoomMemory>;

  protected:
    explicit OneRing(std::uint64_t first_index) : ring{first_index} {}

    void make_producer() { producer = std::make_unique<Producer<RingType>>(ring); }
    void make_consumer() { consumer = std::make_unique<Consumer<RingType>>(ring); }

    bool push(std::uint64_t number) {
        loom_set_role(Role::producer);
        const Status status = producer->try_push(Numbered::of(number));
        loom_set_role(Role::none);
        require(status == Status::ok || status == Status::full, "try_push returns ok or full");
        if (status == Status::ok) {
            accepted.push_back(number);
        } else {
            refused_pushes += threads_run;
        }
        return status == Status::ok;
    }

    bool pop() {
        loom_set_role(Role::consumer);
        Numbered message = Numbered::of(untouched);
        const Status status = consumer->try_pop(message);
        loom_set_role(Role::none);
        require(status == Status::ok || status == Status::empty, "try_pop returns ok or empty");
        require(message.whole(), "no message is torn");
        if (status == Status::ok) {
            received.push_back(message.number);
        } else {
            refused_pops += threads_run;
            require(message.number == untouched, "a refused pop leaves the message as it was");
        }
        return status == Status::ok;
    }

    /// Pushes `count` messages at once, numbered from `first`. Returns how many were accepted.
    std::size_t push_some(std::uint64_t first, std::size_t count) {
        std::vector<Numbered> messages;
        for (std::size_t place = 0; place < count; ++place) messages.push_back(Numbered::of(first + place));
        loom_set_role(Role::producer);
        const std::size_t pushed = producer->try_push(std::span<const Numbered>{messages});
        loom_set_role(Role::none);
        require(pushed <= count, "try_push accepts no more than it was given");
        for (std::size_t place = 0; place < pushed; ++place) accepted.push_back(first + place);
        if (pushed < count) refused_pushes += threads_run;
        return pushed;
    }

    /// Fills free slots with `count` messages, numbered from `first`. Gives up if there is room for more.
    void give_up_after(std::uint64_t first, std::size_t count) {
        const auto fill = [&](std::size_t place, Numbered& message) noexcept {
            message = Numbered::of(first + place);
            return place < count;
        };
        loom_set_role(Role::producer);
        const std::size_t pushed = producer->produce(fill, Capacity);
        loom_set_role(Role::none);
        require(pushed <= count, "produce appends no more than was filled");
        for (std::size_t place = 0; place < pushed; ++place) accepted.push_back(first + place);
        if (pushed == 0) refused_pushes += threads_run;
    }

    /// Pops up to `max_count` messages at once. Returns how many came.
    std::size_t pop_some(std::size_t max_count) {
        std::vector<Numbered> messages(max_count, Numbered::of(untouched));
        loom_set_role(Role::consumer);
        const std::size_t popped = consumer->try_pop(std::span{messages});
        loom_set_role(Role::none);
        require(popped <= max_count, "try_pop takes no more than there is room for");
        for (std::size_t place = 0; place < max_count; ++place) {
            require(messages[place].whole(), "no message is torn");
            require((messages[place].number == untouched) == (place >= popped),
                    "places that nothing was popped into are unchanged");
            if (place < popped) received.push_back(messages[place].number);
        }
        if (popped == 0) refused_pops += threads_run;
        return popped;
    }

    /// Drains the ring. Checks that nothing is lost, doubled or out of order, and that every slot still works.
    void finish() override {
        max_messages = std::max<std::uint64_t>(max_messages, accepted.size());
        if (!producer) make_producer();
        if (!consumer) make_consumer();
        while (received.size() <= accepted.size() && pop()) {
        }
        require(received == accepted, "every accepted message is received once and in order");

        for (std::size_t slot = 0; slot < Capacity; ++slot)
            require(push(100 + slot), "an empty ring accepts one message per slot");
        require(!push(200), "a full ring refuses");
        for (std::size_t slot = 0; slot < Capacity; ++slot) require(pop(), "a full ring gives all it holds");
        require(!pop(), "an empty ring refuses");
        require(push_some(300, Capacity + 1) == Capacity, "an empty ring takes all it can hold at once");
        require(push_some(400, 1) == 0, "a full ring takes none");
        require(pop_some(Capacity + 1) == Capacity, "a full ring gives all it holds at once");
        require(pop_some(1) == 0, "an empty ring gives none");
        require(received == accepted, "every accepted message is received once and in order");
        producer.reset();
        consumer.reset();
    }

    static constexpr std::uint64_t untouched = 999;

    RingType ring;
    std::unique_ptr<Producer<RingType>> producer;
    std::unique_ptr<Consumer<RingType>> consumer;
    std::vector<std::uint64_t> accepted;  // only the producer's thread uses it, until all threads have ended
    std::vector<std::uint64_t> received;  // only the consumer's thread uses it, until all threads have ended
};

/// Each end makes a fixed number of attempts, and accepts refusals.
template <std::size_t Capacity>
class Attempts : public OneRing<Capacity> {
  public:
    Attempts(std::uint64_t first_index, int pushes, int pops)
        : OneRing<Capacity>{first_index}, pushes_{pushes}, pops_{pops} {
        this->make_producer();
        this->make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) {
            for (int number = 1; number <= pushes_; ++number) this->push(static_cast<std::uint64_t>(number));
        } else {
            for (int attempt = 0; attempt < pops_; ++attempt) this->pop();
        }
    }

  private:
    int pushes_;
    int pops_;
};

/// Both ends mix spans with single messages. A span of one end may meet single messages at the other.
template <std::size_t Capacity>
class Spans : public OneRing<Capacity> {
  public:
    Spans(std::uint64_t first_index, int pushes, int pops)
        : OneRing<Capacity>{first_index}, pushes_{pushes}, pops_{pops} {
        this->make_producer();
        this->make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) {
            this->push(1);
            for (int round = 1; round <= pushes_; ++round) this->push_some(10 * static_cast<std::uint64_t>(round), 2);
        } else {
            for (int round = 0; round < pops_; ++round) this->pop_some(2);
            this->pop();
        }
    }

  private:
    int pushes_;
    int pops_;
};

/// The producer gives up some messages before it pushes others. The consumer must not find them, in whatever way it
/// pops.
class GivesUp : public OneRing<4> {
  public:
    GivesUp() : OneRing<4>{below_wrap(2)} {
        make_producer();
        make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) {
            give_up_after(100, 3);
            push(1);
            give_up_after(200, 2);
            push_some(2, 2);
        } else {
            pop();
            pop_some(4);
            pop();
        }
    }
};

enum class Look : std::uint8_t { one_by_one, spans_of_one, one_then_a_span, all_at_once };

/// Messages are pushed two at a time. A consumer that finds the first must find the second, in whatever way it pops,
/// and whether or not the producer has counted them yet.
template <Look How>
class Together : public OneRing<4> {
  public:
    Together() : OneRing<4>{below_wrap(3)} {
        make_producer();
        make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) {
            push_some(1, 2);
            push_some(3, 2);
        } else {
            look();
            look();
        }
    }

  private:
    void look() {
        const char* claim = "a consumer that finds the first of two finds the second";
        if (How == Look::one_by_one && pop()) require(pop(), claim);
        if (How == Look::spans_of_one && pop_some(1) == 1) require(pop_some(1) == 1, claim);
        if (How == Look::one_then_a_span && pop()) require(pop_some(1) == 1, claim);
        if (How == Look::all_at_once) require(pop_some(4) % 2 == 0, "two pushed at once are popped at once");
    }
};

/// Each end tries again until all messages have passed.
template <std::size_t Capacity>
class Stream : public OneRing<Capacity> {
  public:
    Stream(std::uint64_t first_index, std::uint64_t messages) : OneRing<Capacity>{first_index}, messages_{messages} {
        this->make_producer();
        this->make_consumer();
    }
    void run(int thread) override {
        for (std::uint64_t number = 1; number <= messages_;) {
            if (thread == 0 ? this->push(number) : this->pop()) {
                ++number;
            } else {
                loom_yield();
            }
        }
    }

  private:
    std::uint64_t messages_;
};

/// Each thread takes its end when the other may be ahead already.
template <std::size_t Capacity>
class LateEnds : public OneRing<Capacity> {
  public:
    explicit LateEnds(std::uint64_t first_index) : OneRing<Capacity>{first_index} {
        this->make_producer();
        for (std::size_t number = 1; number <= Capacity; ++number) this->push(number);
        this->producer.reset();
    }
    void run(int thread) override {
        if (thread == 0) {
            this->make_producer();
            this->push(11);
            this->push(12);
        } else {
            this->make_consumer();
            this->pop();
            this->pop();
        }
    }
};

/// Two threads take one end in turn. The next holder must see all that the last one did. `which` is that end; a third
/// thread uses the other one meanwhile.
template <Role Which>
class Handover : public OneRing<2> {
  public:
    Handover() : OneRing<2>{below_wrap(1)} {
        if (Which == Role::producer) {
            make_consumer();
        } else {
            make_producer();
            push(1);
            push(2);
        }
    }
    void run(int thread) override {
        if (thread == 2) {
            other_end();
        } else if constexpr (Which == Role::producer) {
            hold<Producer<RingType>>(producer, [&] { push(10 + static_cast<std::uint64_t>(thread)); });
        } else {
            hold<Consumer<RingType>>(consumer, [&] { pop(); });
        }
    }

  private:
    void other_end() {
        if (Which == Role::producer) {
            pop();
        } else {
            push(3);
        }
    }

    /// Takes the end, or does nothing if the other thread has it.
    template <class End>
    void hold(std::unique_ptr<End>& end, const auto& act) {
        std::unique_ptr<End> mine;
        try {
            mine = std::make_unique<End>(ring);
        } catch (const EndTakenError&) {
            return;
        }
        // Plain memory that only the holder uses. loom reports it if two holders are not ordered.
        std::uint64_t turns = 0;
        const auto look = [&turns](std::uint64_t seen) { turns = seen; };
        turns_.read(look);
        turns_.write(turns + 1);
        end = std::move(mine);
        act();
        end.reset();
    }

    LoomMemory::Cell<std::uint64_t> turns_;
};

/// A third thread reads size() while both ends work: on a ring of two that never holds more than one, and on a ring of
/// one that is full at first.
template <std::size_t Capacity>
class Watcher : public OneRing<Capacity> {
  public:
    Watcher() : OneRing<Capacity>{below_wrap(1)} {
        this->make_producer();
        this->make_consumer();
        if (Capacity == 1) this->push(1);
    }
    void run(int thread) override {
        if (thread == 0) {
            this->push(2);
        } else if (thread == 1) {
            this->pop();
        } else {
            require(this->ring.size() <= 1, "size() is at most what ever waited, and at most the capacity");
        }
    }
};

/// Each end's thread relies on size().
class TrustedSize : public OneRing<2> {
  public:
    TrustedSize() : OneRing<2>{below_wrap(1)} {
        make_producer();
        make_consumer();
        push(number_);
    }
    void run(int thread) override {
        const std::size_t waiting = ring.size();
        if (thread == 0) {
            require(waiting <= 1, "size() is at most what ever waited");
            for (std::size_t room = 2 - waiting; room > 0; --room)
                require(push(++number_), "there is the room that size() said");
        } else {
            for (std::size_t left = waiting; left > 0; --left) require(pop(), "as many wait as size() said");
        }
    }

  private:
    std::uint64_t number_ = 1;
};

/// The same for spans: all messages that the consumer's thread counts must be there.
class TrustedSizeOfSpans : public OneRing<4> {
  public:
    TrustedSizeOfSpans() : OneRing<4>{below_wrap(1)} {
        make_producer();
        make_consumer();
        push(1);
    }
    void run(int thread) override {
        if (thread == 0) {
            push_some(10, 2);
        } else {
            for (std::size_t left = ring.size(); left > 0; --left) require(pop(), "as many wait as size() said");
        }
    }
};

/// A message can be popped before its producer has counted it. No thread may see a tail that is behind the head, or one
/// that goes back.
template <int Watching>
class TailIsNeverBehind : public OneRing<2> {
  public:
    TailIsNeverBehind() : OneRing<2>{below_wrap(1)} {
        make_producer();
        make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) push(1);
        if (thread == 1) pop();
        if (thread == Watching) {
            const std::uint64_t head = ring.head();
            const std::uint64_t tail = ring.tail();
            require(tail - head <= 1, "the tail is not behind the head");
            require(ring.tail() - tail <= 1, "the tail does not go back");
        }
    }
};

/// Before which of its accesses an end dies. A scenario is explored once for each.
std::uint64_t death = 0;

void die(Role role, const auto& act) {
    mortal = role;
    accesses_left = death;
    bool died = false;
    try {
        act();
    } catch (const Died&) {
        died = true;
    }
    mortal = Role::none;
    loom_set_role(Role::none);
    require(died, "it dies");
}

/// An end dies before one of its accesses, and another takes its place on the same thread: that orders them, as a proof
/// of death does.
template <std::size_t Capacity>
class Death : public OneRing<Capacity> {
  protected:
    using OneRing<Capacity>::OneRing;

    /// Takes the place of the end in `end`, which stays as it is in `dead`.
    template <class End>
    void take_over(std::unique_ptr<End>& end, std::unique_ptr<End>& dead) {
        loom_set_role(Role::heir);
        dead = std::exchange(end, std::make_unique<End>(End::take_over(this->ring)));
        loom_set_role(Role::none);
    }
};

/// A producer dies while it pushes two at once: it writes two messages, stamps the second and the first, and counts.
class ProducerDies : public Death<2> {
  public:
    static constexpr std::uint64_t accesses = 5;

    ProducerDies() : Death{below_wrap(1)} {
        make_producer();
        make_consumer();
    }
    void run(int thread) override {
        if (thread == 0) {
            die(Role::producer, [this] { push_some(1, 2); });
            if (death == accesses - 1) accepted = {1, 2};  // only their count was missing
            take_over(producer, dead_);
            push(3);
        } else {
            pop_some(2);
            pop();
        }
    }

  private:
    std::unique_ptr<Producer<RingType>> dead_;
};

/// A consumer dies while it takes two at once: it loads a stamp and the count, reads two messages and gives them back.
class ConsumerDies : public Death<2> {
  public:
    static constexpr std::uint64_t accesses = 5;

    ConsumerDies() : Death{below_wrap(1)} {
        make_producer();
        make_consumer();
        push_some(1, 2);
    }
    void run(int thread) override {
        if (thread == 0) {
            push(3);
            push(4);
        } else {
            std::vector<std::uint64_t> seen;
            const auto look = [&seen](const Numbered& message) {
                seen.push_back(message.whole() ? message.number : untouched);
            };
            die(Role::consumer, [this, &look] {
                loom_set_role(Role::consumer);
                consumer->consume(look, 2);
            });
            for (std::size_t place = 0; place < seen.size(); ++place) {
                require(seen[place] == place + 1, "a consumer that dies has seen the oldest messages");
            }
            take_over(consumer, dead_);
            pop();
            pop_some(2);
        }
    }

  private:
    std::unique_ptr<Consumer<RingType>> dead_;
};

/// A span ring with its storage. One thread pushes `Batch` elements at a time, as far as there is room, the other pops
/// as many at a time. Each makes a number of attempts, and accepts refusals.
template <std::size_t Capacity, std::size_t Batch>
class SpanAttempts : public Scenario {
  public:
    SpanAttempts(std::uint64_t first_index, int pushes, int pops)
        : ring_{first_index},
          producer_{std::make_unique<SpanProducer<RingType>>(ring_, Capacity)},
          consumer_{std::make_unique<SpanConsumer<RingType>>(ring_, Capacity)},
          pushes_{pushes},
          pops_{pops} {}

    void run(int thread) override {
        if (thread == 0) {
            for (int attempt = 0; attempt < pushes_; ++attempt) push(Batch);
        } else {
            for (int attempt = 0; attempt < pops_; ++attempt) pop(Batch);
        }
    }

    /// All elements came or come now, in order, and every place still works.
    void finish() override {
        max_messages = std::max(max_messages, pushed_);
        while (pop(Capacity) > 0) {
        }
        require(popped_ == pushed_, "every element is popped once");
        require(push(Capacity + 1) == Capacity, "an empty ring takes one element a place");
        require(push(1) == 0, "a full ring takes none");
        require(pop(Capacity + 1) == Capacity, "a full ring gives all it holds");
        require(pop(1) == 0, "an empty ring gives none");
        producer_.reset();
        consumer_.reset();
    }

  private:
    using RingType = SpanRing<LoomMemory>;
    using Cell = LoomMemory::Cell<Numbered>;

    std::size_t push(std::size_t most) {
        loom_set_role(Role::producer);
        const RingPlaces room = producer_->room(most);
        for (const std::span<Cell> piece : room.of(std::span{storage_})) {
            for (Cell& cell : piece) cell.write(Numbered::of(++pushed_));
        }
        if (room.size() > 0) producer_->push(room.size());
        loom_set_role(Role::none);
        require(room.size() <= most, "room() returns no more places than were wanted");
        if (room.size() < most) refused_pushes += threads_run;
        return room.size();
    }

    std::size_t pop(std::size_t most) {
        std::vector<Numbered> found;
        const auto read = [&found](const Numbered& element) { found.push_back(element); };
        loom_set_role(Role::consumer);
        const RingPlaces waiting = consumer_->waiting(most);
        for (const std::span<Cell> piece : waiting.of(std::span{storage_})) {
            for (const Cell& cell : piece) cell.read(read);
        }
        if (waiting.size() > 0) consumer_->pop(waiting.size());
        loom_set_role(Role::none);
        require(waiting.size() <= most, "waiting() returns no more places than were wanted");
        require(found.size() == waiting.size(), "each place is read");
        for (const Numbered& element : found) {
            require(element.whole(), "no element is torn");
            require(element.number == ++popped_, "every element is popped once and in order");
        }
        if (waiting.size() == 0) refused_pops += threads_run;
        return waiting.size();
    }

    RingType ring_;
    std::array<Cell, Capacity> storage_;
    std::unique_ptr<SpanProducer<RingType>> producer_;
    std::unique_ptr<SpanConsumer<RingType>> consumer_;
    std::uint64_t pushed_ = 0;  // the producer's thread counts these
    std::uint64_t popped_ = 0;  // the consumer's thread counts these
    int pushes_;
    int pops_;
};

/// One word, which cannot be torn: the smallest value.
struct Single {
    std::uint64_t number = 0;

    static Single of(std::uint64_t number) { return {number}; }
    [[nodiscard]] static bool whole() { return true; }
};

/// One thread writes a value again and again, other threads read sometimes.
template <class Value = Numbered>
class SeqlockOfWrites : public Scenario {
  public:
    static constexpr std::uint64_t accesses = 4;  // of a write that dies: it loads the count, stores two words and it

    /// A reader makes `tries` tries a read. If it `dies`, the writer does not end its last write.
    SeqlockOfWrites(std::uint64_t writes, int reads, int tries, bool dies = false)
        : writes_{writes}, reads_{reads}, tries_{tries}, dies_{dies} {
        latest_.write(Value::of(0));
    }

    void run(int thread) override {
        if (thread == 0) {
            while (written_ + (dies_ ? 1 : 0) < writes_) write();
            if (dies_) {
                die(Role::producer, [this] {
                    loom_set_role(Role::producer);
                    latest_.write(Value::of(writes_));
                });
            }
        } else {
            for (int attempt = 0; attempt < reads_; ++attempt) read(newest_.at(static_cast<std::size_t>(thread)));
        }
    }

    /// The last value is read by anyone, and the writer can go on, whoever it is.
    void finish() override {
        max_messages = std::max(max_messages, values_read_);
        for (std::uint64_t& newest : newest_) {
            require(read(newest), "a value is read if nobody writes");
            require(newest == written_, "the last value is read");
        }
        for (int round = 0; round < 2; ++round) {
            write();
            require(read(newest_[0]) && newest_[0] == written_, "a written value is read");
        }
    }

  private:
    void write() {
        loom_set_role(Role::producer);
        latest_.write(Value::of(written_ + 1));
        loom_set_role(Role::none);
        ++written_;
    }

    bool read(std::uint64_t& newest) {
        Value value = Value::of(newest);
        loom_set_role(Role::consumer);
        const bool found = latest_.read(value, tries_);
        loom_set_role(Role::none);
        require(value.whole(), "no value is torn");
        require(value.number >= newest, "the value does not go back");
        require(found || value.number == newest, "a read that gives up leaves the value as it was");
        if (value.number != newest) values_read_ += threads_run;
        if (!found) refused_pops += threads_run;
        newest = value.number;
        return found;
    }

    Seqlock<Value, LoomMemory> latest_;
    std::uint64_t writes_;
    int reads_;
    int tries_;
    bool dies_;
    std::uint64_t written_ = 0;
    std::array<std::uint64_t, 3> newest_{};  // by thread
    std::uint64_t values_read_ = 0;
};

/// What a view of parameters needs. 65 have two dirty words, so that one can be taken in turn and the other not.
template <std::size_t Size = 65>
class SomeParameters : public Scenario {
  protected:
    using Shared = SharedParameters<LoomMemory>;

    static constexpr std::size_t watched = 0;  // in the first dirty word

    void write(std::size_t place, double value) {
        loom_set_role(Role::producer);
        shared_.write(place, value);
        loom_set_role(Role::none);
    }

    /// Takes what was written. `turn` is where the last block was: from 0, this one looks at the second word in turn.
    void take(std::size_t& turn, const auto& taken) {
        if (loom_stays_in_turn()) turn = 0;
        bool some = false;
        loom_set_role(Role::consumer);
        shared_.take(turn, [&](std::size_t place, double value) {
            some = true;
            taken(place, value);
        });
        loom_set_role(Role::none);
        if (!some) refused_pops += threads_run;
    }

    std::array<SharedWord<LoomMemory>, Size> values_;
    std::array<SharedWord<LoomMemory>, Shared::dirty_words(Size)> dirty_;
    SharedWord<LoomMemory> summary_;
    Shared shared_{values_, dirty_, summary_};
};

/// One or two threads set a parameter again and again, the audio thread takes it once per block. It must find it by the
/// summary.
template <std::size_t Size = 65>
class ParameterWrites : public SomeParameters<Size> {
  public:
    ParameterWrites(int writers, int writes, int blocks) : writers_{writers}, writes_{writes}, blocks_{blocks} {}

    void run(int thread) override {
        if (thread == 0) {
            for (int block = 0; block < blocks_; ++block) take_block();
        } else {
            for (int number = 1; number <= writes_; ++number) this->write(this->watched, 10 * thread + number);
        }
    }

    void finish() override {
        max_messages = std::max(max_messages, values_taken_);
        take_block();
        require(newest_ == this->shared_.get(this->watched), "the last value is taken");
        require(!take_block(), "the last value is taken once");
        this->write(this->watched, newest_);
        require(take_block(), "a value written again is taken again");
    }

  private:
    bool take_block() {
        bool taken = false;
        std::size_t turn = 0;
        this->take(turn, [&](std::size_t place, double value) {
            require(place == this->watched, "only what was written is taken");
            require(value > 0, "only written values are taken");
            require(writers_ > 1 || value >= newest_, "the value does not go back");
            if (value != newest_) values_taken_ += threads_run;
            newest_ = value;
            taken = true;
        });
        return taken;
    }

    int writers_;
    int writes_;
    int blocks_;
    double newest_ = 0;
    std::uint64_t values_taken_ = 0;
};

/// One thread sets one parameter, and then, in one call, others on both sides of a word's end.
class SeveralParameters : public SomeParameters<> {
  public:
    void run(int thread) override {
        if (thread == 0) {
            take_block();
        } else {
            write(62, 3);
            loom_set_role(Role::producer);
            shared_.write(63, std::array{1.0, 2.0});
            loom_set_role(Role::none);
        }
    }
    void finish() override {
        max_messages = std::max(max_messages, values_taken_);
        take_block();
        require(newest_ == std::array{3.0, 1.0, 2.0}, "all that was written is taken");
    }

  private:
    void take_block() {
        std::size_t turn = 1;
        take(turn, [&](std::size_t place, double value) {
            values_taken_ += threads_run;
            newest_.at(place - 62) = value;
        });
    }

    std::array<double, 3> newest_{};
    std::uint64_t values_taken_ = 0;
};

/// A writer dies. If it had set the bit of its parameter, but not that of the word, the audio thread finds it in turn.
class DyingWriter : public SomeParameters<> {
  public:
    static constexpr std::uint64_t accesses = 3;  // the value, the bit, the word's bit

    void run(int thread) override {
        if (thread == 0) {
            take_block();
        } else {
            die(Role::producer, [this] { write(watched, 7); });
        }
    }
    void finish() override {
        max_messages = std::max(max_messages, values_taken_);
        take_block();
        take_block();
        require(newest_ == (death == accesses - 1 ? 7 : 0), "what a dead writer marked is taken in turn, and no more");
        write(watched, 8);
        take_block();
        require(newest_ == 8, "another writer can go on");
    }

  private:
    void take_block() {
        take(turn_, [&](std::size_t place, double value) {
            require(place == watched, "only what was written is taken");
            values_taken_ += threads_run;
            newest_ = value;
        });
    }

    std::size_t turn_ = 1;  // so that the first block looks at the first word in turn
    double newest_ = 0;
    std::uint64_t values_taken_ = 0;
};

/// The faults of the mutants of buffers and streams. The numbers are those of src/memory.rs.
enum class Wrong : std::uint8_t {
    sends_back_the_new = 1,
    frees_too_early = 2,
    reads_on = 3,
    accepts_twice = 4,
    clears_too_much = 5
};

bool does(Wrong wrong) {
    return loom_hands_over_wrong(static_cast<std::uint8_t>(wrong));
}

/// The control side hands over more buffers than there are handles, and overwrites a buffer as soon as it owns it
/// again. The audio thread swaps them, and reads the buffer in its slot once per block.
class BufferHandover : public Scenario {
  public:
    /// Every `drop`th command is discarded. 0: none. With `copies`, a command comes early too, before its buffer is
    /// offered: only one of the two is applied. With `loaded`, there is no slot: the audio thread keeps the handle of
    /// the newest buffer, and releases the one before.
    BufferHandover(std::uint64_t buffers, int blocks, std::uint64_t drop, bool copies = false, bool loaded = false)
        : buffers_{buffers}, blocks_{blocks}, drop_{drop}, copies_{copies}, loaded_{loaded} {}

    void run(int thread) override {
        if (thread == 0) {
            for (std::uint64_t number = 1; number <= buffers_; ++number) publish(number);
        } else {
            for (int number = 0; number < blocks_; ++number) block();
        }
    }

    /// The last buffer is in the slot, all others are back, and every handle still works.
    void finish() override {
        max_messages = std::max(max_messages, seen_);
        // A mutant's counts are wrong in any case. loom has to see the access itself.
        if (does_any_wrong()) {
            sides_.reset();
            return;
        }
        block();
        collect();
        require(newest_ == last_applied_, "the last buffer is in the slot");
        require(sides_->handles.taken() == (newest_ > 0 ? 1 : 0), "all others came back");
        drop_ = 0;
        for (std::uint64_t number = 101; number <= 104; ++number) {
            require(publish(number), "a handle is free again");
            block();
            require(newest_ == number, "a buffer that was handed over is in the slot");
        }
        require(sides_->commands.try_push({0, no_buffer}) == Status::ok, "there is room");
        block();
        collect();
        require(held() == nullptr && sides_->handles.taken() == 0, "an empty slot holds nothing");
        sides_.reset();
    }

  private:
    static constexpr std::size_t handle_count = 2;

    /// A handle stands for this: a buffer with its samples, so that loom sees who reads and writes.
    struct Place {
        LoomMemory::Cell<Numbered> samples;
    };
    using Table = BufferTable<Place, LoomMemory>;
    using Slots = BufferSlotsOf<Place, LoomMemory>;
    using Handles = BufferHandles<Place, LoomMemory>;
    using Commands = Ring<PublishBuffer, 2 * handle_count, LoomMemory>;

    static constexpr std::uint64_t freed = 999;

    static bool does_any_wrong() {
        return does(Wrong::sends_back_the_new) || does(Wrong::frees_too_early) || does(Wrong::reads_on) ||
               does(Wrong::accepts_twice);
    }

    void collect() {
        sides_->handles.collect(sides_->handles.returned(),
                                [this](BufferHandle handle) { table_[handle].samples.write(Numbered::of(freed)); });
    }

    bool publish(std::uint64_t number) {
        collect();
        const auto handle = sides_->handles.take();
        if (!handle) {
            refused_pushes += threads_run;
            return false;
        }
        if (copies_) push(*handle);
        table_[*handle].samples.write(Numbered::of(number));
        table_.offer(*handle);
        push(*handle);
        ++sent_;
        if (drop_ == 0 || sent_ % drop_ != 0) last_applied_ = number;
        if (does(Wrong::frees_too_early) && before_ != no_buffer) table_[before_].samples.write(Numbered::of(freed));
        before_ = *handle;
        return true;
    }

    void push(BufferHandle handle) {
        require(sides_->commands.try_push({0, handle}) == Status::ok, "there is room for two commands a handle");
    }

    [[nodiscard]] const Place* held() const { return loaded_ ? sides_->slots.loaded(current_) : sides_->slots.at(0); }

    void block() {
        PublishBuffer command;
        const Place* before = held();
        while (sides_->taken.try_pop(command) == Status::ok) {
            ++popped_;
            if (does(Wrong::accepts_twice)) entries_[place_of(command.handle)].accepted = 0;
            if (drop_ != 0 && popped_ % drop_ == 0) {
                sides_->slots.discard(command);
            } else if (does(Wrong::sends_back_the_new)) {
                sides_->slots.discard(command);
                before = &table_[command.handle];
            } else if (loaded_) {
                require(current_ == no_buffer || sides_->slots.release(current_), "what is loaded can be released");
                require(!sides_->slots.release(current_), "it can be released once");
                current_ = command.handle;
                require(current_ == no_buffer || held() != nullptr, "a handle of ours is loaded");
            } else {
                require(sides_->slots.apply(command) || copies_, "a command of ours is applied");
            }
        }
        const bool reads_the_old = does_any_wrong() && !does(Wrong::accepts_twice);
        if (before == nullptr || !reads_the_old) before = held();
        const Place* const place = before;
        if (place == nullptr) {
            refused_pops += threads_run;
            return;
        }
        Numbered samples;
        const auto read = [&samples](const Numbered& found) { samples = found; };
        place->samples.read(read);
        require(samples.whole(), "no buffer is torn");
        require(samples.number != freed, "no buffer is read that was freed");
        require(samples.number >= newest_, "no older buffer comes back");
        if (samples.number != newest_) seen_ += threads_run;
        newest_ = samples.number;
    }

    std::array<Table::Entry, handle_count> entries_;
    std::array<Table::ReturnCell, handle_count> return_cells_;
    Table::Returns returns_;
    Table table_{entries_, return_cells_, returns_};
    std::array<BufferHandle, 1> slot_;
    Commands ring_;
    /// On the heap until finish(), as the ends of a ring.
    struct Sides {
        explicit Sides(BufferHandover& all)
            : slots{all.table_, all.slot_}, taken{all.ring_}, handles{all.table_}, commands{all.ring_} {}
        Slots slots;
        Consumer<Commands> taken;
        Handles handles;
        Producer<Commands> commands;
    };
    std::unique_ptr<Sides> sides_ = std::make_unique<Sides>(*this);

    std::uint64_t popped_ = 0;  // the first three belong to the audio thread, those below to the control side
    std::uint64_t newest_ = 0;
    std::uint64_t seen_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t last_applied_ = 0;
    BufferHandle before_ = no_buffer;
    std::uint64_t buffers_;
    int blocks_;
    std::uint64_t drop_;
    bool copies_;
    bool loaded_;
    BufferHandle current_ = no_buffer;
};

/// A sample that loom sees. Its number is small, so that a float holds it.
class Sample {
  public:
    Sample& operator=(float value) {
        cell_.write(Numbered::of(static_cast<std::uint64_t>(value)));
        return *this;
    }
    operator float() const {
        // On the heap, because a mutant reads later.
        const auto found = std::make_shared<Numbered>(Numbered::of(0));
        const auto read = [found](const Numbered& number) { *found = number; };
        cell_.read(read);
        require(found->whole(), "no sample is torn");
        return static_cast<float>(found->number);
    }

  private:
    LoomMemory::Cell<Numbered> cell_;
};

/// The audio thread records a block of `Block` frames again and again. The reader makes a number of attempts to read
/// `Block` frames. The sample of a frame is the frame.
template <std::size_t Capacity, std::size_t Marks, std::size_t Block>
class RecordingWithGaps : public Scenario {
  public:
    /// If `gaps` is not 0, the ring is full at first, and has as many gaps, of a block each.
    RecordingWithGaps(int blocks, int reads, int gaps = 0) : blocks_{blocks}, reads_{reads} {
        ends_->producer.start(frame_);
        for (std::size_t frame = 0; gaps > 0 && frame < Capacity; frame += Block) record();
        for (int gap = 0; gap < gaps; ++gap) {
            record();
            read();
            record();
        }
    }

    void run(int thread) override {
        if (thread == 0) {
            for (int block = 0; block < blocks_; ++block) record();
        } else {
            for (int attempt = 0; attempt < reads_; ++attempt) read();
        }
    }

    /// Every frame was read, or is said to be lost.
    void finish() override {
        max_messages = std::max(max_messages, read_);
        ends_->producer.stop(frame_);
        loom_set_role(Role::producer);
        ends_->producer.publish();
        loom_set_role(Role::none);
        bool ended = false;
        for (std::size_t attempt = 0; attempt < 4 * Capacity + 4 && !ended; ++attempt) ended = read();
        require(ended, "the end is found");
        RecordingState state;
        require(shared_.state.read(state), "a state is read if nobody writes");
        require(read_ == state.recorded && lost_ == state.lost, "both sides count the same frames");
        require(read_ + lost_ == frame_ - first, "every frame is accounted for");
        refused_pushes += lost_;
        ends_.reset();
    }

  private:
    static constexpr std::uint64_t first = 100;  // frame of the recording

    void record() {
        std::array<float, Block> input{};
        for (std::size_t at = 0; at < Block; ++at) input.at(at) = static_cast<float>(frame_ + at);
        const std::array<const float*, 1> inputs{input.data()};
        loom_set_role(Role::producer);
        ends_->producer.record(inputs, frame_, Block);
        do_delayed(Role::producer);  // of the mutant that swaps stores
        loom_set_role(Role::none);
        frame_ += Block;
    }

    /// Returns whether it was the end.
    bool read() {
        std::array<float, Block> samples{};
        // The reader looks for the end only if nothing waits. No thread writes it meanwhile, so it is left out.
        if (threads_run && shared_.frames.tail() == read_) {
            ++refused_pops;
            return false;
        }
        loom_set_role(Role::consumer);
        const auto run = ends_->consumer.read(samples);
        loom_set_role(Role::none);
        require(run.frame == next_ + run.lost, "a run says how many frames are missing before it");
        for (std::size_t at = 0; at < run.frames; ++at) {
            require(samples.at(at) == static_cast<float>(run.frame + at), "a frame has its samples");
        }
        next_ = run.frame + run.frames;
        read_ += run.frames;
        lost_ += run.lost;
        return run.ended;
    }

    using Shared = SharedRecording<LoomMemory>;
    using MarkCell = LoomMemory::Cell<RecordingMark>;

    Shared shared_;
    std::array<Sample, Capacity> samples_;
    std::array<MarkCell, Marks> marks_;
    struct Ends {
        explicit Ends(RecordingWithGaps& all)
            : producer{all.shared_, std::span{all.samples_}, std::span{all.marks_}, 1},
              consumer{all.shared_, std::span<const Sample>{all.samples_}, std::span<const MarkCell>{all.marks_}, 1} {}
        RecordingProducer<LoomMemory, Sample> producer;
        RecordingConsumer<LoomMemory, Sample> consumer;
    };
    std::unique_ptr<Ends> ends_ = std::make_unique<Ends>(*this);
    std::uint64_t frame_ = first;  // the audio thread's
    std::uint64_t next_ = first;   // these are the reader's
    std::uint64_t read_ = 0;
    std::uint64_t lost_ = 0;
    int blocks_;
    int reads_;
};

/// A recording ends while its reader looks for frames or for the end.
class RecordingEnds : public Scenario {
  public:
    RecordingEnds() { ends_->producer.start(first); }

    void run(int thread) override {
        if (thread == 0) {
            loom_set_role(Role::producer);
            const std::array<float, 1> input{1};
            const std::array<const float*, 1> inputs{input.data()};
            ends_->producer.stop(first + 1);
            ends_->producer.record(inputs, first, 1);
            loom_set_role(
                Role::none);  // a seqlock that counts wrongly lets a read try for ever; it has its own mutants
            ends_->producer.publish();
        } else {
            read();
        }
    }
    void finish() override {
        max_messages = std::max(max_messages, read_);
        bool ended = false;
        for (int attempt = 0; attempt < 4 && !ended; ++attempt) ended = read();
        require(ended, "the end is found");
        require(read_ == 1, "the last frame is read before the end");
        ends_.reset();
    }

  private:
    static constexpr std::uint64_t first = 100;

    bool read() {
        std::array<float, 1> sample{};
        loom_set_role(Role::consumer);
        const auto run = ends_->consumer.read(sample);
        loom_set_role(Role::none);
        require(run.lost == 0, "no frame is lost");
        read_ += run.frames;
        if (run.frames == 0) refused_pops += threads_run;
        require(!run.ended || (read_ == 1 && run.frame == first + 1), "the end comes after the last frame");
        return run.ended;
    }

    using MarkCell = LoomMemory::Cell<RecordingMark>;

    SharedRecording<LoomMemory> shared_;
    std::array<Sample, 1> samples_;
    std::array<MarkCell, 1> marks_;
    struct Ends {
        explicit Ends(RecordingEnds& all)
            : producer{all.shared_, std::span{all.samples_}, std::span{all.marks_}, 1},
              consumer{all.shared_, std::span<const Sample>{all.samples_}, std::span<const MarkCell>{all.marks_}, 1} {}
        RecordingProducer<LoomMemory, Sample> producer;
        RecordingConsumer<LoomMemory, Sample> consumer;
    };
    std::unique_ptr<Ends> ends_ = std::make_unique<Ends>(*this);
    std::uint64_t read_ = 0;
};

/// The control side writes frames, the last ones of a sentence, clears them, and writes another. The audio thread plays
/// blocks meanwhile.
class PlaybackWithClear : public Scenario {
  public:
    PlaybackWithClear(std::size_t sentence, int blocks) : sentence_{sentence}, blocks_{blocks} {
        ends_->consumer.start();
    }

    void run(int thread) override {
        if (thread == 0) {
            write(sentence_, true);
            const std::uint64_t up_to = ends_->producer.clear_up_to();
            if (does(Wrong::clears_too_much)) {
                write(1, false);
                require(ends_->clears.try_push(ends_->producer.clear_up_to()) == Status::ok, "there is room");
            } else {
                require(ends_->clears.try_push(up_to) == Status::ok, "there is room");
                write(1, false);
            }
        } else {
            for (int number = 0; number < blocks_; ++number) block();
        }
    }

    void finish() override {
        max_messages = std::max(max_messages, heard_);
        for (std::size_t number = 0; number <= capacity; ++number) block();
        PlaybackPosition position;
        ends_->consumer.publish(0);
        require(read_position(shared_, position), "a position is read if nobody writes");
        require(position.waiting == 0 && position.written == written_, "every frame was played or cleared");
        require(position.played == heard_, "what counts as played was heard");
        require(last_heard_ == sample_of(written_), "what is written after a clear is heard");
        ends_.reset();
    }

  private:
    static constexpr std::size_t capacity = 4;

    /// An odd number, so that the half of it, which the ramp of one frame leaves, is no sample.
    static float sample_of(std::uint64_t number) { return static_cast<float>(2 * number - 1); }

    void write(std::size_t frames, bool last) {
        std::vector<float> samples;
        for (std::size_t frame = 0; frame < frames; ++frame) samples.push_back(sample_of(++written_));
        loom_set_role(Role::producer);
        const std::size_t taken = ends_->producer.write(samples, last);
        loom_set_role(Role::none);
        require(taken == frames, "there is room for all");
    }

    void block() {
        std::uint64_t up_to = 0;
        if (ends_->commands.try_pop(up_to) == Status::ok) {
            require(ends_->consumer.clear(up_to), "a clear is never refused");
            cleared_ = true;
        }
        float output = 0;
        const std::array<float*, 1> outputs{&output};
        loom_set_role(Role::consumer);
        ends_->consumer.mix(outputs, 1);
        loom_set_role(Role::none);
        if (output == 0) {
            refused_pops += threads_run;
            return;
        }
        ++heard_;
        const bool fades = output != static_cast<float>(static_cast<int>(output));
        require(!fades || cleared_, "only a clear fades");
        const float sample = fades ? 2 * output : output;
        require(sample > last_heard_, "every frame is played once and in order");
        last_heard_ = sample;
    }

    SharedPlayback<LoomMemory> shared_;
    std::array<Sample, capacity> samples_;
    Ring<std::uint64_t, 2, LoomMemory> clears_;
    struct Ends {
        explicit Ends(PlaybackWithClear& all)
            : producer{all.shared_, std::span{all.samples_}, 1},
              consumer{all.shared_, std::span<const Sample>{all.samples_}, 1, 1},
              clears{all.clears_},
              commands{all.clears_} {}
        PlaybackProducer<LoomMemory, Sample> producer;
        PlaybackConsumer<LoomMemory, Sample> consumer;
        Producer<Ring<std::uint64_t, 2, LoomMemory>> clears;
        Consumer<Ring<std::uint64_t, 2, LoomMemory>> commands;
    };
    std::unique_ptr<Ends> ends_ = std::make_unique<Ends>(*this);
    std::size_t sentence_;
    int blocks_;
    std::uint64_t written_ = 0;  // the control side's
    std::uint64_t heard_ = 0;    // the audio thread's
    float last_heard_ = 0;
    bool cleared_ = false;
};

/// The control side writes frames, the last ones for now. With `watches`, it reads the position meanwhile, while the
/// audio thread publishes it.
class PlaybackToItsEnd : public Scenario {
  public:
    PlaybackToItsEnd(std::size_t frames, int blocks, bool watches)
        : frames_{frames}, blocks_{blocks}, watches_{watches} {
        ends_->consumer.start();
    }

    void run(int thread) override {
        if (thread == 0) {
            const std::vector<float> samples(frames_, 1);
            loom_set_role(Role::producer);
            require(ends_->producer.write(samples, true) == frames_, "there is room for all");
            loom_set_role(Role::none);
            PlaybackPosition position;
            if (watches_ && read_position(shared_, position)) {
                require(position.written == frames_ && position.waiting <= frames_, "a position adds up");
            }
        } else {
            for (int number = 0; number < blocks_; ++number) block();
        }
    }
    void finish() override {
        max_messages = std::max(max_messages, heard_);
        for (std::size_t frame = 0; frame <= frames_; ++frame) block();
        ends_->consumer.publish(0);
        PlaybackPosition position;
        require(read_position(shared_, position), "a position is read if nobody writes");
        require(heard_ == frames_ && position.played == frames_, "every frame is played once");
        require(position.underrun == 0, "it is no underrun to reach the end mark");
        ends_.reset();
    }

  private:
    void block() {
        float output = 0;
        const std::array<float*, 1> outputs{&output};
        loom_set_role(Role::consumer);
        ends_->consumer.mix(outputs, 1);
        if (threads_run && watches_) ends_->consumer.publish(0);
        loom_set_role(Role::none);
        if (output == 0) refused_pops += threads_run;
        if (output != 0) ++heard_;
    }

    SharedPlayback<LoomMemory> shared_;
    std::array<Sample, 2> samples_;
    struct Ends {
        explicit Ends(PlaybackToItsEnd& all)
            : producer{all.shared_, std::span{all.samples_}, 1},
              consumer{all.shared_, std::span<const Sample>{all.samples_}, 1} {}
        PlaybackProducer<LoomMemory, Sample> producer;
        PlaybackConsumer<LoomMemory, Sample> consumer;
    };
    std::unique_ptr<Ends> ends_ = std::make_unique<Ends>(*this);
    std::size_t frames_;
    int blocks_;
    bool watches_;
    std::uint64_t heard_ = 0;  // the audio thread's
};

struct Entry {
    const char* name;
    int threads;
    bool takes_turns;  // if a word has several loaders, or one that stores it: see src/memory.rs
    std::unique_ptr<Scenario> (*make)();
    const char* source = "ring.hpp";
    std::uint64_t deaths = 1;  // it is explored once for each
};

template <class Kind, auto... Arguments>
std::unique_ptr<Scenario> make() {
    return std::make_unique<Kind>(Arguments...);
}

// src/main.rs has a floor for each, by name. Long ones come first, so that others run beside them. --quick leaves out
// those named "slow:". They take three quarters of the time, and no mutant needs them.
constexpr Entry entries[] = {
    {"slow: capacity 4: 7 pushes, 5 pops", 2, false, make<Attempts<4>, below_wrap(2), 7, 5>},
    {"slow: capacity 2: 6 pushes, 5 pops", 2, false, make<Attempts<2>, below_wrap(2), 6, 5>},
    {"slow: capacity 1: 4 messages through", 2, false, make<Stream<1>, below_wrap(2), std::uint64_t{4}>},
    {"capacity 4: 6 pushes, 3 pops", 2, false, make<Attempts<4>, below_wrap(2), 6, 3>},
    {"capacity 2: 4 pushes, 3 pops", 2, false, make<Attempts<2>, below_wrap(2), 4, 3>},
    {"capacity 1: 3 messages through", 2, false, make<Stream<1>, below_wrap(2), std::uint64_t{3}>},
    {"capacity 2: 4 messages through", 2, false, make<Stream<2>, below_wrap(3), std::uint64_t{4}>},
    {"capacity 4: spans and single ones", 2, false, make<Spans<4>, below_wrap(2), 2, 3>},
    {"capacity 2: spans and single ones", 2, false, make<Spans<2>, below_wrap(1), 2, 3>},
    {"two at once, popped one by one", 2, false, make<Together<Look::one_by_one>>},
    {"two at once, popped as spans", 2, false, make<Together<Look::spans_of_one>>},
    {"capacity 1: 3 pushes, 3 pops", 2, false, make<Attempts<1>, below_wrap(1), 3, 3>},
    {"capacity 2: 3 messages through", 2, false, make<Stream<2>, from_zero, std::uint64_t{3}>},
    {"capacity 1: ends taken late", 2, true, make<LateEnds<1>, below_wrap(1)>},
    {"capacity 2: ends taken late", 2, true, make<LateEnds<2>, below_wrap(1)>},
    {"two threads take the producer", 3, true, make<Handover<Role::producer>>},
    {"two threads take the consumer", 3, true, make<Handover<Role::consumer>>},
    {"a third thread watches", 3, true, make<Watcher<2>>},
    {"a third thread watches a ring of one", 3, true, make<Watcher<1>>},
    {"each end trusts size()", 2, true, make<TrustedSize>},
    {"two at once, popped both or none", 2, false, make<Together<Look::all_at_once>>},
    {"some given up, then others pushed", 2, false, make<GivesUp>},
    {"the first of two, then the rest", 2, false, make<Together<Look::one_then_a_span>>},
    {"the consumer trusts size() of spans", 2, true, make<TrustedSizeOfSpans>},
    {"the consumer watches the tail", 2, true, make<TailIsNeverBehind<1>>},
    {"a third thread watches the tail", 3, true, make<TailIsNeverBehind<2>>},
    {"a producer dies and is replaced", 2, true, make<ProducerDies>, "ring.hpp", ProducerDies::accesses},
    {"a consumer dies and is replaced", 2, true, make<ConsumerDies>, "ring.hpp", ConsumerDies::accesses},
    {"span ring of 4: 5 times 2, 4 times 2", 2, false, make<SpanAttempts<4, 2>, below_wrap(3), 5, 4>, "span_ring.hpp"},
    {"span ring of 2: 5 times 1, 4 times 1", 2, false, make<SpanAttempts<2, 1>, below_wrap(1), 5, 4>, "span_ring.hpp"},
    {"span ring of 4: 3 times 3, 3 times 3", 2, false, make<SpanAttempts<4, 3>, below_wrap(2), 3, 3>, "span_ring.hpp"},
    {"span ring of 1: 4 times 1, 4 times 1", 2, false, make<SpanAttempts<1, 1>, below_wrap(2), 4, 4>, "span_ring.hpp"},
    {"seqlock: 2 writes, 1 read", 2, true, make<SeqlockOfWrites<>, std::uint64_t{2}, 1, 1>, "seqlock.hpp"},
    {"seqlock: its writer dies", 2, true, make<SeqlockOfWrites<>, std::uint64_t{2}, 1, 1, true>, "seqlock.hpp",
     SeqlockOfWrites<>::accesses},
    {"parameters: 2 writes, 2 blocks", 2, true, make<ParameterWrites<>, 1, 2, 2>, "shared_parameters.hpp"},
    {"parameters: several at once", 2, true, make<SeveralParameters>, "shared_parameters.hpp"},
    {"parameters: a writer dies", 2, true, make<DyingWriter>, "shared_parameters.hpp", DyingWriter::accesses},
    {"buffers: 3 published, 2 blocks", 2, false, make<BufferHandover, std::uint64_t{3}, 2, std::uint64_t{0}>,
     "buffer.hpp"},
    {"buffers: 5 published, 4 blocks", 2, false, make<BufferHandover, std::uint64_t{5}, 4, std::uint64_t{0}>,
     "buffer.hpp"},
    {"buffers: some dropped", 2, false, make<BufferHandover, std::uint64_t{4}, 3, std::uint64_t{2}>, "buffer.hpp"},
    {"buffers: 4 loaded, 3 blocks", 2, false, make<BufferHandover, std::uint64_t{4}, 3, std::uint64_t{0}, false, true>,
     "buffer.hpp"},
    {"buffers: a copy of each command", 2, false, make<BufferHandover, std::uint64_t{2}, 2, std::uint64_t{0}, true>,
     "buffer.hpp"},
    {"recording: 4 blocks of 2, 3 reads", 2, false, make<RecordingWithGaps<4, 4, 2>, 4, 3>, "recording.hpp"},
    {"recording: 4 blocks of 1 through 1", 2, false, make<RecordingWithGaps<1, 2, 1>, 4, 3>, "recording.hpp"},
    {"recording: more gaps than marks", 2, false, make<RecordingWithGaps<4, 1, 1>, 3, 3, 3>, "recording.hpp"},
    {"recording: it ends", 2, true, make<RecordingEnds>, "recording.hpp"},
    {"playback: 2 frames cleared, 3 blocks", 2, false, make<PlaybackWithClear, std::size_t{2}, 3>, "playback.hpp"},
    {"playback: 3 frames cleared, 4 blocks", 2, false, make<PlaybackWithClear, std::size_t{3}, 4>, "playback.hpp"},
    {"playback: 2 frames to its end", 2, false, make<PlaybackToItsEnd, std::size_t{2}, 3, false>, "playback.hpp"},
    {"playback: a position beside a block", 2, true, make<PlaybackToItsEnd, std::size_t{1}, 1, true>, "playback.hpp"},
    // Only for --long: the first takes minutes, the others were never seen to end.
    {"long: capacity 2: 5 messages through", 2, false, make<Stream<2>, below_wrap(3), std::uint64_t{5}>},
    {"long: capacity 4: 5 messages through", 2, false, make<Stream<4>, below_wrap(2), std::uint64_t{5}>},
    {"long: seqlock: 1 write, 2 readers", 3, true, make<SeqlockOfWrites<Single>, std::uint64_t{1}, 1, 1>,
     "seqlock.hpp"},
    {"long: parameters: 2 writers, a block", 3, true, make<ParameterWrites<1>, 2, 1, 1>, "shared_parameters.hpp"},
};

}  // namespace

extern "C" {
std::size_t scenario_count() {
    return std::size(entries);
}
const char* scenario_name(std::size_t index) {
    return entries[index].name;
}
const char* scenario_source(std::size_t index) {
    return entries[index].source;
}
int scenario_threads(std::size_t index) {
    return entries[index].threads;
}
bool scenario_takes_turns(std::size_t index) {
    return entries[index].takes_turns;
}
std::uint64_t scenario_deaths(std::size_t index) {
    return entries[index].deaths;
}
Scenario* scenario_begin(std::size_t index, std::uint64_t chosen_death) {
    death = chosen_death;
    Scenario* scenario = entries[index].make().release();
    threads_run = true;
    return scenario;
}
void scenario_run(Scenario* scenario, int thread) {
    scenario->run(thread);
}
void scenario_finish(Scenario* scenario) {
    threads_run = false;
    scenario->finish();
    delete scenario;
}
std::uint64_t scenario_refused_pushes() {
    return refused_pushes;
}
std::uint64_t scenario_refused_pops() {
    return refused_pops;
}
std::uint64_t scenario_max_messages() {
    return max_messages;
}
}

}  // namespace cueline::model
