// scenarios.cpp: what the model's threads do with a ring, a latest value, a parameter or buffers, and what must be true
// of it.
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
#include <cueline/latest.hpp>
#include <cueline/parameter.hpp>
#include <cueline/ring.hpp>

#include "loom_memory.hpp"

namespace cueline::model {

extern "C" {
[[noreturn]] void loom_fail(const char* claim);  // throws
void loom_yield();
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

    /// Makes `count` messages, numbered from `first`. Gives up if there is room for more.
    void give_up_after(std::uint64_t first, std::size_t count) {
        Numbered next;
        const auto make = [&](std::size_t place) noexcept {
            next = Numbered::of(first + place);
            return place < count ? &next : nullptr;
        };
        loom_set_role(Role::producer);
        const std::size_t pushed = producer->produce(make, Capacity);
        loom_set_role(Role::none);
        require(pushed <= count, "produce appends no more than was made");
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

/// One thread writes a value again and again, another thread reads sometimes.
class LatestOfWrites : public Scenario {
  public:
    LatestOfWrites(std::uint64_t writes, int reads) : writes_{writes}, reads_{reads} {}

    void run(int thread) override {
        if (thread == 0) {
            while (written_ < writes_) write();
        } else {
            for (int attempt = 0; attempt < reads_; ++attempt) read();
        }
    }

    /// The last value was read, or is read now, and every slot still works.
    void finish() override {
        max_messages = std::max(max_messages, values_read_);
        read();
        require(newest_ == writes_, "the last value is read");
        require(!read(), "the last value is new only once");
        for (int round = 0; round < 4; ++round) {
            write();
            require(read() && newest_ == written_, "a written value is read");
        }
        write();
        write();
        require(read() && newest_ == written_, "of two written values the last is read");
    }

  private:
    void write() {
        loom_set_role(Role::producer);
        latest_.write(Numbered::of(++written_));
        loom_set_role(Role::none);
    }

    bool read() {
        Numbered value;
        loom_set_role(Role::consumer);
        const bool news = latest_.read(value);
        loom_set_role(Role::none);
        require(value.whole(), "no value is torn");
        require(value.number >= newest_, "the value does not go back");
        require(news == (value.number != newest_), "a value is new the first time that it is read");
        newest_ = value.number;
        (news ? values_read_ : refused_pops) += threads_run;
        return news;
    }

    Latest<Numbered, LoomMemory> latest_{Numbered::of(0)};
    std::uint64_t writes_;
    int reads_;
    std::uint64_t written_ = 0;
    std::uint64_t newest_ = 0;
    std::uint64_t values_read_ = 0;
};

/// The control side sets a parameter again and again, the audio thread reads once per block.
class ParameterWrites : public Scenario {
  public:
    ParameterWrites(int writes, int blocks) : writes_{writes}, blocks_{blocks} {}

    void run(int thread) override {
        if (thread == 0) {
            for (int number = 1; number <= writes_; ++number) write(number);
        } else {
            for (int block = 0; block < blocks_; ++block) read();
        }
    }

    void finish() override {
        max_messages = std::max(max_messages, values_read_);
        read();
        require(newest_ == writes_, "the last value is read");
        require(!read(), "the last value is read only once");
        write(writes_);
        require(read() && newest_ == writes_, "a value written again is read again");
    }

  private:
    void write(double value) {
        loom_set_role(Role::producer);
        shared_.write(value);
        loom_set_role(Role::none);
    }

    bool read() {
        double value = newest_;
        loom_set_role(Role::consumer);
        const bool written = shared_.read(seen_, value);
        loom_set_role(Role::none);
        require(value >= newest_, "the value does not go back");
        require(!written || value > 0, "only written values are read");
        newest_ = value;
        (written ? values_read_ : refused_pops) += threads_run;
        return written;
    }

    SharedParameter<LoomMemory> shared_;
    int writes_;
    int blocks_;
    std::uint64_t seen_ = 0;
    double newest_ = 0;
    std::uint64_t values_read_ = 0;
};

/// The faults of the buffer mutants. The numbers are those of src/memory.rs.
enum class Wrong : std::uint8_t { sends_back_the_new = 1, frees_too_early = 2, reads_on = 3 };

bool does(Wrong wrong) {
    return loom_hands_over_wrong(static_cast<std::uint8_t>(wrong));
}

/// The control side hands over more buffers than there are handles, and overwrites a buffer as soon as it owns it
/// again. The audio thread swaps them, and reads the buffer in its slot once per block.
class BufferHandover : public Scenario {
  public:
    /// Every `drop`th command is discarded. 0: none. With `copies`, a command comes early too, before its buffer is
    /// offered: only one of the two is applied.
    BufferHandover(std::uint64_t buffers, int blocks, std::uint64_t drop, bool copies = false)
        : buffers_{buffers}, blocks_{blocks}, drop_{drop}, copies_{copies} {
        sides_->slots.set_count(1);
    }

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
        require(sides_->slots.at(0) == nullptr && sides_->handles.taken() == 0, "an empty slot holds nothing");
        sides_.reset();
    }

  private:
    static constexpr std::size_t handle_count = 2;

    /// A handle stands for this: a buffer with its samples, so that loom sees who reads and writes.
    struct Place {
        LoomMemory::Cell<Numbered> samples;
    };
    using Slots = BufferSlotsOf<Place, handle_count, LoomMemory>;
    using Handles = BufferHandles<handle_count, LoomMemory>;
    using Commands = Ring<PublishBuffer, 2 * handle_count, LoomMemory>;

    static constexpr std::uint64_t freed = 999;

    static bool does_any_wrong() {
        return does(Wrong::sends_back_the_new) || does(Wrong::frees_too_early) || does(Wrong::reads_on);
    }

    void collect() {
        sides_->handles.collect([this](BufferHandle handle) { table_[handle].samples.write(Numbered::of(freed)); });
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

    void block() {
        PublishBuffer command;
        const Place* before = sides_->slots.at(0);
        while (sides_->taken.try_pop(command) == Status::ok) {
            ++popped_;
            if (drop_ != 0 && popped_ % drop_ == 0) {
                sides_->slots.discard(command);
            } else if (does(Wrong::sends_back_the_new)) {
                sides_->slots.discard(command);
                before = &std::as_const(table_)[command.handle];
            } else {
                require(sides_->slots.apply(command) || copies_, "a command of ours is applied");
            }
        }
        if (before == nullptr || !does_any_wrong()) before = sides_->slots.at(0);
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

    Slots::Table table_;
    Slots::Returns returns_;
    Commands ring_;
    /// On the heap until finish(), as the ends of a ring.
    struct Sides {
        explicit Sides(BufferHandover& all)
            : slots{all.table_, all.returns_}, taken{all.ring_}, handles{all.returns_}, commands{all.ring_} {}
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
};

struct Entry {
    const char* name;
    int threads;
    bool takes_turns;  // if a word has several loaders, or one that stores it: see src/memory.rs
    std::unique_ptr<Scenario> (*make)();
    const char* source = "ring.hpp";
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
    {"latest: 2 writes, 2 reads", 2, true, make<LatestOfWrites, std::uint64_t{2}, 2>, "latest.hpp"},
    {"latest: 4 writes, 3 reads", 2, true, make<LatestOfWrites, std::uint64_t{4}, 3>, "latest.hpp"},
    {"slow: latest: 3 writes, 5 reads", 2, true, make<LatestOfWrites, std::uint64_t{3}, 5>, "latest.hpp"},
    {"parameter: 2 writes, 2 blocks", 2, false, make<ParameterWrites, 2, 2>, "parameter.hpp"},
    {"parameter: 3 writes, 4 blocks", 2, false, make<ParameterWrites, 3, 4>, "parameter.hpp"},
    {"buffers: 3 published, 2 blocks", 2, false, make<BufferHandover, std::uint64_t{3}, 2, std::uint64_t{0}>,
     "buffer.hpp"},
    {"buffers: 5 published, 4 blocks", 2, false, make<BufferHandover, std::uint64_t{5}, 4, std::uint64_t{0}>,
     "buffer.hpp"},
    {"buffers: some dropped", 2, false, make<BufferHandover, std::uint64_t{4}, 3, std::uint64_t{2}>, "buffer.hpp"},
    {"buffers: a copy of each command", 2, false, make<BufferHandover, std::uint64_t{2}, 2, std::uint64_t{0}, true>,
     "buffer.hpp"},
    // Only for --long: the first takes minutes, the second was never seen to end.
    {"long: capacity 2: 5 messages through", 2, false, make<Stream<2>, below_wrap(3), std::uint64_t{5}>},
    {"long: capacity 4: 5 messages through", 2, false, make<Stream<4>, below_wrap(2), std::uint64_t{5}>},
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
Scenario* scenario_begin(std::size_t index) {
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
