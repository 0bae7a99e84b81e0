// rule_breakers.hpp: all that an audio thread may never do: mutants for every check of the audio path.
//
// `make effects` compiles this file as it is, and clang must refuse each act. `make rtsan` and `make test` include it
// with the compiler's rules off, run the acts inside a processor, and must catch each one at run time.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <cueline/processor.hpp>

namespace cueline::test {

// Holds a result, so that the compiler cannot remove the act.
inline void* volatile escaped = nullptr;

/// The control: a mutant without an act.
struct DoesNothing {
    static void act() noexcept CUELINE_NONBLOCKING {}
};

struct Allocates {
    static void act() noexcept CUELINE_NONBLOCKING {
        escaped = std::malloc(64);
        std::free(escaped);
    }
};

struct MakesALongString {
    static void act() noexcept CUELINE_NONBLOCKING {
        std::string text(100, 'x');
        escaped = text.data();
    }
};

struct GrowsAVector {
    static void act() noexcept CUELINE_NONBLOCKING {
        std::vector<int> numbers;
        numbers.push_back(1);
        escaped = numbers.data();
    }
};

struct LocksAMutex {
    static void act() noexcept CUELINE_NONBLOCKING {
        static std::mutex mutex;
        mutex.lock();
        mutex.unlock();
    }
};

struct Prints {
    static void act() noexcept CUELINE_NONBLOCKING { std::printf("a message\n"); }
};

struct Sleeps {
    static void act() noexcept CUELINE_NONBLOCKING { std::this_thread::sleep_for(std::chrono::nanoseconds{1}); }
};

struct Throws {
    static void act() noexcept CUELINE_NONBLOCKING {
        try {
            throw 1;
        } catch (int) {
            escaped = nullptr;
        }
    }
};

/// Accepts every kind, and does `Act` for each message.
template <class Act>
class RuleBreaker final : public Processor {
  public:
    void prepare(const Format&) override {}
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override {
        Act::act();
        return true;
    }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        quiet_.render(block, context);
    }

  private:
    SilenceProcessor quiet_;
};

}  // namespace cueline::test
