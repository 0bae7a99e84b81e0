// sealed_music.hpp: lets an engine make music beside a thread that is sealed or, under RealtimeSanitizer, watched by
// it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <cueline/device.hpp>

#include "sanitizers.hpp"
#include "sealed_engine.hpp"
#include "sealed_thread.hpp"

namespace cueline::test {

/// Lets an audio thread run as many blocks as the control side wants. So a test counts in blocks, and no thread has to
/// be fast enough.
class Pace {
  public:
    /// Runs the next block if it may run. [audio thread]
    template <class RunBlock>
    void run_if_let(RunBlock run_block) noexcept {
        const std::uint64_t ran = ran_.load(std::memory_order_relaxed);  // relaxed: only this thread writes it
        // Acquire pairs with the release in let_run(): what the control side did before belongs to the block.
        if (ran == may_run_.load(std::memory_order_acquire)) return;
        run_block();
        ran_.store(ran + 1, std::memory_order_release);
    }

    /// Lets so many more blocks run. [control thread, as the rest]
    void let_run(std::uint64_t blocks) noexcept { may_run_.fetch_add(blocks, std::memory_order_release); }

    /// Waits for all blocks that may run. After that, no block runs.
    void wait() const noexcept {
        // Acquire pairs with the release in run_if_let(): this thread sees what the blocks did.
        while (ran_.load(std::memory_order_acquire) < may_run_.load(std::memory_order_relaxed)) {  // relaxed: its own
        }
    }

    void run(std::uint64_t blocks) noexcept {
        let_run(blocks);
        wait();
    }

  private:
    std::atomic<std::uint64_t> may_run_ = 0;
    std::atomic<std::uint64_t> ran_ = 0;
};

/// Its last sample can be heard after Pace::wait().
class HeardDevice : public HandDevice {
  public:
    [[nodiscard]] float heard(std::size_t output) const { return heard_.at(output); }

  protected:
    void after_block(BlockCallback&, const AudioBlock& block) noexcept CUELINE_NONBLOCKING override {
        for (std::size_t output = 0; output < heard_.size(); ++output) {
            heard_[output] = block.output(output)[block.frames - 1];
        }
    }

  private:
    std::array<float, 2> heard_{};
};

/// Plays `rounds` rounds of a Story beside a sealed thread. Ends the process: with 0 if the story is complete, and
/// nothing was counted against the thread. A Story has run_block() for the audio thread, go_on(rounds), which plays
/// that many rounds, each of which does all that the others do, and is_complete(), which prints its counts.
template <class Story>
[[noreturn]] void be_sealed_over(int rounds) {
    constexpr int warm_up = 3;
    Story story;
    const Toll toll =
        run_blocks_sealed([&] { story.run_block(); }, [&] { story.go_on(warm_up); }, [&] { story.go_on(rounds); });
    const bool complete = story.is_complete();
    std::fprintf(stderr, "%s: page faults %llu, voluntary switches %llu, allocations %llu\n",
                 complete ? "complete" : "INCOMPLETE", static_cast<unsigned long long>(toll.page_faults),
                 static_cast<unsigned long long>(toll.voluntary_switches),
                 static_cast<unsigned long long>(toll.allocations));
    std::_Exit(complete && toll.page_faults + toll.voluntary_switches + toll.allocations == 0 ? 0 : 1);
}

/// Does the same on an ordinary thread, where RealtimeSanitizer ends the process at a call that is not allowed.
template <class Story>
bool is_complete_beside_a_thread(int rounds) {
    Story story;
    std::atomic<bool> over = false;
    std::thread audio{[&] {
        while (!over.load()) story.run_block();
    }};
    story.go_on(rounds);
    over.store(true);
    audio.join();
    return story.is_complete();
}

/// Tests that RealtimeSanitizer watches, too.
class SealedEngineMusic : public testing::Test {
  protected:
    void SetUp() override {
        if (!memory_is_the_systems) GTEST_SKIP() << "a sanitizer calls the system on any thread";
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fresh process: nothing else runs in it
    }

    template <class Story>
    static void expect_real_time_safe(int rounds) {
        if (realtime_sanitizer) {
            EXPECT_TRUE(is_complete_beside_a_thread<Story>(rounds));
        } else {
            EXPECT_EXIT(be_sealed_over<Story>(rounds), testing::ExitedWithCode(0),
                        "complete: page faults 0, voluntary switches 0, allocations 0");
        }
    }
};

}  // namespace cueline::test
