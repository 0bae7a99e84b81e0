// realtime_thread_test.cpp: what the system grants a real-time thread, with and without privilege.
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <cueline/engine/engine.hpp>

#include "devices/audio_buffers.hpp"
#include "devices/null_device.hpp"
#include "patience.hpp"
#include "sanitizers.hpp"
#include "system/locked_pages.hpp"
#include "system/realtime_thread.hpp"
#include "system/signals_blocked.hpp"
#include "system/thread_priority.hpp"

namespace cueline::test {
namespace {

/// Takes this thread's privileges away for good. Linux keeps privileges per thread.
bool drop_privileges() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    return syscall(SYS_capset, &header, none.data()) == 0;
}

/// Sets a soft limit while it lives. A limit above the hard limit needs a privilege that even root may lack.
class Limit {
  public:
    using Resource = decltype(RLIMIT_RTPRIO);  // glibc has an enumeration for it, and musl int

    Limit(Resource resource, rlim_t most) : resource_{resource} {
        getrlimit(resource_, &before_);
        const rlimit now{most, std::max(most, before_.rlim_max)};
        set_ = setrlimit(resource_, &now) == 0;
    }
    ~Limit() { setrlimit(resource_, &before_); }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
    [[nodiscard]] bool is_set() const { return set_; }

  private:
    Resource resource_;
    rlimit before_{};
    bool set_ = false;
};

struct Granted {
    bool dropped = false;
    bool priority = false;
    bool stack = false;
    int policy = -1;
    int level = -1;
    int slack_ns = -1;
};

enum class Privileges : std::uint8_t { kept, dropped };

Granted granted_to_a_thread(Privileges privileges) {
    Granted granted;
    std::thread{[&] {
        granted.dropped = privileges == Privileges::dropped && drop_privileges();
        const RealtimeThread thread;
        sched_param parameters{};
        syscall(SYS_sched_getparam, 0, &parameters);  // musl's sched_getparam() only says that it is not supported
        granted.priority = thread.priority_granted();
        granted.stack = thread.stack_locked();
        granted.policy = static_cast<int>(syscall(SYS_sched_getscheduler, 0));
        granted.level = parameters.sched_priority;
        granted.slack_ns = prctl(PR_GET_TIMERSLACK);
    }}.join();
    return granted;
}

static_assert(realtime_priority < 5, "JACK's clients run at 5");

class RealtimeThreadTest : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root has privileges to take away";
        if (!memory_is_the_systems) GTEST_SKIP() << "a sanitizer answers mlock in the system's place";
    }
};

TEST_F(RealtimeThreadTest, without_privilege_it_gets_a_fine_timer_instead) {
    const Limit no_priority{RLIMIT_RTPRIO, 0};
    const Limit no_lock{RLIMIT_MEMLOCK, 0};
    ASSERT_TRUE(no_priority.is_set() && no_lock.is_set());
    const Granted granted = granted_to_a_thread(Privileges::dropped);
    ASSERT_TRUE(granted.dropped);
    EXPECT_FALSE(granted.priority);
    EXPECT_FALSE(granted.stack);
    EXPECT_EQ(granted.policy, SCHED_OTHER);
    EXPECT_EQ(granted.slack_ns, 1);
}

TEST_F(RealtimeThreadTest, with_privilege_it_gets_what_it_asks_for) {
    const Granted granted = granted_to_a_thread(Privileges::kept);
    EXPECT_TRUE(granted.priority);
    EXPECT_TRUE(granted.stack);
    EXPECT_EQ(granted.policy, SCHED_FIFO | SCHED_RESET_ON_FORK);
    EXPECT_EQ(granted.level, realtime_priority);
}

TEST(ThreadNumber, tells_whether_the_thread_has_ended) {
    std::int64_t number = 0;
    bool exists = false;
    std::thread{[&] {
        number = thread_number();
        exists = thread_exists(number);
    }}.join();
    EXPECT_TRUE(exists);
    EXPECT_TRUE(eventually([&] { return !thread_exists(number); }));  // join() returns before the system forgets it
    EXPECT_FALSE(thread_exists(0));
}

TEST_F(RealtimeThreadTest, anyone_can_see_its_priority_by_its_number) {
    bool before = true;
    bool after = false;
    std::thread{[&] {
        before = has_realtime_priority(thread_number());
        const RealtimeThread thread;
        after = has_realtime_priority(thread_number());
    }}.join();
    EXPECT_FALSE(before);
    EXPECT_TRUE(after);
}

/// How much memory of this process is locked, in bytes.
std::size_t locked_bytes() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmLck:")) return std::stoul(line.substr(6)) * 1024;
    }
    return 0;
}

