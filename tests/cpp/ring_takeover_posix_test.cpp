// ring_takeover_posix_test.cpp: a producer takes the place of one whose process was killed.
#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

#include <cueline/ring.hpp>

#include "ring_checks.hpp"

namespace cueline::test {
namespace {

/// A ring in memory that child processes share. It is zeroed, and no constructor runs on it.
template <class RingType>
class SharedRing {
  public:
    SharedRing()
        : memory_{mmap(nullptr, sizeof(RingType), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)} {}
    SharedRing(const SharedRing&) = delete;
    SharedRing& operator=(const SharedRing&) = delete;
    ~SharedRing() { munmap(memory_, sizeof(RingType)); }
    [[nodiscard]] bool is_there() const { return memory_ != MAP_FAILED; }  // NOLINT: the system's cast
    RingType& operator*() { return *static_cast<RingType*>(memory_); }

  private:
    void* memory_;
};

/// Takes over as the producer and pushes for ever. Message number i has index i.
template <class RingType>
[[noreturn]] void push_until_killed(RingType& ring) {
    auto producer = Producer<RingType>::take_over(ring);
    std::array<Wide<7>, 7> batch{};
    std::uint64_t number = ring.tail();
    for (std::size_t count = 1;; count = count % batch.size() + 1) {
        for (std::size_t place = 0; place < count; ++place) batch[place] = Wide<7>::of(number + place);
        std::size_t pushed = 0;
        if (count > 1) {
            pushed = producer.try_push(std::span<const Wide<7>>{batch}.first(count));
        } else if (producer.try_push(batch[0]) == Status::ok) {
            pushed = 1;
        }
        if (pushed == 0) sched_yield();  // so that the test is quick on one core
        number += pushed;
    }
}

// The kernel kills each producer wherever it is. Nothing here depends on where that is.
TEST(RingTakeover, loses_nothing_that_was_published_by_processes_that_are_killed) {
    using RingType = Ring<Wide<7>, 16>;
    SharedRing<RingType> ring;
    ASSERT_TRUE(ring.is_there());
    Consumer consumer{*ring};
    std::mt19937_64 random{seed()};
    std::uint64_t expected = 0;
    std::string wrong;
    const auto look = [&](const Wide<7>& message) noexcept {
        if (wrong.empty() && message != Wide<7>::of(expected)) {
            wrong = "message " + std::to_string(expected) + " is torn or another one";
        }
        ++expected;
    };
    for (int life = 0; life < 100 && wrong.empty(); ++life) {
        const pid_t child = fork();
        ASSERT_NE(child, -1);
        if (child == 0) push_until_killed(*ring);
        const std::uint64_t enough = expected + random() % 500;
        while (expected < enough && wrong.empty()) {
            if (consumer.consume(look) == 0) sched_yield();
        }
        kill(child, SIGKILL);
        ASSERT_EQ(waitpid(child, nullptr, 0), child);
    }
    EXPECT_EQ(wrong, "");
}

}  // namespace
}  // namespace cueline::test
