// any_device_test.cpp: tests that every device with its own thread must pass. Add a new kind of device to the list at
// the end. The tests check counts and rates only: on a busy machine nobody can promise when a thread wakes.
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>
#include <cueline/engine/open_device.hpp>
#include <cueline/engine_messages.hpp>

#include "beats.hpp"
#include "jack_server.hpp"
#include "patience.hpp"
#include "processors.hpp"
#include "sanitizers.hpp"

namespace cueline::test {
namespace {

using namespace std::chrono_literals;

class AnyDevice : public testing::TestWithParam<std::string> {
  protected:
    [[nodiscard]] static std::unique_ptr<Device> device() { return open_device({.device = GetParam()}); }

    [[nodiscard]] static std::unique_ptr<Engine> engine() {
        return std::make_unique<Engine>(device(), std::make_unique<WaveProcessor>());
    }

  private:
    std::optional<JackServer> server_ = GetParam() == "null" ? std::nullopt : std::make_optional<JackServer>();
};

TEST_P(AnyDevice, says_what_it_is_before_it_runs) {
    const std::unique_ptr<Engine> standing = engine();
    EXPECT_EQ(standing->stats().device, GetParam());
    EXPECT_EQ(standing->format().samplerate, 48'000U);
    EXPECT_EQ(standing->format().blocksize, 128U);
    EXPECT_EQ(standing->format().outputs, 2U);
    EXPECT_EQ(standing->stats().blocks, 0U);
}

/// Runs the device for a second. Returns the error of its rate as a fraction.
double rate_error_of(Device& device) {
    Beats beats;
    device.start(beats);
    std::this_thread::sleep_for(1s);
    device.stop();
    return beats.rate_error(device.format(), device.stats().missed_blocks);
}

TEST_P(AnyDevice, runs_the_right_number_of_blocks_in_a_second) {
    // The rate is exact on average, but a busy machine may lose blocks: ten tries.
    double error = 1;
    for (int attempt = 0; attempt < 10 && error > 0.02; ++attempt) error = rate_error_of(*device());
    EXPECT_LT(error, 0.02);
}

TEST_P(AnyDevice, answers_pings) {
    const std::unique_ptr<Engine> running = engine();
    running->control().ping();
    running->start();
    for (std::uint32_t sequence = 1; sequence <= 50; ++sequence) {
        Message pong;
        ASSERT_TRUE(eventually([&] { return running->control().receive(pong) == Status::ok; })) << sequence;
        EXPECT_EQ(pong.kind, cueline::kind::pong);
        EXPECT_EQ(pong.sequence, sequence);
        const Pong times = pong.as<Pong>();
        EXPECT_LT(times.block_ns, monotonic_ns());
        EXPECT_GT(times.block_ns + ns_per_second, times.sent_ns) << "one clock for both";
        running->control().ping();
    }
    EXPECT_EQ(running->stats().events.dropped + running->stats().commands.dropped, 0U);
}

/// Fails at the first block that does not begin where the last one ended, or is longer than the block size.
class Follower final : public Processor {
  public:
    void prepare(const Format& format) override { longest_ = format.blocksize; }
    Outcome handle(const Message&, ProcessContext&) noexcept CUELINE_NONBLOCKING override { return false; }
    void render(const AudioBlock& block, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
        if (block.frame != next_ || block.frames > longest_ || block.outputs.size() != 2) gaps.add(1);
        next_ = block.frame + block.frames;
        quiet_.render(block, context);
    }
    Counter gaps;

  private:
    SilenceProcessor quiet_;
    std::uint64_t next_ = 0;
    std::uint32_t longest_ = 0;
};

TEST_P(AnyDevice, its_frames_go_on_without_a_gap_and_across_stops) {
    auto follower = std::make_unique<Follower>();
    const Counter& gaps = follower->gaps;
    Engine engine{device(), std::move(follower)};
    for (int round = 0; round < 3; ++round) {
        const std::uint64_t until = engine.stats().blocks + 20;
        engine.start();
        ASSERT_TRUE(eventually([&] { return engine.stats().blocks >= until; }));
        engine.stop();
    }
    EXPECT_EQ(gaps.get(), 0U);
    EXPECT_EQ(engine.stats().frames, engine.stats().blocks * engine.format().blocksize);
}

TEST_P(AnyDevice, loses_no_ping_between_stops_and_starts) {
    const std::unique_ptr<Engine> running = engine();
    for (std::uint64_t round = 1; round <= 20; ++round) {
        running->start();
        running->control().ping();
        running->stop();
    }
    running->start();
    EXPECT_TRUE(eventually([&] { return running->stats().events.sent == 20; }));
}

TEST_P(AnyDevice, start_and_stop_may_come_twice) {
    const std::unique_ptr<Engine> running = engine();
    running->stop();
    running->start();
    running->start();
    ASSERT_TRUE(eventually([&] { return running->stats().blocks > 2; }));
    running->stop();
    running->stop();
    const std::uint64_t blocks = running->stats().blocks;
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(running->stats().blocks, blocks) << "a stopped engine runs no block";
}

TEST_P(AnyDevice, two_engines_run_at_once) {
    const std::unique_ptr<Engine> one = engine();
    const std::unique_ptr<Engine> two = engine();
    one->start();
    two->start();
    one->control().ping();
    ASSERT_TRUE(eventually([&] { return one->stats().events.sent == 1 && two->stats().blocks > 10; }));
    EXPECT_EQ(two->stats().events.sent, 0U);
    one->stop();
    const std::uint64_t blocks = two->stats().blocks;
    EXPECT_TRUE(eventually([&] { return two->stats().blocks > blocks + 10; })) << "one stopped, the other runs on";
}

TEST_P(AnyDevice, can_be_destroyed_in_every_state) {
    engine().reset();
    {
        const std::unique_ptr<Engine> running = engine();
        running->start();
    }
    {
        const std::unique_ptr<Engine> stopped = engine();
        stopped->start();
        stopped->stop();
    }
    {
        const std::unique_ptr<Engine> with_commands_waiting = engine();
        while (with_commands_waiting->control().ping() == Status::ok) {
        }
    }
    {
        const std::unique_ptr<Engine> with_events_waiting = engine();
        with_events_waiting->start();
        with_events_waiting->control().send(kind::flood, std::uint32_t{2000});
        ASSERT_TRUE(eventually([&] { return with_events_waiting->stats().events.dropped > 0; }));
    }
}

TEST_P(AnyDevice, control_threads_may_start_and_stop_at_once) {
    const std::unique_ptr<Engine> running = engine();
    std::vector<std::jthread> threads;
    for (int count = 0; count < 4; ++count) {
        threads.emplace_back([&] {
            for (int round = 0; round < 5; ++round) {
                running->start();
                running->stop();
            }
        });
    }
}

/// The signals that each thread of this process blocks, by its number.
using Blocked = std::map<std::string, std::uint64_t>;

Blocked blocked_signals() {
    Blocked blocked;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream status{task.path() / "status"};
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("SigBlk:")) blocked[task.path().filename()] = std::stoull(line.substr(7), nullptr, 16);
        }
    }
    return blocked;
}