TEST_F(RealtimeThreadTest, an_engine_locks_its_memory_and_unlocks_it) {
    const std::size_t before = locked_bytes();
    {
        const Engine engine{std::make_unique<NullDevice>(Format{}), std::make_unique<SilenceProcessor>()};
        EXPECT_GE(locked_bytes(), before + sizeof(Engine) + sizeof(NullDevice));
    }
    EXPECT_EQ(locked_bytes(), before);
}

TEST_F(RealtimeThreadTest, memory_is_locked_only_when_all_of_it_is) {
    /// Reports that its memory is locked.
    class Optimist final : public Device {
      public:
        [[nodiscard]] std::string_view name() const noexcept override { return "optimist"; }
        [[nodiscard]] Format format() const noexcept override { return format_; }
        void start(BlockCallback&) override {}
        void stop() noexcept override {}
        [[nodiscard]] DeviceStats stats() const noexcept override { return {.memory_locked = true}; }

      private:
        Format format_;
    };
    const auto locked = [] {
        return Engine{std::make_unique<Optimist>(), std::make_unique<SilenceProcessor>()}
            .stats()
            .device_stats.memory_locked;
    };
    EXPECT_TRUE(locked());
    const Limit no_lock{RLIMIT_MEMLOCK, 0};
    std::thread{[&] {
        ASSERT_TRUE(drop_privileges());
        EXPECT_FALSE(locked()) << "the engine's own memory is not";
    }}.join();
}

TEST_F(RealtimeThreadTest, takes_the_most_that_it_is_allowed) {
    const Limit low_priority{RLIMIT_RTPRIO, 3};
    if (!low_priority.is_set()) GTEST_SKIP() << "this machine grants no real-time priority by a limit";
    const Granted granted = granted_to_a_thread(Privileges::dropped);
    ASSERT_TRUE(granted.dropped);
    EXPECT_TRUE(granted.priority);
    EXPECT_EQ(granted.policy, SCHED_FIFO | SCHED_RESET_ON_FORK);
    EXPECT_EQ(granted.level, 3);
}

TEST_F(RealtimeThreadTest, an_ordinary_users_8_mib_are_enough_to_lock) {
    const Limit some_lock{RLIMIT_MEMLOCK, rlim_t{8} << 20U};
    ASSERT_TRUE(some_lock.is_set());
    EXPECT_TRUE(granted_to_a_thread(Privileges::dropped).stack);
}

TEST_F(RealtimeThreadTest, asks_for_no_more_than_it_needs) {
    const Limit high_priority{RLIMIT_RTPRIO, 99};
    if (!high_priority.is_set()) GTEST_SKIP() << "this machine grants no real-time priority by a limit";
    EXPECT_EQ(granted_to_a_thread(Privileges::dropped).level, realtime_priority);
}

TEST(SignalsBlocked, ends_with_its_scope) {
    const auto usr1_is_blocked = [] {
        sigset_t now;
        pthread_sigmask(SIG_SETMASK, nullptr, &now);
        return sigismember(&now, SIGUSR1) == 1;
    };
    EXPECT_FALSE(usr1_is_blocked());
    {
        const SignalsBlocked blocked;
        EXPECT_TRUE(usr1_is_blocked());
        bool born_deaf = false;
        std::thread{[&] { born_deaf = usr1_is_blocked(); }}.join();
        EXPECT_TRUE(born_deaf);
    }
    EXPECT_FALSE(usr1_is_blocked());
}

TEST(SignalsBlocked, drops_the_signal_of_a_write_to_a_reader_that_is_gone) {
    struct sigaction before{};
    struct sigaction fatal{};
    fatal.sa_handler = SIG_DFL;
    ASSERT_EQ(sigaction(SIGPIPE, &fatal, &before), 0);
    {
        const SignalsBlocked blocked;
        pthread_kill(pthread_self(), SIGPIPE);
    }
    sigaction(SIGPIPE, &before, nullptr);  // this process has come so far
}

TEST_F(RealtimeThreadTest, memory_that_may_not_be_locked_is_touched_and_left_as_it_was) {
    const Limit no_lock{RLIMIT_MEMLOCK, 0};
    ASSERT_TRUE(no_lock.is_set());
    std::thread{[] {
        ASSERT_TRUE(drop_privileges());
        std::vector<unsigned char> bytes(std::size_t{5} * page_bytes, 77);
        const std::vector<unsigned char> before = bytes;
        const LockedMemory locked{std::as_writable_bytes(std::span{bytes})};
        EXPECT_FALSE(locked.granted());
        EXPECT_EQ(bytes, before);
        EXPECT_FALSE(LockedPages{1}.granted());
        const AudioBuffers buffers{Format{}};
        EXPECT_FALSE(buffers.locked());
        for (const float sample : buffers.block(128).output(1)) EXPECT_EQ(sample, 0.0F);
    }}.join();
}

}  // namespace
}  // namespace cueline::test
