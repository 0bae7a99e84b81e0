// spec_test.cpp: every scenario and test case of the specification, by its name. docs/spec-coverage.md lists them,
// together with those in tests/python/test_spec.py.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <cueline/engine/engine.hpp>
#include <cueline/ring.hpp>

#include "devices/null_device.hpp"
#include "devices/offline_device.hpp"
#include "processors.hpp"
#include "ring_checks.hpp"
#include "rule_breaking.hpp"

namespace cueline::test {
namespace {

struct Note {
    int pitch;
    float velocity;
};

class SpecScenario : public testing::Test {
  protected:
    Ring<Note> ring_;
    Producer<Ring<Note>> producer_{ring_};
    Consumer<Ring<Note>> consumer_{ring_};
    Note note_{0, 0};
};
class SpecTestCase : public SpecScenario {};

TEST_F(SpecScenario, single_message_transfer) {
    ASSERT_EQ(producer_.try_push({60, 0.5F}), Status::ok);
    EXPECT_EQ(ring_.tail(), 1U);
    EXPECT_EQ(ring_.head(), 0U);
    ASSERT_EQ(consumer_.try_pop(note_), Status::ok);
    EXPECT_EQ(note_.pitch, 60);
    EXPECT_EQ(note_.velocity, 0.5F);
    EXPECT_EQ(ring_.tail(), 1U);
    EXPECT_EQ(ring_.head(), 1U);
}

std::atomic<const char*> escaped = nullptr;

/// Sends pings to an engine on a thread of its own. Returns how often its audio thread called the heap meanwhile.
template <class ProcessorType>
std::uint64_t allocations_of_the_audio_thread() {
    auto processor = std::make_unique<ProcessorType>();
    const ProcessorType& watchful = *processor;
    Engine engine{std::make_unique<NullDevice>(Format{}), std::move(processor)};
    engine.start();
    for (std::uint64_t sent = 0; sent < 3000 && engine.stats().blocks < 3000;) {
        if (engine.control().ping() == Status::ok) ++sent;
        engine.control().send(cueline::kind::first_user, sent);
        Message message;
        while (engine.control().receive(message) == Status::ok) {
        }
        std::this_thread::sleep_for(std::chrono::microseconds{50});
    }
    engine.stop();
    return watchful.allocations();
}

TEST_F(SpecScenario, audio_thread_message_processing) {
    if (!allocations_are_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
    EXPECT_EQ(allocations_of_the_audio_thread<WatchfulProcessor>(), 0U);
}

TEST_F(SpecScenario, audio_thread_message_processing_check_catches_an_allocation) {
    /// Makes one std::string that is too long, for each message.
    class Careless final : public WatchfulProcessor {
      public:
        Outcome handle(const Message& command, ProcessContext& context) noexcept CUELINE_NONBLOCKING override {
            break_the_rule([] {
                const std::string text(100, 'x');
                escaped = text.data();  // visible outside, so that the compiler cannot remove the allocation
            });
            return WatchfulProcessor::handle(command, context);
        }
    };
    if (!allocations_are_counted()) GTEST_SKIP() << "a sanitizer has replaced malloc";
    EXPECT_GT(allocations_of_the_audio_thread<Careless>(), 0U);
}

TEST_F(SpecScenario, buffer_capacity_limit) {
    for (int pitch = 0; pitch < 1024; ++pitch) ASSERT_EQ(producer_.try_push({pitch, 0}), Status::ok);
    EXPECT_EQ(producer_.try_push({1024, 0}), Status::full);
    EXPECT_EQ(ring_.size(), 1024U);
}

TEST_F(SpecScenario, full_buffer_handling) {
    Engine engine{std::make_unique<OfflineDevice>(Format{}), std::make_unique<SilenceProcessor>()};
    for (int count = 0; count < 1024; ++count) ASSERT_EQ(engine.control().ping(), Status::ok);
    EXPECT_EQ(engine.control().ping(), Status::full);
    EXPECT_EQ(engine.stats().commands.dropped, 1U);
}

TEST_F(SpecScenario, empty_buffer_handling) {
    EXPECT_EQ(consumer_.try_pop(note_), Status::empty);
    EXPECT_EQ(consumer_.try_pop(note_), Status::empty) << "a second pop is refused too";
    producer_.try_push({1, 0});
    EXPECT_EQ(consumer_.try_pop(note_), Status::ok);
}

TEST_F(SpecTestCase, write_read_single_message) {
    producer_.try_push({72, 1});
    ASSERT_EQ(consumer_.try_pop(note_), Status::ok);
    EXPECT_EQ(note_.pitch, 72);
}

TEST_F(SpecTestCase, fill_buffer_and_drain) {
    for (int pitch = 0; pitch < 1024; ++pitch) ASSERT_EQ(producer_.try_push({pitch, 0}), Status::ok);
    for (int pitch = 0; pitch < 1024; ++pitch) {
        ASSERT_EQ(consumer_.try_pop(note_), Status::ok);
        ASSERT_EQ(note_.pitch, pitch);
    }
    EXPECT_EQ(ring_.size(), 0U);
}

TEST_F(SpecTestCase, concurrent_access) {
    EXPECT_EQ((goes_wrong_between_threads<Ring<Wide<7>>>(0, 200'000)), "");
}

TEST_F(SpecTestCase, overflow_detection) {
    while (producer_.try_push({1, 0}) == Status::ok) {
    }
    for (int attempt = 0; attempt < 10; ++attempt) EXPECT_EQ(producer_.try_push({2, 0}), Status::full);
    EXPECT_EQ(ring_.tail(), 1024U);
}

TEST_F(SpecTestCase, underflow_detection) {
    for (int attempt = 0; attempt < 10; ++attempt) EXPECT_EQ(consumer_.try_pop(note_), Status::empty);
    EXPECT_EQ(ring_.head(), 0U);
}

}  // namespace
}  // namespace cueline::test