TEST_P(AnyDevice, its_threads_block_signals_except_their_own_faults) {
    if (thread_sanitizer) GTEST_SKIP() << "the sanitizer has a thread of its own, which blocks all signals";
    const Blocked before = blocked_signals();
    const std::unique_ptr<Engine> running = engine();
    running->start();
    Blocked blocked;
    const auto each_blocks = [&](int signal, bool wanted) {
        return std::ranges::all_of(blocked, [&](const auto& thread) {
            return before.contains(thread.first) ||
                   (thread.second >> (static_cast<unsigned>(signal) - 1) & 1U) == (wanted ? 1 : 0);
        });
    };
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
        // A thread that has just been born blocks all signals until the C library sets its mask.
        EXPECT_TRUE(eventually([&] {
            blocked = blocked_signals();
            return each_blocks(fault, false);
        })) << fault;
    }
    EXPECT_GT(blocked.size(), before.size());
    for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGPROF, SIGUSR1, SIGCHLD}) {
        EXPECT_TRUE(each_blocks(signal, true)) << signal;
    }
}

TEST_P(AnyDevice, leaves_the_signals_of_its_callers_as_they_were) {
    const auto blocked_here = [] {
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        std::vector<int> signals;
        for (int signal = 1; signal < NSIG; ++signal) {
            if (sigismember(&blocked, signal) == 1) signals.push_back(signal);
        }
        return signals;
    };
    const std::vector<int> before = blocked_here();
    static_cast<void>(list_devices());
    EXPECT_EQ(blocked_here(), before);
    std::unique_ptr<Engine> running = engine();
    running->start();
    EXPECT_EQ(blocked_here(), before);
    running->stop();
    EXPECT_EQ(blocked_here(), before);
}

TEST_P(AnyDevice, says_what_its_callback_costs) {
    const std::unique_ptr<Engine> running = engine();
    running->start();
    ASSERT_TRUE(eventually([&] { return running->stats().blocks > 20; }));
    const DeviceStats stats = running->stats().device_stats;
    EXPECT_GT(stats.load_mean, 0.0);
    EXPECT_GE(stats.load_peak, stats.load_mean);
}

TEST_P(AnyDevice, a_forked_child_can_let_go) {
    std::unique_ptr<Engine> parents = engine();
    parents->start();
    ASSERT_TRUE(eventually([&] { return parents->stats().blocks > 2; }));
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // instead of a hang
        parents->stop();
        parents->close();
        parents.reset();
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    const std::uint64_t blocks = parents->stats().blocks;
    EXPECT_TRUE(eventually([&] { return parents->stats().blocks > blocks + 10; })) << "the parent's runs on";
}

INSTANTIATE_TEST_SUITE_P(On, AnyDevice, testing::Values("null", "jack", "portaudio"),
                         [](const auto& device) { return device.param; });

}  // namespace
}  // namespace cueline::test
